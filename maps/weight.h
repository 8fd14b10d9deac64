/* SPDX-License-Identifier: GPL-2.0-only */
/* A weight entry: what loads the coin for one backend, in either half of the state. */
#ifndef SLUICE_MAPS_WEIGHT_H
#define SLUICE_MAPS_WEIGHT_H

#include <linux/types.h>

struct weight_half {
	__u16 bias;		 /* 0: takes no new flows */
	__u16 share;		 /* the weight, scaled so that the service's largest is 65535 */
	__u32 coin_reciprocal;	 /* 0xffffffff / bias, so that the coin needs no division */
	__u32 count_reciprocal;	 /* 0xffffffff / share, to compare counts of open flows */
};

struct weight {
	__u32 coin_multiplier; /* odd, made from the backend's identity */
	struct weight_half half[2];
	__u32 spare;
};
_Static_assert(sizeof(struct weight) == 32, "struct weight");

#endif
