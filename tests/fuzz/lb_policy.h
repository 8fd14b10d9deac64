/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A part of lb_world.c, which declares the maps: the rules that lb_world.h tells of, laid out by hand
 * as user/core/policy_image.c would.
 */
#ifndef SLUICE_TESTS_FUZZ_LB_POLICY_H
#define SLUICE_TESTS_FUZZ_LB_POLICY_H

#include "lb_world.h"

#define MAP_ADD(map, entries, hash, kind) \
	map_add(&(map), sizeof(*(map).key), sizeof(*(map).value), entries, hash, kind)

enum { LIMIT = 1, DENY, ALLOW, LIMIT_NEW, DENY_PORT, RULES_END };

#define PORT_SCOPE SERVICES_MAX

static const struct policy_boundary lb_boundaries[] = {
	{{0, 0xffff00000000}, 0, 0, RULE_NONE, 0},
	{{0, 0xffffcb007100}, LIMIT, 24, RULE_LIMIT, 0},
	{{0, 0xffffcb007180}, DENY, 25, RULE_DENY, 0},
	{{0, 0xffffcb0071c0}, ALLOW, 26, RULE_ALLOW, 0},
	{{0, 0xffffcb007200}, 0, 0, RULE_NONE, 0},
	{{0, 0}, 0, 0, RULE_NONE, 0},
	{{0x20010db800ff0000, 0}, LIMIT, 48, RULE_LIMIT, 0},
	{{0x20010db800ff8000, 0}, DENY, 49, RULE_DENY, 0},
	{{0x20010db800ffc000, 0}, ALLOW, 50, RULE_ALLOW, 0},
	{{0x20010db801000000, 0}, 0, 0, RULE_NONE, 0},
};

#define BOUNDARIES (sizeof(lb_boundaries) / sizeof(lb_boundaries[0]))

static const char lb_boundary_maps[2]; /* their addresses are names */
static const void *const lb_nested[2] = {&lb_boundary_maps[0], &lb_boundary_maps[1]};

static void lb_policy_add_maps(void)
{
	MAP_ADD(policy_filter, 2 * POLICY_FILTER_WORDS, false, MAP_STATE);
	MAP_ADD(policy_scopes, 2 * POLICY_SCOPES_MAX, false, MAP_STATE);
	MAP_ADD(policy_ports, POLICY_SCOPES_MAX, true, MAP_STATE);
	MAP_ADD(policy_rules, 2 * RULES_MAX, false, MAP_STATE);
	MAP_ADD(sheds, SERVICES_MAX, false, MAP_STATE);
	MAP_ADD(policy_buckets, RULES_MAX, false, MAP_MEMORY);
	MAP_ADD(policy_tokens, RULES_MAX, false, MAP_MEMORY);
	MAP_ADD(source_sets, SOURCE_SETS, false, MAP_MEMORY);
	MAP_ADD(known_sets, KNOWN_SETS, false, MAP_MEMORY);
	MAP_ADD(rule_counters, RULES_MAX, false, MAP_MEMORY);
	MAP_ADD(event_budget, 1, false, MAP_MEMORY);
	for (int half = 0; half < 2; half++)
		map_add(lb_nested[half], sizeof(__u32), sizeof(struct policy_boundary), BOUNDARIES,
			false, MAP_STATE);
	map_add_outer(&policy_boundaries, lb_nested, 2);
}

static void lb_filter_add(__u32 half, __u32 first_word, __u32 bit)
{
	__u64 *word = map_at(&policy_filter, half * POLICY_FILTER_WORDS + first_word + bit / 64);

	*word |= 1ULL << bit % 64;
}

static void lb_rule_make(__u32 half, __u32 id, enum rule_action action)
{
	struct policy_rule *rule = map_at(&policy_rules, half * RULES_MAX + id);

	rule->action = action;
	rule->source_bits[FAMILY_IPV4] = half ? 24 : 32;
	rule->source_bits[FAMILY_IPV6] = half ? 128 : 64;
	for (int rate = 0; action == RULE_LIMIT && rate < RULE_RATES; rate++) {
		rule->rate[rate].interval_ns = 100000000 << rate % 2;
		rule->rate[rate].batch = rate < 2 ? 1 + half : 1;
		rule->rate[rate].burst_ns = 1000000000;
	}
}

static struct policy_scope *lb_scope(__u32 half, __u32 number)
{
	return map_at(&policy_scopes, half * POLICY_SCOPES_MAX + number);
}

static void lb_policy_make_half(__u32 half)
{
	struct policy_port_key key = {ALL_PORTS_SERVICE, bpf_htons(DENIED_PORT), half};

	for (__u32 i = 0; i < BOUNDARIES; i++)
		*(struct policy_boundary *)map_at(lb_nested[half], i) = lb_boundaries[i];
	*lb_scope(half, 0) = (struct policy_scope){.first = {0, 5}, .count = {5, 5}};
	if (half)
		*lb_scope(half, LIMITED_SERVICE) = (struct policy_scope){
			.any_rule = {LIMIT_NEW},
			.any_action = {RULE_LIMIT},
		};
	lb_scope(half, ALL_PORTS_SERVICE)->has_ports = 1;
	*(__u32 *)map_insert(&policy_ports, &key) = PORT_SCOPE;
	*lb_scope(half, PORT_SCOPE) = (struct policy_scope){
		.any_rule = {DENY_PORT},
		.any_action = {RULE_DENY},
	};
	lb_rule_make(half, LIMIT, RULE_LIMIT);
	lb_rule_make(half, LIMIT_NEW, RULE_LIMIT);
	lb_filter_add(half, 0, 0xcb0071);
	lb_filter_add(half, POLICY_FILTER_IPV4_WORDS, hash_ipv6_filter(0x20010db800ff0000));
}

static void lb_policy_make(void)
{
	lb_policy_make_half(0);
	lb_policy_make_half(1);
	/* A half of one service's new flows, until long after the start. */
	*(struct shed *)map_at(&sheds, LIMITED_SERVICE + 1) =
		(struct shed){0x80000000, (__u32)JIFFIES_AT_START + 500};
}

static __u64 lb_policy_word(__u32 half)
{
	return half << POLICY_GENERATION_SHIFT | POLICY_ON | POLICY_ALL_TRAFFIC |
	       (half ? POLICY_ANY_SOURCE : 0);
}

#endif
