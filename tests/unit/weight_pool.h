/* SPDX-License-Identifier: GPL-2.0-only */
/* Backends of one service with their memories, for the tests of policies. */
#ifndef SLUICE_TESTS_UNIT_WEIGHT_POOL_H
#define SLUICE_TESTS_UNIT_WEIGHT_POOL_H

#include <string.h>

#include "user/core/weight.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Backends of one service, base weight 100 each. */
struct pool {
	struct report reports[4];
	struct weight_memory memories[4];
	struct weight_input inputs[4];
	struct weight_decision decisions[4];
};

static inline struct report cpu(double percent)
{
	return (struct report){.fields = REPORT_CPU, .cpu_percent = percent};
}

static inline struct report cpu_and_rps(double percent, double rps)
{
	return (struct report){
		.fields = REPORT_CPU | REPORT_RPS, .cpu_percent = percent, .rps = rps};
}

static inline void pool_hear(struct pool *pool, size_t i, struct report report, int64_t now_ms)
{
	pool->reports[i] = report;
	pool->inputs[i].report = &pool->reports[i];
	weight_observe(weight_config_default(), &report, now_ms, &pool->memories[i]);
}

static inline void pool_decide(struct pool *pool, size_t count, enum weight_policy policy)
{
	for (size_t i = 0; i < count; i++) {
		pool->inputs[i].base_weight = 100;
		pool->inputs[i].memory = &pool->memories[i];
	}
	weight_decide(policy, weight_config_default(), "", 0, pool->inputs, count, pool->decisions);
	for (size_t i = 0; i < count; i++)
		pool->inputs[i].weight_milli = pool->decisions[i].weight_milli;
}

static inline void pool_expect(const struct pool *pool, size_t i, __u32 milli, const char *reason)
{
	if (pool->decisions[i].weight_milli != milli || strcmp(pool->decisions[i].reason, reason))
		fail_msg("%zu: %u \"%s\", expected %u \"%s\"", i, pool->decisions[i].weight_milli,
			 pool->decisions[i].reason, milli, reason);
}

#endif
