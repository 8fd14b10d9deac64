/* SPDX-License-Identifier: GPL-2.0-only */
/* weight_decide() around the policies: regions, missing reports, many backends, names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/weight.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NOW_MS     1795165200000LL
#define OWN_REGION "cn-shanghai-1"
#define OTHER      "cn-beijing-1"

/* Of a node that is perfect otherwise, so that its region alone makes the weight. */
static void regions(void **state)
{
	static const struct {
		const char *own;
		const char *reported;
		const char *configured;
		__u32 edge_milli;
		__u32 score_milli;
	} cases[] = {
		{OWN_REGION, OWN_REGION, NULL, 130000, 100000},
		{OWN_REGION, OTHER, NULL, 100000, 60000},
		{OWN_REGION, NULL, NULL, 100000, 100000},
		{OWN_REGION, NULL, "", 100000, 100000},
		{OWN_REGION, NULL, OWN_REGION, 130000, 100000},
		{OWN_REGION, NULL, OTHER, 100000, 60000},
		/* What the node says goes before what is configured. */
		{OWN_REGION, OTHER, OWN_REGION, 100000, 60000},
		{OWN_REGION, OWN_REGION, OTHER, 130000, 100000},
		{OWN_REGION, "cn-shanghai", NULL, 100000, 60000},
		/* A balancer without a region is at home nowhere. */
		{"", OWN_REGION, NULL, 100000, 100000},
		{"", NULL, OTHER, 100000, 100000},
		{"", NULL, NULL, 100000, 100000},
		{"", NULL, "", 100000, 100000},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct report report = {.node = "edge-1"};
		struct weight_input input = {
			.base_weight = 100, .region = cases[i].configured, .report = &report};
		struct weight_decision edge, score;

		if (cases[i].reported) {
			strcpy(report.region, cases[i].reported);
			report.fields |= REPORT_REGION;
		}
		weight_decide(WEIGHT_EDGE, weight_config_default(), cases[i].own, NOW_MS, &input, 1,
			      &edge);
		weight_decide(WEIGHT_SCORE, weight_config_default(), cases[i].own, NOW_MS, &input,
			      1, &score);
		if (edge.weight_milli != cases[i].edge_milli ||
		    score.weight_milli != cases[i].score_milli)
			fail_msg("case %zu: edge %u, score %u", i, edge.weight_milli,
				 score.weight_milli);
	}
}

/* Any report: a weight within bounds, a reason that fits and shows where it was cut. */
static void random_reports(void **state)
{
	static const double latencies[] = {0, 49.9999999, 50.0000001, 123456.789, 3599999.9999999};
	static const double percents[] = {0, 64.9999999, 65.0000001, 84.9999999, 100};
	struct weight_decision decision;
	struct weight_input input;
	struct report report;
	unsigned int cuts = 0;

	(void)state;
	srandom(1);
	for (int round = 0; round < 50000; round++) {
		report = (struct report){
			.fields = random() & 0x7ffff,
			.latency_ms = latencies[random() % COUNT(latencies)],
			.cpu_percent = random() % 2 ? percents[random() % COUNT(percents)]
						    : random() % 100001 / 1000.0,
			.mem_percent = percents[random() % COUNT(percents)],
			.last_seen_ms = NOW_MS - random() % 20000,
			.region = OWN_REGION,
			.application_utilization = random() % 200 / 100.0,
			.application_weight_percent = random() % 131,
			.rps = random() % 1000,
			.eps = random() % 1000,
			.inflight = random() % 100,
			.workers = random() % 9,
		};
		input = (struct weight_input){.base_weight = random(), .report = &report};
		weight_decide(random() % WEIGHT_POLICIES, weight_config_default(), OWN_REGION,
			      NOW_MS, &input, 1, &decision);

		assert_true(decision.weight_milli <= input.base_weight * 1300u);
		assert_non_null(memchr(decision.reason, '\0', REASON_BYTES));
		assert_true(strlen(decision.reason) >= 5);
		assert_null(strstr(decision.reason, "  "));
		if (strstr(decision.reason, "...")) {
			cuts++;
			assert_string_equal(strstr(decision.reason, " ..."), " ...");
		}
	}
	assert_in_range(cuts, 100, 25000);
}

static void without_report(void **state)
{
	const struct weight_input inputs[] = {
		{.base_weight = 100, .weight_milli = 35000},
		{.base_weight = 100, .weight_milli = 0},
		{.base_weight = 0, .weight_milli = 0},
		{.base_weight = 0, .weight_milli = 35000},
	};
	struct weight_decision decisions[COUNT(inputs)];

	(void)state;
	for (int policy = 0; policy < WEIGHT_POLICIES; policy++) {
		weight_decide(policy, weight_config_default(), OWN_REGION, NOW_MS, inputs,
			      COUNT(inputs), decisions);
		assert_int_equal(decisions[0].weight_milli, 35000);
		assert_false(decisions[0].changed);
		assert_string_equal(decisions[0].reason, "no report from its node");
		assert_int_equal(decisions[1].weight_milli, 0);
		assert_false(decisions[1].changed);
		assert_string_equal(decisions[1].reason, "no report from its node");
		assert_int_equal(decisions[2].weight_milli, 0);
		assert_false(decisions[2].changed);
		assert_string_equal(decisions[2].reason, "base weight 0");
		assert_int_equal(decisions[3].weight_milli, 0);
		assert_true(decisions[3].changed);
	}
}

/* Several at once, each by itself; `changed` is against the weight now. */
static void a_service(void **state)
{
	const struct report report = {
		.fields = REPORT_LATENCY | REPORT_CPU | REPORT_LAST_SEEN,
		.latency_ms = 62,
		.cpu_percent = 10,
		.last_seen_ms = NOW_MS,
	};
	const struct weight_input inputs[] = {
		{.base_weight = 100, .weight_milli = 100000, .report = &report},
		{.base_weight = 100, .weight_milli = 50000, .report = &report},
		{.base_weight = 100, .weight_milli = 100000},
		{.base_weight = 100,
		 .weight_milli = 50000,
		 .region = OWN_REGION,
		 .report = &report},
	};
	struct weight_decision decisions[COUNT(inputs) + 1];

	(void)state;
	memset(decisions, 0xff, sizeof(decisions));
	weight_decide(WEIGHT_EDGE, weight_config_default(), OWN_REGION, NOW_MS, inputs,
		      COUNT(inputs), decisions);
	assert_int_equal(decisions[0].weight_milli, 50000);
	assert_true(decisions[0].changed);
	assert_int_equal(decisions[1].weight_milli, 50000);
	assert_false(decisions[1].changed);
	assert_string_equal(decisions[1].reason, "latency 62 ms > 50: x0.5");
	assert_int_equal(decisions[2].weight_milli, 100000);
	assert_false(decisions[2].changed);
	assert_int_equal(decisions[3].weight_milli, 80000);
	assert_true(decisions[3].changed);
	assert_int_equal(decisions[4].weight_milli, UINT32_MAX);
}

static void policy_names(void **state)
{
	static const char *const unknown[] = {"", "edg", "edges", "Edge", " edge", "adaptative"};
	enum weight_policy policy;

	(void)state;
	assert_int_equal(weight_policy_parse("edge", &policy), 0);
	assert_int_equal(policy, WEIGHT_EDGE);
	assert_int_equal(weight_policy_parse("probe", &policy), 0);
	assert_int_equal(policy, WEIGHT_PROBE);
	assert_int_equal(weight_policy_parse("score", &policy), 0);
	assert_int_equal(policy, WEIGHT_SCORE);
	for (size_t i = 0; i < COUNT(unknown); i++) {
		if (weight_policy_parse(unknown[i], &policy) != -EINVAL || policy != WEIGHT_SCORE)
			fail_msg("\"%s\" accepted", unknown[i]);
	}
	for (int i = 0; i < WEIGHT_POLICIES; i++) {
		assert_int_equal(weight_policy_parse(weight_policy_name(i), &policy), 0);
		assert_int_equal(policy, i);
	}
	assert_string_equal(weight_policy_name(WEIGHT_ADAPTIVE), "adaptive");
	assert_string_equal(weight_policy_name(WEIGHT_DECAY), "decay");
	assert_string_equal(weight_policy_name(WEIGHT_EDGE), "edge");
	assert_string_equal(weight_policy_name(WEIGHT_PROBE), "probe");
	assert_string_equal(weight_policy_name(WEIGHT_SCORE), "score");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regions),        cmocka_unit_test(random_reports),
		cmocka_unit_test(without_report), cmocka_unit_test(a_service),
		cmocka_unit_test(policy_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
