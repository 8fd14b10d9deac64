/* SPDX-License-Identifier: GPL-2.0-only */
/* What must hold for whatever the node's program does with a frame. */
#ifndef SLUICE_TESTS_FUZZ_NODE_CHECK_H
#define SLUICE_TESTS_FUZZ_NODE_CHECK_H

#include "maps/node.h"
#include "packets.h"

struct node_run {
	const struct packet_in *in;
	const __u8 *out;
	__u32 out_bytes;
	int verdict;
	struct node_counters before, after;
};

void node_check(const struct node_run *run);

#endif
