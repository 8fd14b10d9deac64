/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule's rates as the packet path wants them. */
#ifndef SLUICE_CORE_POLICY_RATE_H
#define SLUICE_CORE_POLICY_RATE_H

#include "policy.h"

/* What a burst is worth at least, in tokens, and in ticks: buckets are filled by ticks. */
#define POLICY_BURST_TICKS_MIN 2

/* Tokens that a CPU takes at once, at most; all CPUs together take at most 1/20 of the burst so. */
#define POLICY_BATCH_MAX   64
#define POLICY_BATCH_PARTS 20

/* Zeros for a rate that is not set. @rate tells which of the rule's @per_second it is. */
struct policy_rate policy_rate(enum rule_rate rate, __u32 per_second, __u32 burst_ms, __u64 tick_ns,
			       __u32 cpu_count);

#endif
