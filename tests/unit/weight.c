/* SPDX-License-Identifier: GPL-2.0-only */
/* What each policy makes of one report, threshold by threshold, and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "user/core/weight.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NOW_MS     1795165200000LL
#define OWN_REGION "cn-shanghai-1"
#define OTHER      "cn-beijing-1"
#define ABSENT     -1.0

/* What a node reports, and what is to come of it. Numbers may be ABSENT, the region NULL. */
struct example {
	const char *name;
	__u16 base_weight;
	double latency_ms;
	double cpu_percent;
	double mem_percent;
	double age_s;
	const char *reported_region;
	__u32 weight_milli;
	const char *reason;
};

static void set_number(struct report *report, double *field, enum report_field bit, double value)
{
	if (value == ABSENT)
		return;
	*field = value;
	report->fields |= bit;
}

static struct report report_of(const struct example *example)
{
	struct report report = {.node = "edge-1"};

	set_number(&report, &report.latency_ms, REPORT_LATENCY, example->latency_ms);
	set_number(&report, &report.cpu_percent, REPORT_CPU, example->cpu_percent);
	set_number(&report, &report.mem_percent, REPORT_MEM, example->mem_percent);
	if (example->age_s != ABSENT) {
		report.last_seen_ms = NOW_MS - llround(example->age_s * 1000);
		report.fields |= REPORT_LAST_SEEN;
	}
	if (example->reported_region) {
		strcpy(report.region, example->reported_region);
		report.fields |= REPORT_REGION;
	}
	return report;
}

static void check(enum weight_policy policy, const struct weight_config *config,
		  const struct example *example)
{
	struct report report = report_of(example);
	struct weight_input input = {
		.base_weight = example->base_weight,
		.weight_milli = example->weight_milli ^ 1,
		.report = &report,
	};
	struct weight_decision decision;

	memset(&decision, 0xff, sizeof(decision));
	weight_decide(policy, config, OWN_REGION, NOW_MS, &input, 1, &decision);
	if (decision.weight_milli != example->weight_milli || !decision.changed ||
	    !memchr(decision.reason, '\0', REASON_BYTES) ||
	    strcmp(decision.reason, example->reason))
		fail_msg("%s: %u, expected %u; changed %d, \"%.64s\", expected \"%s\"",
			 example->name, decision.weight_milli, example->weight_milli,
			 decision.changed, decision.reason, example->reason);
}

static void check_all(enum weight_policy policy, const struct weight_config *config,
		      const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(policy, config, &examples[i]);
}

static const struct example edge_examples[] = {
	/* name, base, latency, cpu, mem, age, reported region, weight, reason */
	{"healthy", 100, 12, 42.5, ABSENT, 1, OTHER, 100000, "healthy: x1"},
	{"healthy at home", 100, 12, 42.5, ABSENT, 1, OWN_REGION, 130000,
	 "healthy, own region: x1.3"},
	{"all zero", 100, 0, 0, 0, 0, NULL, 100000, "healthy: x1"},

	{"latency at the threshold", 100, 50, 0, ABSENT, 0, NULL, 100000, "healthy: x1"},
	{"latency over it", 100, 50.001, 0, ABSENT, 0, NULL, 50000, "latency 50.001 ms > 50: x0.5"},
	{"latency under it", 100, 49.999, 0, ABSENT, 0, NULL, 100000, "healthy: x1"},
	{"latency rounds away from it", 100, 61.8, 0, ABSENT, 0, NULL, 50000,
	 "latency 62 ms > 50: x0.5"},

	{"cpu under busy", 100, 0, 64.999, ABSENT, 0, NULL, 100000, "healthy: x1"},
	{"cpu busy", 100, 0, 65, ABSENT, 0, NULL, 70000, "cpu 65% >= 65: x0.7"},
	{"cpu over busy", 100, 0, 65.001, ABSENT, 0, NULL, 70000, "cpu 65.001% >= 65: x0.7"},
	{"cpu under shut", 100, 0, 84.999, ABSENT, 0, NULL, 70000, "cpu 84.999% >= 65: x0.7"},
	{"cpu just under shut", 100, 0, 84.6, ABSENT, 0, NULL, 70000, "cpu 84.6% >= 65: x0.7"},
	{"cpu shut", 100, 0, 85, ABSENT, 0, OWN_REGION, 0, "cpu 85% >= 85: weight 0"},
	{"cpu over shut", 100, 0, 85.001, ABSENT, 0, NULL, 0, "cpu 85.001% >= 85: weight 0"},
	{"cpu full", 100, 80, 100, ABSENT, 0, OWN_REGION, 0, "cpu 100% >= 85: weight 0"},
	{"mem does not count", 100, 0, 0, 100, 0, NULL, 100000, "healthy: x1"},

	{"age at the limit", 100, 0, 0, ABSENT, 10, NULL, 100000, "healthy: x1"},
	{"age under it", 100, 0, 0, ABSENT, 9.999, NULL, 100000, "healthy: x1"},
	{"age over it", 100, 0, 0, ABSENT, 10.001, OWN_REGION, 0,
	 "report 10.001 s old > 10: weight 0"},
	{"stale goes before shut", 100, 80, 99, ABSENT, 12.4, NULL, 0,
	 "report 12 s old > 10: weight 0"},
	{"a zero date", 100, 0, 0, ABSENT, 63930762000, NULL, 0,
	 "report 63930762000 s old > 10: weight 0"},
	{"from the future", 100, 0, 0, ABSENT, -4.5, NULL, 100000, "healthy: x1"},

	{"slow at home", 100, 62, 0, ABSENT, 0, OWN_REGION, 80000,
	 "latency 62 ms > 50: x0.5, region +0.3"},
	{"busy at home", 100, 0, 71, ABSENT, 0, OWN_REGION, 100000,
	 "cpu 71% >= 65: x0.7, region +0.3"},
	{"slow and busy", 100, 62, 71, ABSENT, 0, OTHER, 35000,
	 "latency 62 ms > 50: x0.5, cpu 71% >= 65: x0.7"},
	{"slow and busy at home", 100, 62, 71, ABSENT, 0, OWN_REGION, 65000,
	 "latency 62 ms > 50: x0.5, cpu 71% >= 65: x0.7, region +0.3"},
	{"all that fits", 100, 123456, 71, ABSENT, 0, OWN_REGION, 65000,
	 "latency 123456 ms > 50: x0.5, cpu 71% >= 65: x0.7, region +0.3"},
	{"more than fits", 100, 123456, 84.96, ABSENT, 0, OWN_REGION, 65000,
	 "latency 123456 ms > 50: x0.5, cpu 84.96% >= 65: x0.7, ..."},

	{"no latency", 100, ABSENT, 71, ABSENT, 0, NULL, 70000,
	 "cpu 71% >= 65: x0.7, no latency given"},
	{"no cpu", 100, 12, ABSENT, ABSENT, 0, OWN_REGION, 130000,
	 "no cpu given, own region: x1.3"},
	{"no last_seen", 100, 12, 42, ABSENT, ABSENT, NULL, 100000, "no last_seen given: x1"},
	{"nothing", 100, ABSENT, ABSENT, ABSENT, ABSENT, NULL, 100000,
	 "no latency/cpu/last_seen given: x1"},
	{"slow, nothing else", 100, 62, ABSENT, ABSENT, ABSENT, OWN_REGION, 80000,
	 "latency 62 ms > 50: x0.5, region +0.3, no cpu/last_seen given"},
	{"shut, nothing else", 100, ABSENT, 91, ABSENT, ABSENT, NULL, 0, "cpu 91% >= 85: weight 0"},

	{"base 0", 0, 0, 0, ABSENT, 0, OWN_REGION, 0, "base weight 0"},
	{"base 0, stale", 0, 0, 0, ABSENT, 99, NULL, 0, "base weight 0"},
	{"base 1", 1, 62, 71, ABSENT, 0, NULL, 350,
	 "latency 62 ms > 50: x0.5, cpu 71% >= 65: x0.7"},
	{"base 1 at home", 1, 0, 0, ABSENT, 0, OWN_REGION, 1300, "healthy, own region: x1.3"},
	{"base 65535", 65535, 62, 71, ABSENT, 0, NULL, 22937250,
	 "latency 62 ms > 50: x0.5, cpu 71% >= 65: x0.7"},
	{"base 65535 at home", 65535, 0, 0, ABSENT, 0, OWN_REGION, 85195500,
	 "healthy, own region: x1.3"},
};

static void edge(void **state)
{
	(void)state;
	check_all(WEIGHT_EDGE, weight_config_default(), edge_examples, COUNT(edge_examples));
}

static const struct example probe_examples[] = {
	/* exp(-0.12) = 0.88692, exp(-1) = 0.367879 */
	{"idle and near", 100, 0, 0, 0, 0, NULL, 100000, "latency 0 ms, cpu 0%, mem 0%: x1"},
	{"cpu is the tighter", 100, 12, 42.5, 30, 0, NULL, 50998,
	 "latency 12 ms, cpu 42.5%, mem 30%: x0.51"},
	{"mem is the tighter", 100, 12, 42.5, 61, 0, NULL, 34590,
	 "latency 12 ms, cpu 42.5%, mem 61%: x0.346"},
	{"latency alone", 100, 100, 0, 0, 0, NULL, 36788, "latency 100 ms, cpu 0%, mem 0%: x0.368"},
	{"no mem", 100, 100, 50, ABSENT, 0, NULL, 18394,
	 "latency 100 ms, cpu 50%: x0.184, no mem given"},
	{"no cpu", 100, 100, ABSENT, 50, 0, NULL, 18394,
	 "latency 100 ms, mem 50%: x0.184, no cpu given"},
	{"no latency", 100, ABSENT, 50, 20, 0, NULL, 50000,
	 "cpu 50%, mem 20%: x0.5, no latency given"},
	{"nothing", 100, ABSENT, ABSENT, ABSENT, ABSENT, NULL, 100000,
	 "x1, no latency/cpu/mem given"},
	{"region does not count", 100, 0, 50, 0, 10, OWN_REGION, 50000,
	 "latency 0 ms, cpu 50%, mem 0%: x0.5"},
	{"over the floor", 100, 460, 0, 0, 0, NULL, 1005, "latency 460 ms, cpu 0%, mem 0%: x0.01"},
	{"under the floor", 100, 461, 0, 0, 0, NULL, 1000,
	 "latency 461 ms, cpu 0%, mem 0%: x0.01 (floor)"},
	{"at the floor", 100, 0, 99, 0, 0, NULL, 1000, "latency 0 ms, cpu 99%, mem 0%: x0.01"},
	{"full", 100, 0, 100, 0, 0, NULL, 1000, "latency 0 ms, cpu 100%, mem 0%: x0.01 (floor)"},
	{"full of memory", 100, 0, 0, 100, 0, NULL, 1000,
	 "latency 0 ms, cpu 0%, mem 100%: x0.01 (floor)"},
	{"an hour away", 1, 3600000, 100, 100, 0, NULL, 10,
	 "latency 3600000 ms, cpu 100%, mem 100%: x0.01 (floor)"},
	{"base 0", 0, 12, 42.5, 30, 0, NULL, 0, "base weight 0"},
	{"base 1", 1, 100, 50, 0, 0, NULL, 184, "latency 100 ms, cpu 50%, mem 0%: x0.184"},
	{"base 65535", 65535, 100, 50, 0, 0, NULL, 12054490,
	 "latency 100 ms, cpu 50%, mem 0%: x0.184"},
};

static void probe(void **state)
{
	(void)state;
	check_all(WEIGHT_PROBE, weight_config_default(), probe_examples, COUNT(probe_examples));
}

static const struct example score_examples[] = {
	/* 0.40 geo + 0.45 x 50 / (50 + latency) + 0.15 x (1 - max(cpu, mem)) */
	{"best", 100, 0, 0, 0, 0, OWN_REGION, 100000,
	 "own region, latency 0 ms, cpu 0%, mem 0%: x1"},
	{"best, far", 100, 0, 0, 0, 0, OTHER, 60000,
	 "other region, latency 0 ms, cpu 0%, mem 0%: x0.6"},
	{"region not known", 100, 0, 0, 0, 0, NULL, 100000,
	 "no region, latency 0 ms, cpu 0%, mem 0%: x1"},
	{"half the RTT score", 100, 50, 0, 0, 0, OWN_REGION, 77500,
	 "own region, latency 50 ms, cpu 0%, mem 0%: x0.775"},
	{"half of each", 100, 50, 50, 0, 0, OTHER, 30000,
	 "other region, latency 50 ms, cpu 50%, mem 0%: x0.3"},
	{"mem is the tighter", 100, 12, 40, 61, 0, OWN_REGION, 82140,
	 "own region, latency 12 ms, cpu 40%, mem 61%: x0.821"},
	{"full and slow", 100, 200, 100, 100, 0, OTHER, 9000,
	 "other region, latency 200 ms, cpu 100%, mem 100%: x0.09"},
	{"under the floor", 100, 3600000, 100, 0, 0, OTHER, 1000,
	 "other region, latency 3600000 ms, cpu 100%, mem 0%: x0.01 ..."},
	{"no mem", 100, 1234.5, 61.2, ABSENT, 0, OTHER, 7572,
	 "other region, latency 1235 ms, cpu 61.2%: x0.076, no mem given"},
	{"nothing", 100, ABSENT, ABSENT, ABSENT, ABSENT, NULL, 100000,
	 "no region: x1, no latency/cpu/mem given"},
	{"base 0", 0, 0, 0, 0, 0, OWN_REGION, 0, "base weight 0"},
	{"base 1", 1, 50, 50, 0, 0, OTHER, 300,
	 "other region, latency 50 ms, cpu 50%, mem 0%: x0.3"},
	{"base 65535", 65535, 0, 0, 0, 0, OWN_REGION, 65535000,
	 "own region, latency 0 ms, cpu 0%, mem 0%: x1"},
};

static void score(void **state)
{
	(void)state;
	check_all(WEIGHT_SCORE, weight_config_default(), score_examples, COUNT(score_examples));
}

/* Every constant of a policy comes from its configuration. */
static const struct weight_config other_config = {
	.edge = {20.5, 0.01, 30, 0.02, 0.05, 0.001, 60.5, 2.5},
	.probe = {50, 0.2},
	.score = {0.2, 0.3, 0.5, 10, 0.5, 0.3},
};

static const struct example other_edge_examples[] = {
	{"slow", 100, 20.6, 0, 0, 0, NULL, 1000, "latency 21 ms > 20.5: x0.01"},
	{"not slow", 100, 20.5, 29, 0, 2.5, NULL, 100000, "healthy: x1"},
	{"busy", 100, 0, 60.4, 0, 0, NULL, 2000, "cpu 60% >= 30: x0.02"},
	{"floor", 100, 21, 30, 0, 0, NULL, 100,
	 "latency 21 ms > 20.5: x0.01, cpu 30% >= 30: x0.02, floor x0.001"},
	{"bonus over the floor", 100, 21, 30, 0, 0, OWN_REGION, 5020,
	 "latency 21 ms > 20.5: x0.01, cpu 30% >= 30: x0.02, region +0.05"},
	{"shut", 100, 0, 60.5, 0, 0, NULL, 0, "cpu 60.5% >= 60.5: weight 0"},
	{"stale", 100, 0, 0, 0, 2.6, NULL, 0, "report 3 s old > 2.5: weight 0"},
};

static const struct example other_probe_examples[] = {
	{"scale", 100, 50, 0, 0, 0, NULL, 36788, "latency 50 ms, cpu 0%, mem 0%: x0.368"},
	{"probe floor", 100, 0, 81, 0, 0, NULL, 20000,
	 "latency 0 ms, cpu 81%, mem 0%: x0.2 (floor)"},
};

static const struct example other_score_examples[] = {
	{"parts", 100, 10, 50, 0, 0, OTHER, 50000,
	 "other region, latency 10 ms, cpu 50%, mem 0%: x0.5"},
	{"score floor", 100, 10, 100, 0, 0, OTHER, 30000,
	 "other region, latency 10 ms, cpu 100%, mem 0%: x0.3 (floor)"},
};

static void configured_constants(void **state)
{
	(void)state;
	check_all(WEIGHT_EDGE, &other_config, other_edge_examples, COUNT(other_edge_examples));
	check_all(WEIGHT_PROBE, &other_config, other_probe_examples, COUNT(other_probe_examples));
	check_all(WEIGHT_SCORE, &other_config, other_score_examples, COUNT(other_score_examples));
}

/* Results stay in their range however strange the constants. */
static void strange_constants(void **state)
{
	static const struct {
		struct weight_config config;
		struct example example;
	} cases[] = {
		{{.probe = {0, 0.01}},
		 {"0 / 0", 100, 0, 0, 0, 0, NULL, 1000,
		  "latency 0 ms, cpu 0%, mem 0%: x0.01 (floor)"}},
		{{.probe = {-0.001, 0.01}},
		 {"growth without end", 100, 3e6, 0, 0, 0, NULL, UINT32_MAX,
		  "latency 3000000 ms, cpu 0%, mem 0%: x1000000000000"}},
		{{.probe = {100, 0.00001}},
		 {"a tiny weight is not 0", 1, 0, 100, 0, 0, NULL, 1,
		  "latency 0 ms, cpu 100%, mem 0%: x0.00001 (floor)"}},
		{{.probe = {100, 0}},
		 {"no floor, no headroom", 1, 0, 100, 0, 0, NULL, 0,
		  "latency 0 ms, cpu 100%, mem 0%: x0"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(WEIGHT_PROBE, &cases[i].config, &cases[i].example);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edge),
		cmocka_unit_test(probe),
		cmocka_unit_test(score),
		cmocka_unit_test(configured_constants),
		cmocka_unit_test(strange_constants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
