/* SPDX-License-Identifier: GPL-2.0-only */
/* The latency's part in the adaptive policy: who is slow, by how much, and when that is held to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "user/core/loop_constants.h"
#include "weight_pool.h"

/* Half full, 100 requests a second: 200 in a report. */
static struct report timed(double mean_ms, double median_ms)
{
	return (struct report){.fields = REPORT_CPU | REPORT_RPS | REPORT_LATENCY | REPORT_P50,
			       .cpu_percent = 50,
			       .rps = 100,
			       .latency_ms = mean_ms,
			       .p50_ms = median_ms};
}

/* The first report of each: 200 requests of its own, 5 at the median. */
static void slow_beside_the_others(void **state)
{
	static const struct {
		double mean_ms;
		double median_ms;
		__u32 weight_milli;
		const char *reason;
	} cases[] = {
		{50, 35, 100000, "cpu 50%, mean 50%, capacity x1: x1"},
		/* (200 x 88.4 + 5 x 50) / 205 = 87.46, and 1.75 x 50 = 87.5. */
		{88.4, 999, 100000, "cpu 50%, mean 50%, capacity x1: x1"},
		/* (87.5 / 98.78)^5 */
		{100, 999, 54536, "cpu 50%, mean 50%, capacity x1, 100 ms > 50 x0.55: x0.55"},
		/* (61.25 / 69.146)^5 */
		{999, 70, 54536, "cpu 50%, mean 50%, capacity x1, 70 ms > 35 x0.55: x0.55"},
		{999, 35, 100000, "cpu 50%, mean 50%, capacity x1: x1"},
		{50, 999, 100000, "cpu 50%, mean 50%, capacity x1: x1"},
		{200, 140, 10000, "cpu 50%, mean 50%, capacity x1, 200 ms > 50 x0.1: x0.1"},
		{1, 1, 100000, "cpu 50%, mean 50%, capacity x1: x1"},
		{0, 0, 100000, "cpu 50%, mean 50%, capacity x1: x1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pool pool = {};

		pool_hear(&pool, 0, timed(cases[i].mean_ms, cases[i].median_ms), 2000);
		for (size_t other = 1; other < 4; other++)
			pool_hear(&pool, other, timed(50, 35), 2000);
		pool_decide(&pool, 4, WEIGHT_ADAPTIVE);
		pool_expect(&pool, 0, cases[i].weight_milli, cases[i].reason);
		for (size_t other = 1; other < 4; other++)
			pool_expect(&pool, other, 100000, cases[0].reason);
	}
}

/* What most of them take is the measure, of two what the faster does. */
static void the_median(void **state)
{
	static const struct {
		double ms[4];
		size_t count;
		__u32 weights_milli[4];
	} cases[] = {
		{{50, 200}, 2, {100000, 18182}},
		/* The others would be 91 % full without it, or these: some is forgiven. */
		{{200, 50, 50, 200}, 4, {18182, 100000, 100000, 18182}},
		{{200, 200, 200, 50}, 4, {100000, 100000, 100000, 100000}},
		/* Both ends of what a time can be. */
		{{0, 0, 0, 3600000}, 4, {100000, 100000, 100000, 10000}},
		{{3600000, 3600000, 0, 0.0001}, 4, {18182, 18182, 100000, 100000}},
		/* On both sides of a power of two. */
		{{63, 65, 63, 65}, 4, {100000, 100000, 100000, 100000}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pool pool = {};

		for (size_t node = 0; node < cases[i].count; node++)
			pool_hear(&pool, node, timed(cases[i].ms[node], cases[i].ms[node]), 2000);
		pool_decide(&pool, cases[i].count, WEIGHT_ADAPTIVE);
		for (size_t node = 0; node < cases[i].count; node++)
			assert_int_equal(pool.decisions[node].weight_milli,
					 cases[i].weights_milli[node]);
	}
}

/*
 * Of three nodes at @cpu_percent, one is slow. Without the 0.9 that it loses, two and a tenth do the
 * work of three: cpu_percent / 0.7.
 */
static void room_at_the_others(void **state)
{
	static const struct {
		double cpu_percent;
		__u32 weight_milli;
		const char *reason;
	} cases[] = {
		{62, 10000, "cpu 62%, mean 62%, capacity x1, 500 ms > 50 x0.1: x0.1"},
		{63, 10000, "cpu 63%, mean 63%, capacity x1, 500 ms > 50 x0.1: x0.1"},
		/* 95 % full: half of it. */
		{66.5, 55000, "cpu 67%, mean 67%, capacity x1, 500 ms > 50 x0.55: x0.55"},
		{70, 100000, "cpu 70%, mean 70%, capacity x1: x1"},
		{100, 100000, "cpu 100%, mean 100%, capacity x1: x1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pool pool = {};

		for (size_t node = 0; node < 3; node++) {
			struct report report = timed(node ? 50 : 500, node ? 50 : 500);

			report.cpu_percent = cases[i].cpu_percent;
			pool_hear(&pool, node, report, 2000);
		}
		pool_decide(&pool, 3, WEIGHT_ADAPTIVE);
		pool_expect(&pool, 0, cases[i].weight_milli, cases[i].reason);
	}
}

static struct report few(double rps, double ms)
{
	struct report report = timed(ms, ms);

	report.rps = rps;
	return report;
}

static double mean_ms(const struct pool *pool)
{
	return pool->memories[0].latencies[WEIGHT_LATENCY_MEAN].ms;
}

/* Requests count, not reports; 100 of the past, and fewer as they get old: e^-0.2 of them in 2 s. */
static void averages(void **state)
{
	struct pool pool = {};

	(void)state;
	pool_hear(&pool, 0, few(5, 200), 2000);
	assert_float_equal(mean_ms(&pool), 200, 1e-9);
	/* 10 x 0.8187 of 200 ms, 30 of 50 ms. */
	pool_hear(&pool, 0, few(15, 50), 4000);
	assert_float_equal(mean_ms(&pool), 82.1598, 1e-3);
	/* 400 a report: as many of the past, at most. */
	pool = (struct pool){};
	pool_hear(&pool, 0, few(1000, 50), 2000);
	pool_hear(&pool, 0, few(200, 200), 4000);
	assert_float_equal(mean_ms(&pool), 125, 1e-9);
	/* But 100 beside fewer. */
	pool_hear(&pool, 0, few(25, 50), 6000);
	assert_float_equal(mean_ms(&pool), 100, 1e-9);
	/* Another source says the same again; and one that says less. */
	pool_hear(&pool, 0, few(25, 900), 6000);
	pool_hear(&pool, 0, cpu(50), 8000);
	pool_hear(&pool, 0, few(0, 900), 10000);
	assert_float_equal(mean_ms(&pool), 100, 1e-9);
	/* It does not say of how many: of 100. Those before are e^-0.6 of 150 by now. */
	pool_hear(&pool, 0, (struct report){.fields = REPORT_LATENCY, .latency_ms = 200}, 12000);
	assert_float_equal(mean_ms(&pool), 154.8481, 1e-3);
	/* After an hour nothing of the past counts, and a clock put back adds nothing. */
	pool_hear(&pool, 0, few(1, 70), 3600000);
	assert_float_equal(mean_ms(&pool), 70, 1e-6);
	pool_hear(&pool, 0, few(100, 900), 5000);
	assert_float_equal(mean_ms(&pool), 70, 1e-6);
	weight_pass_time(weight_config_default(), 5000, 0, &pool.memories[0]);
	pool_hear(&pool, 0, few(100, 900), 7000);
	assert_true(mean_ms(&pool) > 800);
}

/* Nobody tells any more how the slow node is, because it gets no requests: it is given a chance. */
static void a_node_that_gets_no_requests(void **state)
{
	static const struct {
		int64_t silent_ms;
		__u32 weight_milli;
	} steps[] = {
		{0, 10000},     {10000, 10000},  {15000, 19988},    {20000, 44933},
		{24000, 87160}, {25000, 100000}, {3600000, 100000},
	};
	struct pool pool = {};

	(void)state;
	pool_hear(&pool, 0, few(10, 200), 2000);
	for (size_t i = 0; i < COUNT(steps); i++) {
		for (size_t other = 1; other < 4; other++)
			pool_hear(&pool, other, timed(50, 50), 2000 + steps[i].silent_ms);
		weight_pass_time(weight_config_default(), 2000 + steps[i].silent_ms, 0,
				 &pool.memories[0]);
		pool.memories[0].capacity = pool.memories[1].capacity;
		pool_decide(&pool, 4, WEIGHT_ADAPTIVE);
		if (abs((int)pool.decisions[0].weight_milli - (int)steps[i].weight_milli) > 1)
			fail_msg("after %lld ms: %u, expected %u", (long long)steps[i].silent_ms,
				 pool.decisions[0].weight_milli, steps[i].weight_milli);
	}
}

/* Where nobody tells how full it is, nobody knows whether there is room; one alone is not slow. */
static void what_is_missing(void **state)
{
	struct pool pool = {};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		pool_hear(&pool, i,
			  (struct report){.fields = REPORT_LATENCY, .latency_ms = i ? 50 : 500},
			  2000);
	pool_decide(&pool, 3, WEIGHT_ADAPTIVE);
	pool_expect(&pool, 0, 100000, "no cpu/utilization given: x1");

	pool = (struct pool){};
	pool_hear(&pool, 0, timed(500, 500), 2000);
	for (size_t i = 1; i < 4; i++)
		pool_hear(&pool, i, cpu(50), 2000);
	pool_decide(&pool, 4, WEIGHT_ADAPTIVE);
	pool_expect(&pool, 0, 100000, "cpu 50%, mean 50%, capacity x1: x1");
	/* Only the mean, or only the median, is enough. */
	for (enum weight_latency_kind kind = 0; kind < WEIGHT_LATENCY_KINDS; kind++) {
		pool = (struct pool){};
		for (size_t i = 0; i < 4; i++) {
			struct report report = timed(i ? 50 : 500, i ? 50 : 500);

			report.fields &=
				kind == WEIGHT_LATENCY_MEAN ? ~REPORT_P50 : ~REPORT_LATENCY;
			pool_hear(&pool, i, report, 2000);
		}
		pool_decide(&pool, 4, WEIGHT_ADAPTIVE);
		pool_expect(&pool, 0, 10000,
			    "cpu 50%, mean 50%, capacity x1, 500 ms > 50 x0.1: x0.1");
	}
}

/* Each by its name in a configuration; an exponent of 0 ends it all. */
static void constants(void **state)
{
	static const struct {
		const char *assignment;
		__u32 weight_milli;
	} cases[] = {
		{"adaptive.latency_slack=1.75", 54536},
		/* The credited 98.78 ms beside 90: (90 / 98.78)^5. */
		{"adaptive.latency_slack=1.8", 62785},
		{"adaptive.latency_slack=2", 100000},
		{"adaptive.latency_exponent=0", 100000},
		{"adaptive.latency_exponent=1", 88580},
		{"adaptive.latency_floor=0.6", 60000},
		{"adaptive.latency_floor=7", 100000},
		/* 200 of 205 or of 400 requests: 75 ms. */
		{"adaptive.latency_doubt=200", 100000},
		/*
		 * The others would be (4 x 0.5) / (3 + 0.545) = 56 % full.
		 * The last one beside the one before.
		 */
		{"adaptive.crowded_from=0.5", 60366},
		{"adaptive.crowded_until=0.6", 83686},
	};
	struct loop_config config;
	struct text_error error;
	struct pool pool = {};

	(void)state;
	for (size_t node = 0; node < 4; node++)
		pool_hear(&pool, node, timed(node ? 50 : 100, node ? 50 : 100), 2000);
	pool_decide(&pool, 4, WEIGHT_ADAPTIVE);
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (i != COUNT(cases) - 1)
			config = loop_config_default();
		assert_int_equal(loop_constant_set(&config, cases[i].assignment, &error), 0);
		weight_decide(WEIGHT_ADAPTIVE, &config.weight, "", 0, pool.inputs, 4,
			      pool.decisions);
		if (pool.decisions[0].weight_milli != cases[i].weight_milli)
			fail_msg("%s: %u, expected %u", cases[i].assignment,
				 pool.decisions[0].weight_milli, cases[i].weight_milli);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_beside_the_others),
		cmocka_unit_test(the_median),
		cmocka_unit_test(room_at_the_others),
		cmocka_unit_test(averages),
		cmocka_unit_test(a_node_that_gets_no_requests),
		cmocka_unit_test(constants),
		cmocka_unit_test(what_is_missing),
	};

	return cmocka_run_group_tests_name("weight_latency", tests, NULL, NULL);
}
