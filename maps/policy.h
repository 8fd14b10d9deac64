/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policy: what may pass to a service, and how fast.
 *
 * One rule decides over a packet: of the rules that match it the one with the longest source prefix;
 * at the same length deny goes before limit, and limit before allow; then what names a service, a
 * destination, a port or a protocol before what names none; then the older one. Where none matches,
 * the packet passes.
 *
 * Userspace turns rules into scopes. Scope 0 is made of the rules for everything; every service
 * that some rule narrows itself to has a scope of its own (by its id), and so has every port of a
 * service for all ports that rules name. A scope is, for each family, a sorted run of boundaries,
 * each of which says which rule decides from its address on up to the next one's: prefixes inside
 * prefixes are resolved already. A packet's source is looked for in scope 0 and in its service's.
 *
 * Like the rest of the state it has two halves and one flip, but of its own (control.policy), so
 * that weights can be published while a million prefixes are in force.
 */
#ifndef SLUICE_MAPS_POLICY_H
#define SLUICE_MAPS_POLICY_H

#include <linux/types.h>

#include "service.h"

#define RULES_MAX             4096 /* ids are 1..RULES_MAX-1; 0 is "no rule" */
#define POLICY_SCOPES_MAX     8192 /* 0; service ids; from SERVICES_MAX on: ports of services */
#define POLICY_BOUNDARIES_MAX (1 << 23)
#define COMMENT_BYTES         96
#define FEED_BYTES            64

enum family { FAMILY_IPV4, FAMILY_IPV6, FAMILIES };

/* The order is that of precedence, the strongest last. */
enum rule_action {
	RULE_NONE,
	RULE_ALLOW,
	RULE_LIMIT,
	RULE_DENY,
};

/*
 * control.policy is one word, read once a packet: these, and above them the number of the rule set,
 * whose lowest bit is the half of the policy maps in use.
 */
enum policy_flags {
	POLICY_ON = 1 << 0,          /* there are rules */
	POLICY_ANY_SOURCE = 1 << 1,  /* some match every source: no filter tells who is clean */
	POLICY_ALL_TRAFFIC = 1 << 2, /* scope 0 is also for what is for no service */
};
#define POLICY_GENERATION_SHIFT 8

/*
 * The filter: sources whose bit is not set are matched by no prefix of any scope. A bit for each
 * IPv4 /24 by its number; a bit for each IPv6 /48 by hash_ipv6_filter(), set for prefixes of 32 bits
 * and more (those shorter than 48 set many); and a bit for each IPv6 /16, for the shorter ones, and
 * for those that would fill the hashed part. Any of the bits counts.
 */
#define POLICY_FILTER_IPV4_WORDS  (1 << 18)
#define POLICY_FILTER_IPV6_WORDS  (1 << 18)
#define POLICY_FILTER_SHORT_WORDS (1 << 10)
#define POLICY_FILTER_WORDS \
	(POLICY_FILTER_IPV4_WORDS + POLICY_FILTER_IPV6_WORDS + POLICY_FILTER_SHORT_WORDS)
#define POLICY_FILTER_SHORT_BITS 32 /* prefixes with fewer are in the last part */

/* @address_high: the first 64 bits in host order. 24 bits. */
static inline __u32 hash_ipv6_filter(__u64 address_high)
{
	return (address_high >> 16) * 0x9e3779b97f4a7c15ULL >> 40;
}

/* From this address on, in host order (IPv4 as ::ffff:a.b.c.d), up to the next boundary. */
struct policy_boundary {
	__u64 address[2]; /* the high half first */
	__u16 rule;       /* 0: none */
	__u8 bits;        /* of the prefix that brought it here, of its own family */
	__u8 action;      /* enum rule_action */
	__u32 spare;
};
_Static_assert(sizeof(struct policy_boundary) == 24, "struct policy_boundary");

/* A run of boundaries begins with the lowest address, so a search always finds one. */
struct policy_scope {
	__u32 first[FAMILIES];    /* in the boundaries of this half */
	__u32 count[FAMILIES];    /* 0: no prefix of this family in this scope */
	__u16 any_rule[FAMILIES]; /* that decides where no prefix does; 0: none */
	__u8 any_action[FAMILIES];
	__u8 has_ports; /* ports of this service have scopes of their own: see policy_ports */
	__u8 spare[9];
};
_Static_assert(sizeof(struct policy_scope) == 32, "struct policy_scope");

/* A scope for one port of a service that has all. It holds what the service's scope holds, too. */
struct policy_port_key {
	__u16 service;
	__be16 port;
	__u32 half;
};

enum rule_rate {
	RATE_PACKETS, /* of everything that the rule decides over */
	RATE_NEW_FLOWS,
	RATE_SOURCE_PACKETS, /* of each source */
	RATE_SOURCE_NEW_FLOWS,
	RULE_RATES
};

/*
 * A token bucket as a time (the generic cell rate algorithm, ITU-T I.371): each token moves a mark
 * on by interval_ns, from now if it lies in the past; none is left while the mark would be more than
 * burst_ns ahead.
 */
struct policy_rate {
	__u32 interval_ns; /* 0: no such limit */
	__u32 batch;       /* tokens that a CPU takes at once, so that CPUs seldom meet */
	__u64 burst_ns;
};

/* By half and rule id: half x RULES_MAX + id. */
struct policy_rule {
	__u8 action;                /* enum rule_action */
	__u8 source_bits[FAMILIES]; /* what one source is, for the last two rates */
	__u8 spare[5];
	struct policy_rate rate[RULE_RATES];
};
_Static_assert(sizeof(struct policy_rule) == 72, "struct policy_rule");

/* The marks of a rule, of all CPUs: RATE_PACKETS and RATE_NEW_FLOWS. Ids keep theirs when rules change. */
struct policy_buckets {
	__u64 mark_ns[2];
	__u64 spare[6];
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct policy_buckets) == 64, "struct policy_buckets: a cache line");

/* Tokens that this CPU has taken and not used. */
struct policy_tokens {
	__u32 left[2];
};

/*
 * Marks of sources: a word has a tag in its upper 16 bits and the mark, in ns, in the lower 48. The
 * set is full of marks; who needs room takes the one that is furthest in the past.
 */
#define SOURCE_SETS        65536
#define SOURCE_SET_ENTRIES 8
struct source_set {
	__u64 mark[SOURCE_SET_ENTRIES];
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct source_set) == 64, "struct source_set: a cache line");

/*
 * Sources (an IPv4 address, an IPv6 /64) of which a flow got past its first packet. A word has a
 * tag in its upper 16 bits and when that was, in units of KNOWN_TICK_JIFFIES, in the lower 16.
 */
#define KNOWN_SETS        16384
#define KNOWN_TICK_JIFFIES 1024
#define KNOWN_SET_ENTRIES 16
struct known_set {
	__u32 source[KNOWN_SET_ENTRIES];
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct known_set) == 64, "struct known_set: a cache line");

/* What became of the packets that a rule decided over. */
struct rule_counters {
	__u64 packets;
	__u64 bytes;
	__u64 dropped_packets;
	__u64 dropped_bytes;
};

/*
 * New flows of a service that are dropped because its nodes are hot; written while that is so. It
 * ends by itself when nobody says so any more. One word, so that a store is all of it.
 */
struct shed {
	__u32 chance;        /* of 2^32 */
	__u32 until_jiffies; /* the lower half of the kernel's count */
};
_Static_assert(sizeof(struct shed) == 8, "struct shed: one store");

/*
 * What the program "explain" writes over the beginning of a packet: what the packet path would do with
 * it, and by which rule. Rates are not looked at, and nothing is changed.
 */
struct policy_answer {
	__u32 policy;  /* the rule set that was asked: the lower half of control.policy */
	__u16 service; /* id; 0: the packet is for none */
	__u16 rule;    /* id; 0: no rule is about it */
	__u8 action;   /* enum rule_action */
	__u8 bits;     /* of the prefix that matched, of its own family; 0: every source */
	__u8 asked;    /* 0: there are no rules, or they are not for packets that are for no service */
	__u8 spare;
};
_Static_assert(sizeof(struct policy_answer) == 12, "struct policy_answer: within Ethernet's header");

/* Kept for people and for the next userspace process; the packet path reads none of these. */

/* By half and rule id. */
struct policy_rule_info {
	char service[NAME_BYTES]; /* empty: every service */
	char comment[COMMENT_BYTES];
	char feed[FEED_BYTES]; /* the name of the list that its prefixes came from; empty: none */
	__be32 destination[4];
	__u32 per_second[RULE_RATES]; /* 0: no such limit */
	__u32 burst_ms;
	__u32 order;   /* older rules have lower numbers */
	__u16 port;    /* host order; 0: every port */
	__u8 protocol; /* 0: every protocol */
	__u8 destination_bits;
	__u8 has_destination;
	__u8 action; /* enum rule_action; RULE_NONE: this id is free */
	__u8 source_bits[FAMILIES];
};
_Static_assert(sizeof(struct policy_rule_info) == 272, "struct policy_rule_info");

/* The prefixes as they were given, of all rules of a half. A rule without any matches every source. */
struct policy_prefix {
	__be32 address[4];
	__u16 rule;
	__u8 bits; /* of its own family */
	__u8 spare[5];
};
_Static_assert(sizeof(struct policy_prefix) == 24, "struct policy_prefix: whole words");

#endif
