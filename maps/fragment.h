/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fragments of a datagram need to know of each other: only the first one has ports. */
#ifndef SLUICE_MAPS_FRAGMENT_H
#define SLUICE_MAPS_FRAGMENT_H

#include <linux/types.h>

#define FRAGMENTS_MAX 8192 /* datagrams under way; a power of two */

/*
 * An entry of a table that has one place for a hash of (source, destination, protocol,
 * identification). One word, so that CPUs share it without a lock.
 *
 * Ports of 0 and 0: a later fragment came first; all of the datagram goes by its addresses alone.
 */
struct fragment {
	__be16 source_port;
	__be16 destination_port;
	__u16 tag;  /* other bits of the hash; 0: no entry */
	__u16 tick; /* jiffies / 64 when it was made */
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct fragment) == 8, "struct fragment");

#endif
