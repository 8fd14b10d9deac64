/* SPDX-License-Identifier: GPL-2.0-only */
/* The policies that remember: adaptive and decay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "weight_pool.h"

/* The first report is its own average: U = 0.5, the roots of 0.5 / 0.8 and 0.5 / 0.2. */
static void adaptive_root(void **state)
{
	struct pool pool = {};

	(void)state;
	pool_hear(&pool, 0, cpu(80), 0);
	pool_hear(&pool, 1, cpu(20), 0);
	pool_decide(&pool, 2, WEIGHT_ADAPTIVE);
	pool_expect(&pool, 0, 79057, "cpu 80%, mean 50%: x0.79");
	pool_expect(&pool, 1, 150000, "cpu 20%, mean 50%: x1.5");

	/* Drowning, and small beside the other: both limits, 0.25 to the power of 0.9 x 0.25. */
	pool = (struct pool){};
	pool_hear(&pool, 0, cpu_and_rps(20, 100000), 0);
	pool_hear(
		&pool, 1,
		(struct report){.fields = REPORT_APPLICATION_UTILIZATION | REPORT_CPU | REPORT_RPS,
				.application_utilization = 50,
				.cpu_percent = 1,
				.rps = 1},
		0);
	pool_decide(&pool, 2, WEIGHT_ADAPTIVE);
	pool_expect(&pool, 1, 7179, "util 5000%, mean 20%, capacity x0.29: x0.07");
	/* All idle are alike. */
	pool = (struct pool){};
	pool_hear(&pool, 0, cpu(0), 0);
	pool_hear(&pool, 1, cpu(4), 0);
	pool_decide(&pool, 2, WEIGHT_ADAPTIVE);
	assert_int_equal(pool.decisions[0].weight_milli, 100000);
	assert_int_equal(pool.decisions[1].weight_milli, 100000);
}

/* 1000 and 250 requests a second when full: 1.6 and 0.4 of the mean, each to the power of 0.9. */
static void adaptive_capacity(void **state)
{
	struct pool pool = {};

	(void)state;
	pool_hear(&pool, 0, cpu_and_rps(50, 500), 0);
	pool_hear(&pool, 1, cpu_and_rps(50, 125), 0);
	pool_decide(&pool, 2, WEIGHT_ADAPTIVE);
	pool_expect(&pool, 0, 152654, "cpu 50%, mean 50%, capacity x1.53: x1.53");
	pool_expect(&pool, 1, 43838, "cpu 50%, mean 50%, capacity x0.44: x0.44");

	/* What the application counts goes first, and failures are no throughput. */
	pool = (struct pool){};
	pool_hear(&pool, 0,
		  (struct report){.fields = REPORT_CPU | REPORT_RPS | REPORT_RPS_FRACTIONAL,
				  .cpu_percent = 50,
				  .rps = 1,
				  .rps_fractional = 400.5},
		  0);
	pool_hear(&pool, 1,
		  (struct report){.fields = REPORT_CPU | REPORT_RPS | REPORT_EPS,
				  .cpu_percent = 50,
				  .rps = 801,
				  .eps = 400.5},
		  0);
	assert_true(pool.memories[0].capacity == 801);
	assert_true(pool.memories[1].capacity == 801);
	assert_true(pool.memories[0].utilisation == 0.5);
	assert_true(pool.memories[1].utilisation == 1);
	/* A node that fails everything is not idle. */
	pool_hear(&pool, 2,
		  (struct report){.fields = REPORT_CPU | REPORT_RPS | REPORT_EPS,
				  .cpu_percent = 1,
				  .rps = 9000,
				  .eps = 9000},
		  0);
	pool_decide(&pool, 3, WEIGHT_ADAPTIVE);
	assert_true(pool.decisions[2].weight_milli < 50000);
}

/* The parts of a new report: 0.5 of utilisation, 0.3 of capacity, less for what may be noise. */
static void averages(void **state)
{
	struct pool pool = {};

	(void)state;
	pool_hear(&pool, 0, cpu_and_rps(40, 400), 1000);
	pool_hear(&pool, 0, cpu_and_rps(80, 400), 3000);
	assert_float_equal(pool.memories[0].utilisation, 0.6, 1e-9);
	assert_float_equal(pool.memories[0].capacity, 1000 - 0.3 * 500, 1e-9);
	/* At once again: a report from another source, that says nothing new. */
	pool_hear(&pool, 0, cpu_and_rps(10, 400), 3000);
	assert_float_equal(pool.memories[0].utilisation, 0.6, 1e-9);
	/* Half an interval: 1 - sqrt(0.5) of it. */
	pool_hear(&pool, 0, cpu(20), 4000);
	assert_float_equal(pool.memories[0].utilisation, 0.6 - 0.4 * 0.29289322, 1e-6);
	/* An hour later only the new one counts; an hour back it still adds nothing. */
	pool_hear(&pool, 0, cpu(90), 3604000);
	assert_float_equal(pool.memories[0].utilisation, 0.9, 1e-6);
	pool_hear(&pool, 0, cpu(10), 5000);
	assert_float_equal(pool.memories[0].utilisation, 0.9, 1e-6);
	pool_hear(&pool, 0, cpu(10), 7000);
	assert_float_equal(pool.memories[0].utilisation, 0.5, 1e-6);
	/* 10 % off, of a noise of 25 %: 0.4 of the part. */
	pool_hear(&pool, 0, cpu(55), 9000);
	assert_float_equal(pool.memories[0].utilisation, 0.51, 1e-6);

	/* Full: what it does is what it can do, and 0.7 of it counts. */
	pool = (struct pool){};
	pool_hear(&pool, 0, cpu_and_rps(50, 500), 0);
	pool_hear(&pool, 0, cpu_and_rps(100, 250), 2000);
	assert_float_equal(pool.memories[0].capacity, 1000 - 0.7 * 750, 1e-9);
	/* Idle: a quotient of noise, that does not count. */
	pool_hear(&pool, 0, cpu_and_rps(4, 90), 4000);
	assert_float_equal(pool.memories[0].capacity, 475, 1e-9);
	/* Busy with something else: as well. Full of it: it can do nothing for requests. */
	pool_hear(&pool, 0, cpu_and_rps(60, 0), 6000);
	assert_float_equal(pool.memories[0].capacity, 475, 1e-9);
	pool_hear(&pool, 0, cpu_and_rps(100, 0), 8000);
	assert_float_equal(pool.memories[0].capacity, 475 - 0.7 * 475, 1e-9);
}

static struct report queue(double cpu_percent, double inflight, double workers)
{
	return (struct report){.fields = REPORT_CPU | REPORT_INFLIGHT | REPORT_WORKERS,
			       .cpu_percent = cpu_percent,
			       .inflight = inflight,
			       .workers = workers};
}

/* Above 0.9 it counts: after three reports, or at once when it is no bunch. */
static void queues(void **state)
{
	struct pool pool = {};
	struct report no_cpu = queue(0, 4, 8);

	(void)state;
	for (int64_t i = 0; i < 2; i++)
		pool_hear(&pool, 0, queue(50, 8, 8), i * 2000);
	assert_true(pool.memories[0].utilisation == 0.5);
	pool_hear(&pool, 0, queue(50, 7, 8), 4000);
	for (int64_t i = 3; i < 5; i++)
		pool_hear(&pool, 0, queue(50, 8, 8), i * 2000);
	assert_true(pool.memories[0].utilisation == 0.5);
	pool_hear(&pool, 0, queue(50, 12, 8), 10000);
	assert_float_equal(pool.memories[0].utilisation, 0.75, 1e-9);
	assert_int_equal(pool.memories[0].source, WEIGHT_SOURCE_QUEUE);
	/* No more than the CPU says is no news. */
	pool_hear(&pool, 0, queue(95, 7.4, 8), 12000);
	assert_int_equal(pool.memories[0].source, WEIGHT_SOURCE_CPU);

	pool_hear(&pool, 1, queue(50, 5, 10), 0);
	pool_hear(&pool, 1, queue(50, 30, 10), 2000);
	assert_float_equal(pool.memories[1].utilisation, 0.75, 1e-9);

	/* Where there is nothing else, all of it counts, slowly. */
	no_cpu.fields &= ~REPORT_CPU;
	pool_hear(&pool, 2, no_cpu, 0);
	assert_float_equal(pool.memories[2].utilisation, 0.5, 1e-9);
	no_cpu.inflight = 8;
	pool_hear(&pool, 2, no_cpu, 2000);
	assert_float_equal(pool.memories[2].utilisation, 0.575, 1e-9);
	no_cpu.workers = 0;
	pool_hear(&pool, 3, no_cpu, 0);
	assert_false(pool.memories[3].has_utilisation);
}

static void decay(void **state)
{
	static const struct {
		int64_t now_ms;
		double cpu_percent; /* under 0: no report */
		__u32 weight_milli;
		const char *reason;
	} steps[] = {
		{0, 0, 100000, "load 0%, calm: x1"},
		{2000, 80, 72000, "load 40%, calm: x0.72"},
		{4000, 90, 48000, "load 65%, normal: x0.48"},
		/* At 0.9 is not above it. */
		{60000, 90, 28000, "load 90%, normal: x0.28"},
		{160000, 100, 20000, "load 100%, normal: x0.2"},
		{162999, -1, 20000, "load 100%, normal: x0.2"},
		{163000, -1, 10000, "load 100%, harsh: x0.1 (floor)"},
		{165000, 91, 10000, "load 96%, harsh: x0.1 (floor)"},
		/* No longer above 0.9. */
		{265000, 55, 56000, "load 55%, normal: x0.56"},
		{365000, 50, 60000, "load 50%, normal: x0.6"},
		{465000, 49.9, 65070, "load 50%, calm: x0.651"},
		{565000, 59, 58700, "load 59%, calm: x0.587"},
		{665000, 65, 48000, "load 65%, normal: x0.48"},
	};
	struct pool pool = {};

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		if (steps[i].cpu_percent >= 0)
			pool_hear(&pool, 0, cpu(steps[i].cpu_percent), steps[i].now_ms);
		weight_pass_time(weight_config_default(), steps[i].now_ms, 0, &pool.memories[0]);
		pool_decide(&pool, 1, WEIGHT_DECAY);
		pool_expect(&pool, 0, steps[i].weight_milli, steps[i].reason);
	}
	/* Memory counts where it is the tighter. */
	pool = (struct pool){};
	pool_hear(&pool, 0,
		  (struct report){
			  .fields = REPORT_CPU | REPORT_MEM, .cpu_percent = 10, .mem_percent = 50},
		  0);
	pool_decide(&pool, 1, WEIGHT_DECAY);
	pool_expect(&pool, 0, 65000, "load 50%, calm: x0.65");
}

/* The clock put back in the middle: it starts to count again, and ends. */
static void hot_across_clock_jumps(void **state)
{
	struct pool pool = {};

	(void)state;
	pool_hear(&pool, 0, cpu(99), 3600000);
	pool_hear(&pool, 0, cpu(99), 1000);
	weight_pass_time(weight_config_default(), 1000, 0, &pool.memories[0]);
	weight_pass_time(weight_config_default(), 3999, 0, &pool.memories[0]);
	assert_int_equal(pool.memories[0].load_state, WEIGHT_NORMAL);
	weight_pass_time(weight_config_default(), 4000, 0, &pool.memories[0]);
	assert_int_equal(pool.memories[0].load_state, WEIGHT_HARSH);
}

static void what_is_missing(void **state)
{
	struct pool pool = {};

	(void)state;
	pool_hear(&pool, 0, (struct report){.fields = 0}, 0);
	pool_hear(&pool, 1, cpu(50), 0);
	pool_decide(&pool, 3, WEIGHT_ADAPTIVE);
	pool_expect(&pool, 0, 100000, "no cpu/utilization given: x1");
	pool_expect(&pool, 1, 100000, "cpu 50%, mean 50%: x1");
	pool_expect(&pool, 2, 0, "no report from its node");
	pool_decide(&pool, 3, WEIGHT_DECAY);
	pool_expect(&pool, 0, 100000, "no cpu/mem/utilization given: x1");
}

/* A command sees one report, and says so. */
static void without_a_memory(void **state)
{
	struct pool pool = {};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		pool.reports[i] = cpu(i ? 20 : 95);
		pool.inputs[i].base_weight = 100;
		pool.inputs[i].report = &pool.reports[i];
	}
	weight_decide(WEIGHT_ADAPTIVE, weight_config_default(), "", 0, pool.inputs, 2,
		      pool.decisions);
	pool_expect(&pool, 0, 77799, "cpu 95%, mean 57%: x0.78, not averaged");
	weight_decide(WEIGHT_DECAY, weight_config_default(), "", 0, pool.inputs, 2, pool.decisions);
	pool_expect(&pool, 0, 24000, "load 95%, normal: x0.24, not averaged, never harsh");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adaptive_root),   cmocka_unit_test(adaptive_capacity),
		cmocka_unit_test(averages),        cmocka_unit_test(queues),
		cmocka_unit_test(decay),           cmocka_unit_test(hot_across_clock_jumps),
		cmocka_unit_test(what_is_missing), cmocka_unit_test(without_a_memory),
	};

	return cmocka_run_group_tests_name("weight_memory", tests, NULL, NULL);
}
