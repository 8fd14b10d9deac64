/* SPDX-License-Identifier: GPL-2.0-only */
/* Part of stage policy: the rates of limits, see struct policy_rate. */
#ifndef SLUICE_BPF_POLICY_RATE_H
#define SLUICE_BPF_POLICY_RATE_H

#include "../maps/maps.bpf.h"
#include "branchless.h"
#include "drop.h"
#include "flow_memory.h"
#include "known.h"

/* What a jiffy lasts. By the loader. */
const volatile __u64 tick_ns = 4000000;

/* How often a word is tried for that other CPUs change, too; each time one of them has succeeded. */
#define TRIES_MAX 4

/* Jiffies cost 1 ns, the clock 33. */
static __always_inline __u64 now_ns(void)
{
	return bpf_jiffies64() * tick_ns;
}

static __always_inline __u32 policy_half(__u32 policy)
{
	return policy >> POLICY_GENERATION_SHIFT & 1;
}

static __always_inline const struct policy_rule *rule_at(__u32 policy, __u32 rule)
{
	__u32 key = policy_half(policy) * RULES_MAX + rule;

	return bpf_map_lookup_elem(&policy_rules, &key);
}

/*
 * How far the mark is ahead. Further than the burst it can only be of a time when the rule had a longer
 * one, which is not to keep anybody waiting now: it is set back.
 */
static __always_inline __u64 mark_ahead_ns(__u64 *mark_ns, __u64 now, __u64 burst_ns)
{
	__u64 mark = *(volatile __u64 *)mark_ns;

	if (mark <= now)
		return 0;
	if (unlikely(mark - now > burst_ns)) {
		__sync_val_compare_and_swap(mark_ns, mark, now + burst_ns);
		return burst_ns;
	}
	return mark - now;
}

/* Tokens of all that the rule decides over; a CPU takes several and keeps those it has no use for. */
static __always_inline bool take_token(__u32 rule, const struct policy_rate *rate, __u32 which)
{
	struct policy_tokens *tokens = bpf_map_lookup_elem(&policy_tokens, &rule);
	struct policy_buckets *buckets = bpf_map_lookup_elem(&policy_buckets, &rule);
	__u64 now = now_ns();

	if (!tokens || !buckets)
		return true;
	if (tokens->left[which]) {
		tokens->left[which]--;
		return true;
	}
	if (mark_ahead_ns(&buckets->mark_ns[which], now, rate->burst_ns) == rate->burst_ns)
		return false;
	for (int i = 0; i < TRIES_MAX; i++) {
		__u64 mark = *(volatile __u64 *)&buckets->mark_ns[which];
		__u64 next = (mark > now ? mark : now) + (__u64)rate->batch * rate->interval_ns;

		if (next - now > rate->burst_ns)
			return false;
		if (__sync_val_compare_and_swap(&buckets->mark_ns[which], mark, next) == mark) {
			tokens->left[which] = rate->batch - 1;
			return true;
		}
	}
	return false;
}

/*
 * Half of the burst of new flows is for known sources: while it is all that is left, a flood of
 * sources that nobody knows gets no token. Not even of those that this CPU has taken already.
 */
static __always_inline bool is_reserved(__u32 rule, const struct policy_rate *rate)
{
	struct policy_buckets *buckets = bpf_map_lookup_elem(&policy_buckets, &rule);

	return buckets && mark_ahead_ns(&buckets->mark_ns[RATE_NEW_FLOWS], now_ns(),
					rate->burst_ns) > rate->burst_ns / 2;
}

#define SOURCE_MARK_BITS 48
#define SOURCE_MARK_MASK ((1ULL << SOURCE_MARK_BITS) - 1)
/* No mark is further ahead than the longest burst: what seems to be lies in the past. */
#define SOURCE_AHEAD_MAX_NS (1ULL << 36)

static __always_inline __u64 ahead_ns(__u64 word, __u64 now)
{
	__u64 ahead = (word - now) & SOURCE_MARK_MASK;

	return ahead & less_mask(ahead, SOURCE_AHEAD_MAX_NS + 1);
}

/* The addresses that are one source with this one, in the order of the network. */
static __always_inline __u64 hash_source(const __u64 source[2], __u32 bits, __u32 rule, __u32 which)
{
	__u64 high = bits >= 64 ? ~0ULL : bits ? ~0ULL << (64 - bits) : 0;
	__u64 low = bits > 64 ? ~0ULL << ((128 - bits) & 63) : 0;

	return hash_words(&flow_key, source[0] & bpf_cpu_to_be64(high),
			  source[1] & bpf_cpu_to_be64(low), rule << 16 | bits << 8 | which);
}

/* The entry with the tag, else the one whose mark is the least ahead. */
static __always_inline __u32 choose_source(const struct source_set *set, __u16 tag, __u64 now)
{
	__u64 least = ~0ULL >> 1;

	for (__u32 i = 0; i < SOURCE_SET_ENTRIES; i++) {
		if (*(volatile __u64 *)&set->mark[i] >> SOURCE_MARK_BITS == tag)
			return i;
	}
	for (__u32 i = 0; i < SOURCE_SET_ENTRIES; i++) {
		__u64 word = *(volatile __u64 *)&set->mark[i];

		least = smaller(least, ahead_ns(word, now) * SOURCE_SET_ENTRIES + i);
	}
	return least & (SOURCE_SET_ENTRIES - 1);
}

/* A token of one source. Without room for it among others, it has not sent anything yet. */
__noinline bool take_source_token(__u64 hash, __u32 interval_ns, __u64 burst_ns)
{
	__u32 key = hash & (SOURCE_SETS - 1);
	struct source_set *set = bpf_map_lookup_elem(&source_sets, &key);
	__u64 tag = flow_tag(hash);
	__u64 now = now_ns();

	if (!set)
		return true;
#pragma clang loop unroll(disable)
	for (int i = 0; i < TRIES_MAX; i++) {
		__u32 entry = choose_source(set, tag, now);
		__u64 word = *(volatile __u64 *)&set->mark[entry];
		__u64 ahead = word >> SOURCE_MARK_BITS == tag ? ahead_ns(word, now) : 0;
		bool taken = ahead + interval_ns <= burst_ns;
		__u64 next = now + (taken ? ahead + interval_ns : burst_ns);

		/* As in mark_ahead_ns(). */
		if (!taken && ahead <= burst_ns)
			return false;
		next = tag << SOURCE_MARK_BITS | (next & SOURCE_MARK_MASK);
		if (__sync_val_compare_and_swap(&set->mark[entry], word, next) == word)
			return taken;
	}
	return false;
}

/* @source in the order of the network; the shortest prefix of IPv4 has 96 bits here. */
static __always_inline bool take_token_of_source(const struct policy_rule *rule, __u32 id,
						 const __u64 source[2], bool ipv4, __u32 which)
{
	const struct policy_rate *rate = &rule->rate[which];
	__u32 bits = ipv4 ? 96 + rule->source_bits[FAMILY_IPV4] : rule->source_bits[FAMILY_IPV6];

	if (!rate->interval_ns)
		return true;
	return take_source_token(hash_source(source, bits, id, which), rate->interval_ns,
				 rate->burst_ns);
}

/* The rates of packets. The source's first, so that who is above its own takes nothing of others. */
static __always_inline int limit_packet(__u32 policy, __u32 id, const __u64 source[2], bool ipv4)
{
	const struct policy_rule *rule = rule_at(policy, id);

	if (!rule)
		return NEXT;
	if (!take_token_of_source(rule, id, source, ipv4, RATE_SOURCE_PACKETS))
		return drop_by_rule(DROP_SOURCE_RATE, id);
	if (rule->rate[RATE_PACKETS].interval_ns &&
	    !take_token(id, &rule->rate[RATE_PACKETS], RATE_PACKETS))
		return drop_by_rule(DROP_RATE, id);
	return NEXT;
}

/* The rates of new flows; likewise. */
__noinline int limit_new_flow(__u32 policy, __u32 id, __u64 source_high, __u64 source_low,
			      bool ipv4)
{
	const __u64 source[2] = {source_high, source_low};
	const struct policy_rule *rule = rule_at(policy, id);
	const struct policy_rate *rate;

	if (!rule)
		return NEXT;
	if (!take_token_of_source(rule, id, source, ipv4, RATE_SOURCE_NEW_FLOWS))
		return drop_by_rule(DROP_SOURCE_NEW_FLOW_RATE, id);
	rate = &rule->rate[RATE_NEW_FLOWS];
	if (!rate->interval_ns)
		return NEXT;
	if (is_reserved(id, rate) && !is_known(source_high, source_low))
		return drop_by_rule(DROP_NEW_FLOW_RATE, id);
	return take_token(id, rate, RATE_NEW_FLOWS) ? NEXT : drop_by_rule(DROP_NEW_FLOW_RATE, id);
}

#endif
