/* SPDX-License-Identifier: GPL-2.0-only */
#include "bpf/node.bpf.c"

#include "kernel.h"
#include "node_world.h"

void node_world_make(void)
{
	static const __be16 port = bpf_htons(GUE_PORT_HERE);
	struct node_address own[2] = {{.ifindex = IFINDEX_NEAR}, {.ifindex = IFINDEX_NEAR}};

	own[0].low = 0xffff0000 | (__u64) * (const __u32 *)NODE_IPV4 << 32;
	__builtin_memcpy(&own[1].high, NODE_IPV6, 16);
	set_constant(&node_addresses, own, sizeof(own));
	set_constant(&gue_port, &port, sizeof(port));
	map_add(&node_counters, sizeof(__u32), sizeof(struct node_counters), 1, false, MAP_MEMORY);
}

struct node_counters node_world_counters(void)
{
	return *(struct node_counters *)map_at(&node_counters, 0);
}
