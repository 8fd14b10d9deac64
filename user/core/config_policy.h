/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the configuration that says what may pass (maps/policy.h: which rule decides):
 *
 *	policy:
 *	  all_traffic: false        # true: rules that name no service, destination, port or protocol
 *	                            # are also for what is for no service
 *	  rules:
 *	    - action: limit         # required; allow, deny or limit
 *	      source: 192.0.2.0/24  # by default any
 *	      feed: drop.txt        # or else a list of prefixes, a line each: a file, relative to the
 *	                            # configuration's folder; up to 63 characters, its name from then on
 *	      service: web          # by default all. It need not be there yet
 *	      destination: 203.0.113.0/24  # services whose VIP is in it
 *	      port: 443             # services with that port, and that port of those for every one; by
 *	                            # default or 0: any
 *	      proto: tcp            # or udp
 *	      packets: 100000       # a limit has one of these four at least: 1 to 10000000 packets a
 *	                            # second of all that the rule decides over,
 *	      new_flows: 5000       # new flows of it a second,
 *	      source_packets: 2000  # and the same of each source,
 *	      source_new_flows: 50
 *	      source_bits_ipv4: 32  # which is a prefix of that length; 1 to 32
 *	      source_bits_ipv6: 64  # 1 to 128
 *	      burst_ms: 1000        # 1 to 60000: how much of its rates may be caught up with
 *	      comment: scanners     # up to 95 printable ASCII characters
 */
#ifndef SLUICE_CORE_CONFIG_POLICY_H
#define SLUICE_CORE_CONFIG_POLICY_H

#include "config_read.h"
#include "policy.h"

struct policy_text;

/*
 * Returns 0 with @policy to be freed by policy_free(), -EINVAL once a value was refused, or -ENOMEM.
 * Rules with a feed have no prefixes yet: reading files is for others.
 */
int config_policy_read(struct reader *reader, const struct policy_text *in, struct policy *policy);

#endif
