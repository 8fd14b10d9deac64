/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The declarative configuration (YAML, read by libcyaml). Everything is optional, an empty text
 * too, except where it says "required".
 *
 *	load:                       # sizes
 *	  flows_per_cpu: 1000000    # 1024 to 268435456
 *	  backends_max: 4096        # 2 to 65535; backend ids are below it
 *	  slots_max: 1048576        # 4096 to 268435456, of all services
 *	  seed: 42                  # the same on all balancers; CONFIG_SEED_DEFAULT
 *	  tunnel_source_ipv4: 10.0.0.0/24   # outer sources vary within it, by flow; /8 to /32
 *	  tunnel_source_ipv6: fd00::/64     # /8 to /128; at most the last 32 bits vary
 *	  gue_port: 19523           # 1 to 65535, the UDP port of nodes that services with gue use
 *	  icmp_rate: 1000           # 0 to 1000000 echo replies, and as many ICMP errors, a second
 *	                            # on each CPU
 *	region: cn-shanghai-1       # of this balancer
 *	services:
 *	  - name: web               # required
 *	    vip: 192.0.2.1          # required
 *	    port: 80                # required; any (or 0): every port
 *	    proto: tcp              # required; tcp or udp
 *	    forward: ipip           # or gue, or dsr, the default
 *	    slots: 65536            # a power of two from 4096 to 1048576; by default or 0: by the
 *	                            # number of backends
 *	    local_count: true       # or false
 *	    mss: 1400               # tcp: 536 to 65495, no SYN asks for more; by default or 0: as it
 *	                            # came
 *	    idle: 60                # udp: 1 to 86400 s without a packet until a flow is forgotten
 *	    quic_server_id_bytes: 8 # udp: 1 to 15, QUIC connection ids hold a server id of that
 *	                            # length; by default or 0: they are not looked at
 *	    backends:
 *	      - name: web-1         # required
 *	        address: 10.0.0.1   # required
 *	        port: 8080          # by default or 0: the service's
 *	        node: edge-1        # by default the backend's own name
 *	        region: cn-shanghai-1
 *	        weight: 100         # 0 to 65535
 *	        state: up           # or drain, down
 *	        server_id: 0a1b2c3d4e5f6071  # hexadecimal, of quic_server_id_bytes; by default
 *	                            # none
 *	    priority: P0            # or P1, P2, which give way, P2 first, when the nodes are hot
 *	    policy, health: as config_daemon.h has them
 *	policy: what may pass, and how fast: config_policy.h
 *
 * and what only the daemon wants to know: config_daemon.h, and the nodes' agents: config_agent.h.
 *
 * Numbers are plain decimal digits. Unknown keys, keys given twice and aliases are refused.
 */
#ifndef SLUICE_CORE_CONFIG_H
#define SLUICE_CORE_CONFIG_H

#include <stddef.h>

#include "../../maps/flow.h"
#include "../../maps/gue.h"
#include "config_agent.h"
#include "config_daemon.h"
#include "model.h"
#include "policy.h"

#define CONFIG_BYTES_MAX         (16 << 20)
#define CONFIG_FLOWS_DEFAULT     1000000
#define CONFIG_FLOWS_MIN         1024
#define CONFIG_FLOWS_MAX         (1 << 28)
#define CONFIG_BACKENDS_DEFAULT  4096
#define CONFIG_BACKENDS_MIN      2
#define CONFIG_BACKENDS_MAX      65535
#define CONFIG_SLOTS_DEFAULT     (1 << 20)
#define CONFIG_SLOTS_MIN         4096
#define CONFIG_SLOTS_MAX         (1 << 28)
#define CONFIG_ICMP_RATE_DEFAULT 1000
#define CONFIG_ICMP_RATE_MAX     100000000
/* Fixed, so that balancers that are told nothing agree: "sluice" in ASCII. */
#define CONFIG_SEED_DEFAULT 0x736c75696365ULL

struct config_load {
	__u32 flows_per_cpu;
	__u32 backends_max;
	__u32 slots_max;
	__u64 seed;
	struct address tunnel_source_ipv4; /* all 0: the address the route would use */
	__be32 tunnel_source_ipv4_vary;    /* host bits of the prefix, within the last word */
	struct address tunnel_source_ipv6;
	__be32 tunnel_source_ipv6_vary;
	__u16 gue_port;  /* host order */
	__u32 icmp_rate; /* a second and CPU */
};

struct config {
	struct config_load load;
	char region[REGION_BYTES];
	struct config_agent agent;
	struct config_daemon daemon;
	bool has_policy;      /* there is a part "policy", be it without rules */
	struct policy policy; /* rules with a feed have no prefixes until its list is read */
	struct model model;   /* only what a person configures is filled in; ids are given */
};

/* Sets for so many flows on each CPU: twice as many entries at most, since sets fill unevenly. */
__u32 config_flow_sets(__u32 flows);

/* What an empty text gives. */
void config_default(struct config *config);

/*
 * Read @text. Returns 0 with @config to be freed by config_free(), or -EINVAL with the line and a
 * sentence in @error and nothing to free, or -ENOMEM.
 */
int config_parse(const char *text, size_t text_bytes, struct config *config,
		 struct text_error *error);
void config_free(struct config *config);

#endif
