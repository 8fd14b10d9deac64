/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of which flow went to which backend.
 *
 * The flows map is one array; each CPU owns a region of it: its main sets, then its probation
 * sets. A set is one cache line of 15 entries. A flow's first packet enters probation, its second
 * moves it to the main sets, so a flood of first packets churns 64 KB and nothing else.
 */
#ifndef SLUICE_MAPS_FLOW_H
#define SLUICE_MAPS_FLOW_H

#include <linux/types.h>

#define FLOW_SET_ENTRIES    15
#define FLOW_PROBATION_SETS 1024 /* a CPU; 64 KB, so that they stay in its L2 cache */

/*
 * An entry is a tag and a backend; tag 0 is no entry. Two bits more, held beside the fifteen:
 *
 *   counted fresh
 *     1       1   open: in the count of its backend's open flows, seen since the last sweep
 *     1       0   idle: counted, not seen since the last sweep; evicted before open ones
 *     0       1   new:  not counted (yet); its next packet makes it open
 *     0       0   closed: a FIN or RST went by; a SYN selects anew and makes it new
 *
 * In a probation set nothing is counted; there `counted` is the entry to overwrite next.
 */
struct flow_set {
	__u16 tag[FLOW_SET_ENTRIES];
	__u16 counted;
	__u16 backend[FLOW_SET_ENTRIES];
	__u16 fresh;
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct flow_set) == 64, "struct flow_set");

#endif
