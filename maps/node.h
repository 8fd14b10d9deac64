/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program on a node is told and what it counts. */
#ifndef SLUICE_MAPS_NODE_H
#define SLUICE_MAPS_NODE_H

#include <linux/types.h>

#define NODE_ADDRESSES_MAX 16

/* 16 bytes in network order as two words; IPv4 as ::ffff:a.b.c.d. */
struct node_address {
	__u64 high;
	__u64 low;
};

struct node_counters {
	__u64 packets; /* whose outer header was taken off */
	__u64 bytes;   /* of the frames without it */
};

#endif
