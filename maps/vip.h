/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of a VIP alone, for packets that carry no port: echo requests, and fragments that
 * arrive before their first.
 */
#ifndef SLUICE_MAPS_VIP_H
#define SLUICE_MAPS_VIP_H

#include <linux/types.h>

enum vip_protocols {
	VIP_TCP = 1 << 0,
	VIP_UDP = 1 << 1,
};

struct vip_key {
	__be32 vip[4];
};

/*
 * Not halved: the packet path looks the service up, in the state that it uses, before it believes
 * this.
 */
struct vip {
	__be16 tcp_port; /* of the VIP's TCP service with the lowest port (0: every port) */
	__be16 udp_port;
	__u8 protocols;	 /* enum vip_protocols: which of the two there are */
	__u8 spare;
};
_Static_assert(sizeof(struct vip) == 6, "struct vip");

#endif
