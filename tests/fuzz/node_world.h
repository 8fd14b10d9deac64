/* SPDX-License-Identifier: GPL-2.0-only */
/* The node's program and the addresses that it takes for its own. */
#ifndef SLUICE_TESTS_FUZZ_NODE_WORLD_H
#define SLUICE_TESTS_FUZZ_NODE_WORLD_H

#include <linux/bpf.h>

#include "maps/node.h"

#define NODE_IPV4     "\x0a\x00\x00\x01"
#define NODE_IPV6     "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
#define GUE_PORT_HERE 19523

void node_world_make(void);

struct node_counters node_world_counters(void);

int node(struct xdp_md *ctx);

#endif
