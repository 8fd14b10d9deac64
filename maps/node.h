/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program on a node is told and what it counts. */
#ifndef SLUICE_MAPS_NODE_H
#define SLUICE_MAPS_NODE_H

#include <linux/types.h>

#define NODE_ADDRESSES_MAX 16

/* One of this node's own addresses: what is sent to it in a tunnel is opened. */
struct node_address {
	__u64 high; /* 16 bytes in network order as two words; IPv4 as ::ffff:a.b.c.d */
	__u64 low;
	__u32 ifindex; /* of the device that has it: a VLAN device, where frames come tagged */
	__u32 spare;
};
_Static_assert(sizeof(struct node_address) == 24, "struct node_address");

struct node_counters {
	__u64 packets;      /* whose outer header was taken off */
	__u64 bytes;        /* of the frames without it */
	__u64 passed_on;    /* packets of unknown connections, given to the next hop */
	__u64 no_neighbour; /* of those, lost while the next hop's MAC address was asked for */
	__u64 no_hop_left;  /* packets of unknown connections that nobody is left to try */
};
_Static_assert(sizeof(struct node_counters) == 40, "struct node_counters");

#endif
