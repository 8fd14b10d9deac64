/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the policy share: services with one backend each, rule sets, and what they did. */
#ifndef SLUICE_TESTS_PROG_POLICY_WORLD_H
#define SLUICE_TESTS_PROG_POLICY_WORLD_H

#include <stdbool.h>
#include <linux/types.h>

#include "maps/event.h"
#include "maps/policy.h"
#include "packet.h"
#include "world.h"

#define VIP_IPV4   "192.0.2.1"
#define VIP_IPV6   "2001:db8::1"
#define OTHER_IPV4 "192.0.2.2"
#define OTHER_IPV6 "2001:db8::2"
#define NOT_OURS   "192.0.2.99"

/*
 * Group setup. On VIP_IPV4 and VIP_IPV6: web4 and web6 (TCP 80), dns4 and dns6 (UDP 53); on
 * OTHER_IPV4 and OTHER_IPV6: all4 and all6 (TCP, every port).
 */
int policy_open(void **state);

/* Put these rules in force instead of all others: lines of a configuration's list of rules. */
void policy_set(const char *rules, bool all_traffic);
int policy_none(void **state); /* setup of a test: no rules */

/* The id of the rule with that comment, and its counters of all CPUs. */
__u16 policy_rule_id(const char *comment);
struct rule_counters policy_rule_counts(const char *comment);

/* A SYN, or for port 53 a datagram, with 40 bytes of payload. */
struct packet_fields policy_packet(const char *source, const char *destination, __u16 port);

/* Likewise: send it. Returns the verdict. */
int policy_send(const char *source, const char *destination, __u16 port);

/* The oldest event that was not read yet. False: there is none. */
bool policy_event(struct drop_event *event);
void policy_forget_events(void);

#endif
