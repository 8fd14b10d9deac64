/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy: a set of rules, in plain memory. A command reads it from the pinned maps, changes it
 * here, and publishes it whole. Which rule decides over a packet: maps/policy.h.
 */
#ifndef SLUICE_CORE_POLICY_H
#define SLUICE_CORE_POLICY_H

#include "model.h"
#include "prefix.h"

#define RULE_RATE_MAX         10000000 /* a second */
#define RULE_BURST_MS_DEFAULT 1000
#define RULE_BURST_MS_MAX     60000
#define RULE_SOURCE_BITS_IPV4 32 /* by default */
#define RULE_SOURCE_BITS_IPV6 64
#define POLICY_PREFIXES_MAX   4000000

struct rule {
	__u16 id;
	__u32 order; /* older rules have lower ones */
	enum rule_action action;
	char service
		[NAME_BYTES]; /* empty: every one. It need not exist (yet): then nothing matches */
	bool has_destination;
	struct prefix destination;
	__u16 port;    /* host order; 0: every port */
	__u8 protocol; /* 0: every protocol */
	/* RULE_LIMIT; 0: no such limit. A silent source may catch up with burst_ms worth of it. */
	__u32 per_second[RULE_RATES];
	__u32 burst_ms;
	__u8 source_bits[FAMILIES]; /* what one source is */
	char comment[COMMENT_BYTES];
	char feed[FEED_BYTES];   /* name of the list that the prefixes came from; empty: none */
	struct prefix *prefixes; /* owned; sorted in a policy */
	size_t prefix_count;     /* 0: every source, or with a feed, whose list is empty: none */
};

struct policy {
	__u64 generation;   /* of the set, as control.policy has it; 0: there never was one */
	bool all_traffic;   /* rules for everything are also for what is for no service */
	struct rule *rules; /* by order */
	size_t rule_count;
};

void policy_free(struct policy *policy);

/*
 * Add a copy of @rule behind the others; id and order are given here. Of a limit, burst_ms and
 * source_bits that are 0 become the defaults; prefixes that a feed has twice are taken once.
 * Refused: limits without a rate, rates on another action, bursts or source_bits out of range,
 * prefixes twice in one rule, what the rule set has already (the same action, source and scope, or a
 * feed of that name), more than RULES_MAX - 1 rules or POLICY_PREFIXES_MAX prefixes, a comment or
 * feed name that is not printable ASCII. Returns 0, -EEXIST, -EINVAL, -ENOSPC or -ENOMEM, with
 * @error filled in (its field as the configuration calls it) and nothing changed.
 */
int policy_add(struct policy *policy, const struct rule *rule, struct text_error *error);

/* Returns 0, or -ENOENT with @error filled in. */
int policy_del(struct policy *policy, __u16 id, struct text_error *error);

const struct rule *policy_find(const struct policy *policy, __u16 id);

/* The rule whose prefixes came from the list of that name, or NULL. */
const struct rule *policy_find_feed(const struct policy *policy, const char *feed);

/*
 * Give a rule with a feed other prefixes, as a newer version of its list has them. Copies. Returns
 * 0, -ENOENT, -EINVAL (a rule without a feed), -ENOSPC or -ENOMEM, with @error filled in.
 */
int policy_set_prefixes(struct policy *policy, __u16 id, const struct prefix *prefixes,
			size_t count, struct text_error *error);

/*
 * @next is to replace @current: rules that say the same (action, scope, sources; for a feed its
 * name instead of its prefixes) take over its ids, so that their counters and buckets go on; no
 * other id of @current is used in @next. Returns 0, or -ENOSPC when ids do not suffice.
 */
int policy_take_ids(struct policy *next, const struct policy *current);

/* Whether the rule is for services that fit only, and not for all traffic. */
bool rule_is_narrow(const struct rule *rule);

/* Whether the rule matches every source. */
bool rule_is_for_any(const struct rule *rule);

/* Words for the values, and back (0 or -EINVAL). */
const char *rule_action_name(enum rule_action action);
int rule_action_parse(const char *text, enum rule_action *action);

/* Of a rate: "packets", "new_flows", "source_packets", "source_new_flows". */
const char *rule_rate_name(enum rule_rate rate);

#endif
