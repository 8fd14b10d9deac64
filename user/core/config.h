/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The declarative configuration (YAML, read by libcyaml):
 *
 *	load:                       # sizes; all optional
 *	  flows_per_cpu: 1000000
 *	  backends_max: 4096
 *	  slots_max: 1048576
 *	  seed: 42                  # shared by all balancers
 *	  tunnel_source_ipv4: 10.0.0.0/24   # outer sources vary within it, by flow
 *	  tunnel_source_ipv6: fd00::/64
 *	region: cn-shanghai-1       # of this balancer
 *	services:
 *	  - name: web
 *	    vip: 192.0.2.1
 *	    port: 80
 *	    proto: tcp
 *	    forward: ipip           # or dsr, the default
 *	    slots: 65536
 *	    local_count: true
 *	    backends:
 *	      - name: web-1
 *	        address: 10.0.0.1
 *	        node: edge-1
 *	        region: cn-shanghai-1
 *	        weight: 100
 *	        state: up
 */
#ifndef SLUICE_CORE_CONFIG_H
#define SLUICE_CORE_CONFIG_H

#include <stddef.h>

#include "model.h"

struct config_load {
	__u32 flows_per_cpu;
	__u32 backends_max;
	__u32 slots_max;
	__u64 seed;
	struct address tunnel_source_ipv4; /* all 0: the address the route would use */
	__be32 tunnel_source_ipv4_vary;	   /* host bits of the prefix, within the last word */
	struct address tunnel_source_ipv6;
	__be32 tunnel_source_ipv6_vary;
};

struct config {
	struct config_load load;
	char region[REGION_BYTES];
	struct model model; /* only what a person configures is filled in; ids are given */
};

void config_default(struct config *config);

/*
 * Read @text. Returns 0 with @config to be freed by config_free(), or -EINVAL with the line and a
 * sentence in @error and nothing to free, or -ENOMEM.
 */
int config_parse(const char *text, size_t text_bytes, struct config *config,
		 struct text_error *error);
void config_free(struct config *config);

#endif
