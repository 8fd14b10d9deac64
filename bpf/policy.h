/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stage policy: may this packet pass? Which rule decides is in maps/policy.h.
 *
 * A filter tells most packets from those that some rule is about; the rest is a call away.
 */
#ifndef SLUICE_BPF_POLICY_H
#define SLUICE_BPF_POLICY_H

#include "../maps/maps.bpf.h"
#include "chain.h"
#include "drop.h"
#include "packet.h"
#include "policy_rate.h"

#define SEARCH_STEPS_MAX 23
_Static_assert(1 << SEARCH_STEPS_MAX == POLICY_BOUNDARIES_MAX, "halves until one boundary is left");

/* The rule that decides, as boundaries have it. */
union decision {
	struct {
		__u16 rule;
		__u8 bits;
		__u8 action;
	};
	__u32 word;
};

static __always_inline bool filter_has(__u32 half, __u32 first_word, __u32 bit)
{
	__u32 key = half * POLICY_FILTER_WORDS + first_word + (bit >> 6);
	__u64 *word = bpf_map_lookup_elem(&policy_filter, &key);

	return !word || *word >> (bit & 63) & 1;
}

/* Is some rule about this source? @source in the order of the network. */
static __always_inline bool is_filtered(__u32 policy, const __u64 source[2], bool ipv4)
{
	__u32 half = policy_half(policy);
	__u64 high;

	if (policy & POLICY_ANY_SOURCE)
		return true;
	if (ipv4)
		return filter_has(half, 0, bpf_ntohl(source[1] >> 32) >> 8);
	high = bpf_be64_to_cpu(source[0]);
	return filter_has(half, POLICY_FILTER_IPV4_WORDS, hash_ipv6_filter(high)) ||
	       filter_has(half, POLICY_FILTER_IPV4_WORDS + POLICY_FILTER_IPV6_WORDS, high >> 48);
}

/* No rule is about it. Of an ICMP error, packet->source is not where it came from. */
static __always_inline bool is_clean(const struct packet *packet)
{
	return likely(!(packet->policy & POLICY_ON)) ||
	       (!packet->error && !is_filtered(packet->policy, packet->source, packet->ipv4));
}

/* The packet's own source, in the order of the network. */
static __always_inline bool read_source(struct xdp_md *ctx, __u32 l3_bytes, bool ipv4,
					__u64 source[2])
{
	if (ipv4) {
		struct iphdr *ip = at(ctx, l3_bytes, sizeof(*ip));

		if (!ip || ip->version != 4)
			return false;
		source[0] = 0;
		source[1] = ipv4_mapped(ip->saddr);
		return true;
	} else {
		struct ipv6hdr *ip = at(ctx, l3_bytes, sizeof(*ip));
		const __u64 *address;

		if (!ip || ip->version != 6)
			return false;
		address = (const void *)&ip->saddr;
		source[0] = address[0];
		source[1] = address[1];
		return true;
	}
}

/*
 * Which of @count boundaries from @first on is the last that is not behind the address: the decision
 * that stands in it. The first one never is behind.
 */
__noinline __u32 search_boundaries(__u32 half, __u32 first, __u32 count, __u64 high, __u64 low)
{
	union decision decision = {};
	const struct policy_boundary *boundary;
	void *boundaries;

	half &= 1;
	boundaries = bpf_map_lookup_elem(&policy_boundaries, &half);
	if (!boundaries)
		return 0;
	for (int i = 0; i < SEARCH_STEPS_MAX && count > 1; i++) {
		__u32 middle = first + (count >> 1);

		boundary = bpf_map_lookup_elem(boundaries, &middle);
		if (!boundary)
			return 0;
		if (boundary->address[0] < high ||
		    (boundary->address[0] == high && boundary->address[1] <= low))
			first = middle;
		count -= count >> 1;
	}
	boundary = bpf_map_lookup_elem(boundaries, &first);
	if (!boundary)
		return 0;
	decision.rule = boundary->rule;
	decision.bits = boundary->bits;
	decision.action = boundary->action;
	return decision.word;
}

/* What a scope decides; word 0: nothing. @source in host order. */
static __always_inline union decision ask_scope(const struct policy_scope *scope, __u32 half,
						const __u64 source[2], bool ipv4)
{
	__u32 family = ipv4 ? FAMILY_IPV4 : FAMILY_IPV6;
	union decision decision = {};

	/* The verifier does not know what an argument of that type holds. */
	barrier_var(family);
	family &= 1;
	if (scope->count[family])
		decision.word = search_boundaries(half, scope->first[family], scope->count[family],
						  source[0], source[1]);
	if (!decision.rule) {
		decision.rule = scope->any_rule[family];
		decision.action = scope->any_action[family];
		decision.bits = 0;
	}
	return decision;
}

static __always_inline const struct policy_scope *scope_at(__u32 half, __u32 number)
{
	__u32 key = half * POLICY_SCOPES_MAX + number;

	return bpf_map_lookup_elem(&policy_scopes, &key);
}

/* Of a service; of its port where that has one of its own. */
static __always_inline const struct policy_scope *scope_of_service(__u32 half, __u16 service,
								   __be16 port)
{
	const struct policy_scope *scope = scope_at(half, service);
	struct policy_port_key key = {.service = service, .port = port, .half = half};
	__u32 *number;

	if (!scope || !scope->has_ports)
		return scope;
	number = bpf_map_lookup_elem(&policy_ports, &key);
	return number ? scope_at(half, *number) : scope;
}

/* Where lengths and actions are equal, the second, narrower scope has its way. */
static __always_inline union decision stronger(union decision wide, union decision narrow)
{
	if (!narrow.rule || narrow.bits < wide.bits ||
	    (narrow.bits == wide.bits && narrow.action < wide.action))
		return wide;
	return narrow;
}

/* @source in the order of the network; @service 0: the packet is for none. */
static __always_inline union decision find_rule(__u32 policy, const __u64 source[2], bool ipv4,
						__u16 service, __be16 port)
{
	const __u64 address[2] = {bpf_be64_to_cpu(source[0]), bpf_be64_to_cpu(source[1])};
	__u32 half = policy_half(policy);
	const struct policy_scope *scope = scope_at(half, 0);
	union decision decision = {};

	if (scope)
		decision = ask_scope(scope, half, address, ipv4);
	scope = service ? scope_of_service(half, service, port) : NULL;
	if (scope)
		decision = stronger(decision, ask_scope(scope, half, address, ipv4));
	return decision;
}

static __always_inline void count_decision(__u32 rule, __u32 frame_bytes)
{
	struct rule_counters *counters = bpf_map_lookup_elem(&rule_counters, &rule);

	if (counters) {
		counters->packets++;
		counters->bytes += frame_bytes;
	}
}

/*
 * Find the rule and do as it says, with a packet for the service and port in @destination (the id
 * above, the port as it travels below; 0: for none). Returns what drop() gave, or the id of the limit
 * that the packet keeps; 0: none. What is for a service has been through the filter.
 */
__noinline int judge(struct xdp_md *ctx, __u32 l3_bytes, bool ipv4, __u32 policy, __u32 destination)
{
	union decision decision;
	__u64 source[2];
	int verdict;

	if (!read_source(ctx, l3_bytes, ipv4, source))
		return 0;
	if (!destination && !is_filtered(policy, source, ipv4))
		return 0;
	decision = find_rule(policy, source, ipv4, destination >> 16, destination);
	if (!decision.rule)
		return 0;
	count_decision(decision.rule, bpf_xdp_get_buff_len(ctx));
	if (decision.action == RULE_DENY)
		return drop_by_rule(DROP_DENIED, decision.rule);
	if (decision.action != RULE_LIMIT)
		return 0;
	verdict = limit_packet(policy, decision.rule, source, ipv4);
	return verdict == NEXT ? decision.rule : verdict;
}

static __always_inline int check_policy(struct xdp_md *ctx, struct packet *packet,
					const struct service *service)
{
	int verdict;

	packet->rule = 0;
	if (is_clean(packet))
		return NEXT;
	verdict = judge(ctx, packet->l3_bytes, packet->ipv4, packet->policy,
			(__u32)service->id << 16 | packet->service_port);
	if (is_dropped(verdict))
		return verdict;
	packet->rule = verdict;
	return NEXT;
}

/* What is for no service, where rules are for that, too: IP of any kind, by its source. */
static __always_inline int judge_other(struct xdp_md *ctx, __u32 policy)
{
	__be16 protocol = 0;
	__u32 l3_bytes = skip_tags(ctx, &protocol);
	bool ipv4 = protocol == bpf_htons(ETH_P_IP);
	int verdict;

	if (!l3_bytes || (!ipv4 && protocol != bpf_htons(ETH_P_IPV6)))
		return XDP_PASS;
	verdict = judge(ctx, l3_bytes, ipv4, policy, 0);
	return is_dropped(verdict) ? verdict : XDP_PASS;
}

/* The same, for little where they are not. */
static __always_inline int check_other(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct control *state = bpf_map_lookup_elem(&control, &zero);
	__u32 policy = state ? *(volatile __u32 *)&state->policy : 0;

	if (likely(!(policy & POLICY_ALL_TRAFFIC)))
		return XDP_PASS;
	return judge_other(ctx, policy);
}

#endif
