/* SPDX-License-Identifier: GPL-2.0-only */
/* What `sluice load` was told; it stays until `sluice unload`. */
#ifndef SLUICE_MAPS_SETTINGS_H
#define SLUICE_MAPS_SETTINGS_H

#include <linux/types.h>

#include "hash.h"
#include "service.h"

struct settings {
	__u64 seed; /* the same on all balancers of a cluster, or they pick differently */
	struct hash_key flow_key; /* random, of this load alone: nobody can aim at a flow set */
	char region[REGION_BYTES]; /* of this balancer; empty: none */
	__u32 flow_main_sets; /* a CPU */
	__u32 backends_max;
	__u32 slots_max;
	__u32 cpu_count;
	/* Outer sources of encapsulated packets; all 0: the address the route would use. */
	__be32 tunnel_source_ipv4[4];
	__be32 tunnel_source_ipv6[4];
	__be32 tunnel_source_ipv4_vary; /* bits of the last word that vary by flow */
	__be32 tunnel_source_ipv6_vary;
	__u32 icmp_rate; /* answers a second and CPU, of echo replies and of errors each */
	__be16 gue_port;
	__u16 spare;
};
_Static_assert(sizeof(struct settings) == 136, "struct settings");

#endif
