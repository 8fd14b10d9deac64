/* SPDX-License-Identifier: GPL-2.0-only */
/* A slot: a hash bucket of a service, and the three backends that may take its new flows. */
#ifndef SLUICE_MAPS_SLOT_H
#define SLUICE_MAPS_SLOT_H

#include <linux/types.h>

#define CANDIDATES     3
#define CANDIDATE_NONE 0xffff
#define SLOT_PROBES    4 /* further slots looked at when no candidate of a slot takes new flows */

/* In the slots map candidates are backend ids; in the pure core they are indices of an input. */
struct slot {
	__u16 candidate[CANDIDATES];
	__u16 spare;
};
_Static_assert(sizeof(struct slot) == 8, "struct slot");

#endif
