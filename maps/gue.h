/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Generic UDP Encapsulation (draft-ietf-intarea-gue-09, 3), with the private data of GitHub's GLB
 * Director: the addresses that may try the packet next when the receiver does not know its flow.
 */
#ifndef SLUICE_MAPS_GUE_H
#define SLUICE_MAPS_GUE_H

#include <linux/types.h>

#define GUE_PORT     19523 /* unless the loader was told another */
#define GUE_HOPS_MAX 2	   /* of a packet that we send: the other two candidates */

struct gue_header {
	__u8 length;   /* version and C bit 0; words of 4 bytes behind the first */
	__u8 protocol; /* of what is inside: IPPROTO_IPIP or IPPROTO_IPV6 */
	__be16 flags;
	__be16 private_type; /* 0 */
	__u8 next_hop;	     /* index of the one to try next */
	__u8 hop_count;
	/* hop_count addresses: of 4 bytes in IPv4 (as GLB has it), of 16 in IPv6 (ours) */
};
_Static_assert(sizeof(struct gue_header) == 8, "struct gue_header");

#endif
