/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "model_example.h"
#include "user/core/topology.h"

#define NOW_MS 1800000000000

static void add_on_node(struct model *model, const char *service, const char *name,
			const char *target, const char *node, const char *region)
{
	struct backend_request request = backend_request(name, target);
	struct text_error error;

	request.node = node;
	request.region = region;
	assert_int_equal(model_backend_add(model, service, &request, &error), 0);
}

/* "dns" and "web": a node for both, one each, and one that no report comes from. */
static struct model model_of_two(void)
{
	struct model model = {.backends_max = 100, .slots_max = 1 << 20};

	add_service(&model, "web", "192.0.2.1", 80);
	add_service(&model, "dns", "192.0.2.1", 53);
	add_on_node(&model, "web", "web-1", "10.0.0.1", "both", NULL);
	add_on_node(&model, "web", "web-2", "10.0.0.2", "north", "north");
	add_on_node(&model, "web", "web-3", "10.0.0.3", "silent", NULL);
	add_on_node(&model, "dns", "dns-1", "10.0.0.1", "both", NULL);
	add_on_node(&model, "dns", "dns-2", "10.0.0.4", "busy", NULL);
	return model;
}

static struct report report(const char *node, double cpu_percent, double latency_ms)
{
	struct report report = {
		.fields = REPORT_CPU | REPORT_MEM | REPORT_LATENCY | REPORT_LAST_SEEN,
		.cpu_percent = cpu_percent,
		.latency_ms = latency_ms,
		.last_seen_ms = NOW_MS - 1000,
	};

	snprintf(report.node, sizeof(report.node), "%s", node);
	return report;
}

static const struct weight_decision *decision_of(const struct model *model,
						 const struct weight_decision *decisions,
						 const char *service, const char *name)
{
	const struct model_backend *backend =
		model_backend_find(model, model_service_find(model, service)->id, name);

	assert_non_null(backend);
	return &decisions[backend - model->backends];
}

static void decide(const struct model *model, const struct report *reports, size_t count,
		   struct weight_decision *decisions)
{
	memset(decisions, 0xff, model->backend_count * sizeof(*decisions));
	assert_int_equal(topology_decide(model, reports, count, WEIGHT_EDGE,
					 weight_config_default(), "north", NOW_MS, decisions),
			 0);
}

/* Whatever the order of the reports. */
static void test_decide(void **state)
{
	static const struct {
		const char *service, *backend;
		__u32 weight_milli;
		bool changed;
	} cases[] = {
		{"web", "web-1", 70000, true},   /* cpu 70 %: x0.7 */
		{"web", "web-2", 130000, true},  /* own region: +0.3 */
		{"web", "web-3", 100000, false}, /* no report */
		{"dns", "dns-1", 70000, true},   /* the same node */
		{"dns", "dns-2", 0, true},       /* cpu 90 % */
	};
	const struct report reports[2][4] = {
		{report("both", 70, 10), report("busy", 90, 10), report("north", 10, 10),
		 report("stranger", 0, 0)},
		{report("stranger", 0, 0), report("north", 10, 10), report("both", 70, 10),
		 report("busy", 90, 10)},
	};
	struct weight_decision decisions[5];
	struct model model = model_of_two();
	struct model before = copy_of(&model);

	(void)state;
	for (int order = 0; order < 2; order++) {
		decide(&model, reports[order], 4, decisions);
		assert_true(same(&model, &before));
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			const struct weight_decision *decision =
				decision_of(&model, decisions, cases[i].service, cases[i].backend);

			if (decision->weight_milli != cases[i].weight_milli ||
			    decision->changed != cases[i].changed)
				fail_msg("%s: %u (%s)", cases[i].backend, decision->weight_milli,
					 decision->reason);
		}
	}
	model_free(&model);
	model_free(&before);
}

static void test_no_reports(void **state)
{
	struct weight_decision decisions[5];
	struct model model = model_of_two();

	(void)state;
	model.backends[1].weight_milli = 12345;
	decide(&model, NULL, 0, decisions);
	for (size_t i = 0; i < 5; i++) {
		assert_false(decisions[i].changed);
		assert_int_equal(decisions[i].weight_milli, i == 1 ? 12345 : 100000);
		assert_true(decisions[i].reason[0] != '\0');
	}
	model_free(&model);
}

static void test_no_backends(void **state)
{
	const struct report reports[] = {report("both", 70, 10)};
	struct weight_decision decision;
	struct model model = {.backends_max = 100};

	(void)state;
	assert_int_equal(topology_decide(&model, reports, 1, WEIGHT_EDGE, weight_config_default(),
					 "", NOW_MS, &decision),
			 0);
}

/* A deleted backend has a node that reports, and is decided nothing of and given nothing. */
static void test_gone(void **state)
{
	const struct report reports[] = {report("both", 70, 10)};
	struct weight_decision decisions[5];
	struct model model = model_of_two();
	const struct weight_decision nothing = {0};

	(void)state;
	del_backend(&model, "web", "web-1", 1);
	del_backend(&model, "web", "web-3", 1);
	assert_string_equal(model.backends[3].name, "web-1");
	decide(&model, reports, 1, decisions);
	assert_memory_equal(&decisions[3], &nothing, sizeof(nothing));
	assert_memory_equal(&decisions[4], &nothing, sizeof(nothing));
	assert_int_equal(decision_of(&model, decisions, "dns", "dns-1")->weight_milli, 70000);

	decisions[3].weight_milli = 5;
	topology_follow(&model, decisions);
	assert_int_equal(model.backends[3].weight_milli, 0);
	assert_string_equal(model.backends[3].reason, "deleted");
	model_free(&model);
}

static void test_follow(void **state)
{
	const struct report reports[] = {report("both", 70, 60)};
	struct weight_decision decisions[5];
	struct model model = model_of_two();

	(void)state;
	decide(&model, reports, 1, decisions);
	topology_follow(&model, decisions);
	assert_int_equal(model_backend_find(&model, 1, "web-1")->weight_milli, 35000);
	assert_string_equal(model_backend_find(&model, 1, "web-1")->reason,
			    decision_of(&model, decisions, "web", "web-1")->reason);
	assert_int_equal(model_backend_find(&model, 1, "web-1")->base_weight, 100);
	assert_int_equal(model_backend_find(&model, 2, "dns-1")->weight_milli, 35000);
	assert_int_equal(model_backend_find(&model, 1, "web-3")->weight_milli, 100000);

	/* The same report again changes nothing more: it is the base weight that is scaled. */
	decide(&model, reports, 1, decisions);
	assert_false(decision_of(&model, decisions, "web", "web-1")->changed);
	model_free(&model);
}

/* "dns" would have nobody left, "web" would: only the former keeps its weights. */
static void test_keeps_somebody(void **state)
{
	const struct report reports[] = {report("both", 90, 1), report("busy", 99, 1)};
	struct weight_decision decisions[5];
	struct model model = model_of_two();

	(void)state;
	for (size_t i = 0; i < 5; i++)
		model.backends[i].next_hop.state = NEXT_HOP_RESOLVED;
	decide(&model, reports, 2, decisions);
	assert_int_equal(decision_of(&model, decisions, "web", "web-1")->weight_milli, 0);
	assert_int_equal(decision_of(&model, decisions, "dns", "dns-1")->weight_milli, 100000);
	assert_int_equal(decision_of(&model, decisions, "dns", "dns-2")->weight_milli, 100000);
	assert_string_equal(decision_of(&model, decisions, "dns", "dns-2")->reason,
			    "kept: all backends would be shut out");

	/* One that cannot be reached, or is not up, does not count as somebody. */
	model_backend_find(&model, model_service_find(&model, "web")->id, "web-2")->state =
		BACKEND_DRAIN;
	model_backend_find(&model, model_service_find(&model, "web")->id, "web-3")->next_hop.state =
		NEXT_HOP_NO_NEIGHBOUR;
	decide(&model, reports, 2, decisions);
	assert_int_equal(decision_of(&model, decisions, "web", "web-1")->weight_milli, 100000);

	/* Whoever set all weights to 0 by hand has nobody to lose. */
	for (size_t i = 0; i < 5; i++)
		model.backends[i].weight_milli = 0;
	decide(&model, reports, 2, decisions);
	assert_int_equal(decision_of(&model, decisions, "dns", "dns-1")->weight_milli, 0);
	model_free(&model);
}

/* It makes a difference whether nodes are hot or nobody has heard of them for long. */
static void test_keeps_somebody_old(void **state)
{
	struct report reports[] = {report("both", 5, 1), report("busy", 99, 1)};
	struct weight_decision decisions[5];
	struct model model = model_of_two();

	(void)state;
	for (size_t i = 0; i < 5; i++)
		model.backends[i].next_hop.state = NEXT_HOP_RESOLVED;
	reports[0].last_seen_ms = NOW_MS - 34000;
	decide(&model, reports, 2, decisions);
	assert_int_equal(decision_of(&model, decisions, "dns", "dns-1")->weight_milli, 100000);
	assert_string_equal(decision_of(&model, decisions, "dns", "dns-1")->reason,
			    "kept: all backends would be shut out (report 34 s old)");
	assert_string_equal(decision_of(&model, decisions, "dns", "dns-2")->reason,
			    "kept: all backends would be shut out");
	model_free(&model);
}

static void test_knows(void **state)
{
	struct model model = model_of_two();

	(void)state;
	assert_true(topology_knows(&model, "both"));
	assert_true(topology_knows(&model, "silent"));
	assert_false(topology_knows(&model, "web-1"));
	assert_false(topology_knows(&model, "stranger"));
	del_backend(&model, "web", "web-3", 1);
	assert_false(topology_knows(&model, "silent"));
	del_backend(&model, "web", "web-1", 1);
	assert_true(topology_knows(&model, "both"));
	model_free(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decide),
		cmocka_unit_test(test_no_reports),
		cmocka_unit_test(test_no_backends),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_keeps_somebody),
		cmocka_unit_test(test_keeps_somebody_old),
		cmocka_unit_test(test_knows),
	};

	return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
