/* SPDX-License-Identifier: GPL-2.0-only */
/* What becomes of reports that are stale, of wishes, and of numbers that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "weight_pool.h"

/* After 10 s the mean of the others' factors of that moment, after 30 s the base weight. */
static void stale_reports(void **state)
{
	struct pool pool = {};

	(void)state;
	pool_hear(&pool, 0, cpu(90), 0);
	pool_hear(&pool, 1, cpu(25), 0);
	pool_hear(&pool, 2, cpu(75), 0);
	pool.memories[0].age_ms = 10000;
	pool_decide(&pool, 3, WEIGHT_PROBE);
	pool_expect(&pool, 0, 10000, "cpu 90%: x0.1, no latency/mem given");
	pool.memories[0].age_ms = 10001;
	pool_decide(&pool, 3, WEIGHT_PROBE);
	pool_expect(&pool, 0, 50000, "report 10.001 s old: frozen at x0.5");
	pool_hear(&pool, 1, cpu(0), 12000);
	pool.memories[0].age_ms = 30000;
	pool_decide(&pool, 3, WEIGHT_PROBE);
	pool_expect(&pool, 0, 50000, "report 30 s old: frozen at x0.5");
	pool.memories[0].age_ms = 31000;
	pool_decide(&pool, 3, WEIGHT_PROBE);
	pool_expect(&pool, 0, 100000, "report 31 s old: base weight");
	/* Back, and away again: the mean is another one. */
	pool_hear(&pool, 0, cpu(90), 40000);
	pool_decide(&pool, 3, WEIGHT_PROBE);
	pool_expect(&pool, 0, 10000, "cpu 90%: x0.1, no latency/mem given");
	pool.memories[0].age_ms = 11000;
	pool_decide(&pool, 3, WEIGHT_PROBE);
	pool_expect(&pool, 0, 62500, "report 11 s old: frozen at x0.63");

	/* Nobody else is fresh: it freezes where it is. edge has a rule of its own. */
	pool.memories[1].age_ms = pool.memories[2].age_ms = 12000;
	pool.memories[0] = (struct weight_memory){.age_ms = 12000};
	pool.inputs[0].weight_milli = 77000;
	pool_decide(&pool, 3, WEIGHT_SCORE);
	pool_expect(&pool, 0, 77000, "report 12 s old: frozen at x0.77");
	pool_decide(&pool, 3, WEIGHT_EDGE);
	pool_expect(&pool, 0, 0, "report 12 s old > 10: weight 0");
	/* A node that never reported. */
	pool.inputs[0] = (struct weight_input){.weight_milli = 5000};
	pool.memories[0].age_ms = 30000;
	pool_decide(&pool, 1, WEIGHT_ADAPTIVE);
	pool_expect(&pool, 0, 5000, "no report from its node");
	pool.memories[0].age_ms = 31000;
	pool_decide(&pool, 1, WEIGHT_ADAPTIVE);
	pool_expect(&pool, 0, 100000, "no report for 31 s: base weight");
}

/* Of a command: the age is by last_seen, and others have to be fresh for it to count. */
static void stale_reports_without_a_memory(void **state)
{
	static const struct {
		double age_s[2];
		__u32 weight_milli;
		const char *reason;
	} cases[] = {
		{{10, 0}, 10000, "cpu 90%: x0.1, no latency/mem given"},
		{{11, 0}, 80000, "report 11 s old: frozen at x0.8"},
		{{31, 0}, 100000, "report 31 s old: base weight"},
		{{11, 99}, 42000, "report 11 s old, no fresh one: kept"},
		{{1e9, 99}, 42000, "report 1000000000 s old, no fresh one: kept"},
	};
	const int64_t now_ms = 1795165200000LL;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pool pool = {};

		for (size_t j = 0; j < 2; j++) {
			pool.reports[j] = cpu(j ? 20 : 90);
			pool.reports[j].fields |= REPORT_LAST_SEEN;
			pool.reports[j].last_seen_ms = now_ms - llround(cases[i].age_s[j] * 1000);
			pool.inputs[j] = (struct weight_input){.base_weight = 100,
							       .weight_milli = 42000,
							       .report = &pool.reports[j]};
		}
		weight_decide(WEIGHT_PROBE, weight_config_default(), "", now_ms, pool.inputs, 2,
			      pool.decisions);
		pool_expect(&pool, 0, cases[i].weight_milli, cases[i].reason);
	}
}

static void application_weight(void **state)
{
	struct pool pool = {};
	struct report report = cpu(90);

	(void)state;
	report.fields |= REPORT_APPLICATION_WEIGHT;
	report.application_weight_percent = 40;
	pool_hear(&pool, 0, report, 0);
	for (int policy = 0; policy < WEIGHT_POLICIES; policy++) {
		pool.memories[0].age_ms = 0;
		pool_decide(&pool, 1, policy);
		pool_expect(&pool, 0, 40000, "application asks for 40%");
	}
	pool.memories[0].age_ms = 11000;
	pool_decide(&pool, 1, WEIGHT_EDGE);
	pool_expect(&pool, 0, 0, "report 11 s old > 10: weight 0");
	report.application_weight_percent = 0;
	pool_hear(&pool, 0, report, 0);
	pool_decide(&pool, 1, WEIGHT_ADAPTIVE);
	pool_expect(&pool, 0, 0, "application asks for 0%");
}

/* In place of the CPU, which idles. */
static void application_utilization(void **state)
{
	struct report report = {.fields = REPORT_APPLICATION_UTILIZATION | REPORT_LATENCY,
				.application_utilization = 0.64};
	struct pool pool = {};

	(void)state;
	pool_hear(&pool, 0, report, 0);
	pool_decide(&pool, 1, WEIGHT_EDGE);
	pool_expect(&pool, 0, 100000, "healthy: x1");
	pool_decide(&pool, 1, WEIGHT_PROBE);
	pool_expect(&pool, 0, 36000, "latency 0 ms, util 64%: x0.36, no mem given");
	report.fields |= REPORT_CPU;
	report.application_utilization = 0.7;
	pool_hear(&pool, 0, report, 2000);
	pool_decide(&pool, 1, WEIGHT_EDGE);
	pool_expect(&pool, 0, 70000, "util 70% >= 65: x0.7");
}

/* Whatever numbers come in, weights stay within what policies can give. */
static void hostile_numbers(void **state)
{
	static const double numbers[] = {NAN, INFINITY, -INFINITY, -1, 0, 1e308, 5e-324, 50};
	struct pool pool = {};
	int64_t now_ms = 0;

	(void)state;
	srandom(7);
	for (int round = 0; round < 30000; round++) {
		size_t i = round & 3;
		struct report report = {.fields = random()};
		double *fields = &report.cpu_percent;

		for (size_t j = 0; j < (offsetof(struct report, last_seen_ms) -
					offsetof(struct report, cpu_percent)) /
					       sizeof(double);
		     j++)
			fields[j] = numbers[random() % COUNT(numbers)];
		report.fields &= ~REPORT_APPLICATION_WEIGHT;
		report.fields &= ~REPORT_REGION;
		now_ms += random() % 4000 - 1000;
		pool_hear(&pool, i, report, now_ms);
		weight_pass_time(weight_config_default(), now_ms, random() % 40000,
				 &pool.memories[i]);
		if (round < 4)
			continue;
		for (int policy = 0; policy < WEIGHT_POLICIES; policy++) {
			pool_decide(&pool, 4, policy);
			for (size_t j = 0; j < 4; j++) {
				if (pool.decisions[j].weight_milli > 600000)
					fail_msg("round %d, %s: %u, %s", round,
						 weight_policy_name(policy),
						 pool.decisions[j].weight_milli,
						 pool.decisions[j].reason);
			}
			assert_true(isfinite(pool.memories[i].utilisation));
			assert_true(isfinite(pool.memories[i].capacity));
			assert_true(isfinite(pool.memories[i].load));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stale_reports),
		cmocka_unit_test(stale_reports_without_a_memory),
		cmocka_unit_test(application_weight),
		cmocka_unit_test(application_utilization),
		cmocka_unit_test(hostile_numbers),
	};

	return cmocka_run_group_tests_name("weight_stale", tests, NULL, NULL);
}
