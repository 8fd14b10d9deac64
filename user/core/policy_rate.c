/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy_rate.h"

#define SECOND_NS 1000000000ULL

static __u64 max(__u64 a, __u64 b)
{
	return a > b ? a : b;
}

static __u64 min(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

/*
 * Half of the burst of new flows is kept for sources that are known. The other half must have room
 * for a token, or nobody would ever become known.
 */
static __u64 tokens_min(enum rule_rate rate)
{
	return rate == RATE_NEW_FLOWS || rate == RATE_SOURCE_NEW_FLOWS ? 2 : 1;
}

/* What one tick brings is enough: more is not gained by taking more. */
static __u32 batch(const struct policy_rate *rate, __u64 tick_ns, __u32 cpu_count)
{
	__u64 tokens = rate->burst_ns / rate->interval_ns / POLICY_BATCH_PARTS / max(cpu_count, 1);

	tokens = min(tokens, tick_ns / rate->interval_ns);
	return max(min(tokens, POLICY_BATCH_MAX), 1);
}

struct policy_rate policy_rate(enum rule_rate rate, __u32 per_second, __u32 burst_ms, __u64 tick_ns,
			       __u32 cpu_count)
{
	struct policy_rate made = {};

	if (!per_second)
		return made;
	made.interval_ns = (SECOND_NS + per_second / 2) / per_second;
	made.burst_ns = max(burst_ms * 1000000ULL, POLICY_BURST_TICKS_MIN * tick_ns);
	made.burst_ns = max(made.burst_ns, tokens_min(rate) * made.interval_ns);
	made.batch = 1;
	if (rate == RATE_PACKETS || rate == RATE_NEW_FLOWS)
		made.batch = batch(&made, tick_ns, cpu_count);
	return made;
}
