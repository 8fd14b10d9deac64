/* SPDX-License-Identifier: GPL-2.0-only */
/* The loop: what becomes of events, when a publication is worth it, and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "loop_world.h"

static void nothing_to_decide(void **state)
{
	struct loop *loop = loop_new();
	struct report report = {.node = "node-0"};
	struct loop_config config = loop_config_default();

	(void)state;
	assert_false(loop_tick(loop, 0));
	assert_null(loop_decision(loop, 1));
	assert_int_equal(loop_report(loop, &report, 0, 0), LATEST_STRANGER);
	loop_check(loop, 1, HEALTH_TCP, false, 0);
	loop_flows(loop, 1, &(struct health_flows){.new_flows = 1, .resets = 1}, 0);
	loop_published(loop);
	assert_int_equal(loop_reload(loop, &config, "", NULL, 0, NULL, 0, 0), 0);
	assert_int_equal(loop_report(loop, &report, 0, 0), LATEST_STRANGER);
	assert_false(loop_tick(loop, 1));
	loop_free(loop);
	loop_free(NULL);
}

static void weights_follow_reports(void **state)
{
	struct world world;

	(void)state;
	world_start(&world, WEIGHT_EDGE, 3);
	assert_false(world_tick(&world));
	world_expect(&world, 0, 100000, BACKEND_UP, "no report from its node");
	world.now_ms += 100;
	world_report_all(&world, (double[]){10, 70, 90});
	assert_true(world_tick(&world));
	world_expect(&world, 0, 100000, BACKEND_UP, "no latency given: x1");
	world_expect(&world, 1, 70000, BACKEND_UP, "cpu 70% >= 65: x0.7, no latency given");
	world_expect(&world, 2, 0, BACKEND_UP, "cpu 90% >= 85: weight 0");
	assert_false(world_tick(&world));
	world_free(&world);
}

static void nodes_that_are_known(void **state)
{
	struct report report;
	struct world world;

	(void)state;
	world_start(&world, WEIGHT_EDGE, 2);
	report = cpu_report(&world, 1, 10);
	world_report(&world, &report);
	world.now_ms += 1500;
	world_tick(&world);
	assert_int_equal(loop_node_count(world.loop), 2);
	assert_string_equal(loop_node(world.loop, 0).name, "node-0");
	assert_false(loop_node(world.loop, 0).reported);
	assert_string_equal(loop_node(world.loop, 1).name, "node-1");
	assert_true(loop_node(world.loop, 1).reported);
	assert_int_equal(loop_node(world.loop, 1).heard_ms, 1500);
	world_free(&world);
}

static void dead_and_back(void **state)
{
	const double cpu[] = {50, 50};
	struct world world;

	(void)state;
	world_start(&world, WEIGHT_PROBE, 2);
	world_run(&world, 2, cpu, 0);
	world_check_all(&world, 0, false, 2);
	assert_false(world_tick(&world));
	world_check(&world, 0, HEALTH_HTTP, false);
	assert_true(world_tick(&world));
	world_expect(&world, 0, 50000, BACKEND_DOWN, "down: http check failed 3x");
	/* Of one that is down, another weight is no news. */
	world.now_ms += 1000;
	world_report_all(&world, (double[]){20, 50});
	assert_false(world_tick(&world));
	assert_int_equal(decision(&world, 0)->weight_milli, 80000);
	world_run(&world, 10, cpu, 0);
	world_check_all(&world, 0, true, 2);
	assert_true(world_tick(&world));
	world_expect(&world, 0, 1000, BACKEND_UP,
		     "cpu 50%: x0.5, no latency/mem given; on trial: x0.02");
	world_check_all(&world, 0, true, 1);
	world_run(&world, 1, cpu, 0);
	assert_int_equal(decision(&world, 0)->weight_milli, 1000);
	world_run(&world, 1, cpu, 0);
	world_expect(&world, 0, 2500, BACKEND_UP,
		     "cpu 50%: x0.5, no latency/mem given; slow start 5%");
	world_run(&world, 15, cpu, 0);
	world_expect(&world, 0, 25000, BACKEND_UP,
		     "cpu 50%: x0.5, no latency/mem given; slow start 50%");
	/* The last step is in the deadband, and is made all the same. */
	world_run(&world, 14, cpu, 0);
	assert_in_range(decision(&world, 0)->weight_milli, 45000, 49000);
	world_run(&world, 1, cpu, 0);
	world_expect(&world, 0, 50000, BACKEND_UP, "cpu 50%: x0.5, no latency/mem given");

	/* On trial again, one failure is enough. */
	world_check_all(&world, 0, false, 3);
	world_check_all(&world, 0, true, 2);
	world_check(&world, 0, HEALTH_TCP, false);
	assert_true(world_tick(&world));
	assert_int_equal(decision(&world, 0)->state, BACKEND_DOWN);
	world_free(&world);
}

/* However little it gets, it is something. */
static void the_smallest_weight(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, WEIGHT_PROBE, 2);
	world.backends[0].base_weight = 1;
	world.backends[0].weight_milli = 1000;
	assert_int_equal(world_reload(&world), 0);
	world_report_all(&world, (double[]){100, 50});
	world_check_all(&world, 0, false, 3);
	world_tick(&world);
	world_check_all(&world, 0, true, 2);
	world_tick(&world);
	world_expect(&world, 0, 1, BACKEND_UP,
		     "cpu 100%: x0.01 (floor), no latency/mem given; on trial: x0.02");
	world_free(&world);
}

static void flows_take_down_too(void **state)
{
	const struct health_flows ill = {.new_flows = 50, .resets = 40};
	struct world world;

	(void)state;
	world_start(&world, WEIGHT_PROBE, 2);
	for (int i = 0; i < 3; i++) {
		world_check_all(&world, 0, true, 1);
		loop_flows(world.loop, id_of(0), &ill, world.now_ms);
	}
	assert_true(world_tick(&world));
	world_expect(&world, 0, 100000, BACKEND_DOWN, "down: its flows failed 3x");
	world_free(&world);
}

static void the_operator_wins(void **state)
{
	struct world world;

	(void)state;
	world_start(&world, WEIGHT_PROBE, 3);
	world.backends[0].state = BACKEND_DRAIN;
	world.backends[1].state = BACKEND_DOWN;
	assert_int_equal(world_reload(&world), 0);
	world_report_all(&world, (double[]){50, 50, 50});
	for (size_t i = 0; i < 2; i++)
		world_check_all(&world, i, false, 3);
	world_tick(&world);
	world_expect(&world, 0, 50000, BACKEND_DRAIN,
		     "cpu 50%: x0.5, no latency/mem given; drained by hand");
	world_expect(&world, 1, 50000, BACKEND_DOWN,
		     "cpu 50%: x0.5, no latency/mem given; down by hand");
	for (size_t i = 0; i < 2; i++)
		world_check_all(&world, i, true, 9);
	world_tick(&world);
	assert_int_equal(decision(&world, 0)->state, BACKEND_DRAIN);
	assert_int_equal(decision(&world, 1)->state, BACKEND_DOWN);
	world_free(&world);
}

static void a_lossy_path(void **state)
{
	struct world world;
	struct report report;

	(void)state;
	world_start(&world, WEIGHT_PROBE, 2);
	for (int i = 0; i < 3; i++) {
		report = cpu_report(&world, 0, 50);
		report.fields |= REPORT_RETRANSMIT | REPORT_RTT | REPORT_RTT_DEVIATION;
		report.retransmit_percent = 7.4;
		report.rtt_ms = 10;
		report.rtt_deviation_ms = 9;
		world_report(&world, &report);
		world_report_all(&world, (double[]){50, 50});
		world_report(&world, &report);
		world_tick(&world);
		assert_int_equal(decision(&world, 0)->weight_milli, i < 2 ? 50000 : 25000);
		world.now_ms += 2000;
	}
	world_expect(&world, 0, 25000, BACKEND_UP,
		     "cpu 50%: x0.5, no latency/mem given; congested, 7% resent: x0.5");
	world_free(&world);
}

static void new_backends_start_slowly(void **state)
{
	const double cpu[] = {0, 0, 0};
	struct world world;

	(void)state;
	world_start(&world, WEIGHT_PROBE, 2);
	world_run(&world, 2, cpu, 0);
	assert_int_equal(decision(&world, 0)->weight_milli, 100000);
	world_add(&world);
	assert_int_equal(world_reload(&world), 0);
	world_tick(&world);
	assert_int_equal(decision(&world, 0)->weight_milli, 100000);
	assert_int_equal(decision(&world, 2)->weight_milli, 5000);
	world_run(&world, 15, cpu, 0);
	assert_int_equal(decision(&world, 2)->weight_milli, 50000);
	/* A reload in the middle changes nothing, nor does a caller that was away for an hour. */
	assert_int_equal(world_reload(&world), 0);
	world.now_ms += 100;
	assert_false(world_tick(&world));
	assert_int_equal(decision(&world, 2)->weight_milli, 50000);
	world.now_ms += 3600000;
	world_tick(&world);
	assert_int_equal(decision(&world, 2)->weight_milli, 67000);
	world_run(&world, 15, cpu, 0);
	assert_int_equal(decision(&world, 2)->weight_milli, 100000);

	/* So does one that comes back from maintenance; what changes otherwise is no reason. */
	world.backends[1].state = BACKEND_DRAIN;
	assert_int_equal(world_reload(&world), 0);
	world_tick(&world);
	world.backends[1].state = BACKEND_UP;
	world.backends[0].reachable = false;
	assert_int_equal(world_reload(&world), 0);
	world_tick(&world);
	assert_int_equal(decision(&world, 0)->weight_milli, 100000);
	assert_int_equal(decision(&world, 1)->weight_milli, 5000);

	world.service.slow_start_ms = 0;
	world_add(&world);
	assert_int_equal(world_reload(&world), 0);
	world_tick(&world);
	assert_int_equal(decision(&world, 3)->weight_milli, 100000);
	world_free(&world);
}

static void reload_keeps_what_is_known(void **state)
{
	struct world world;

	(void)state;
	world_start(&world, WEIGHT_PROBE, 3);
	world_report_all(&world, (double[]){80, 50, 50});
	world_check_all(&world, 1, false, 3);
	world_tick(&world);
	/* Another order, one less, another deadband and policy: no report is asked for again. */
	world.backends[0] = world.backends[1];
	world.backends[1] = world.backends[2];
	world.count = 2;
	world.service.policy = WEIGHT_DECAY;
	world.config.deadband_percent = 0;
	assert_int_equal(world_reload(&world), 0);
	assert_null(loop_decision(world.loop, id_of(0)));
	world.now_ms += 1000;
	assert_true(loop_tick(world.loop, world.now_ms));
	world_expect(&world, 1, 65000, BACKEND_DOWN, "down: tcp check failed 3x");
	world_expect(&world, 2, 65000, BACKEND_UP, "load 50%, calm: x0.65");

	/* The same id on another node is another backend. */
	world.backends[0].node = "elsewhere";
	assert_int_equal(world_reload(&world), 0);
	world_tick(&world);
	assert_int_equal(decision(&world, 1)->state, BACKEND_UP);
	world_free(&world);
}

/* A base weight that was edited is the weight, until a report says more. */
static void reload_with_another_base_weight(void **state)
{
	struct world world;

	(void)state;
	world_start(&world, WEIGHT_PROBE, 2);
	world_tick(&world);
	world.backends[0].base_weight = 50;
	world.backends[0].weight_milli = 50000;
	assert_int_equal(world_reload(&world), 0);
	assert_false(world_tick(&world));
	world_expect(&world, 0, 50000, BACKEND_UP, "no report from its node");
	world_free(&world);
}

static void a_bad_reload_changes_nothing(void **state)
{
	struct world world;

	(void)state;
	world_start(&world, WEIGHT_PROBE, 2);
	world_report_all(&world, (double[]){80, 50});
	world_tick(&world);
	world.backends[1].service = WORLD_SERVICE + 1;
	assert_int_equal(world_reload(&world), -ENOENT);
	world.backends[1].service = WORLD_SERVICE;
	world.backends[1].id = id_of(0);
	assert_int_equal(world_reload(&world), -EINVAL);
	world.backends[1].id = 0;
	assert_int_equal(world_reload(&world), -EINVAL);
	world.backends[1].id = id_of(1);
	assert_false(world_tick(&world));
	assert_int_equal(decision(&world, 0)->weight_milli, 20000);
	world_free(&world);
}

/* Backends of several services on one node: each by its own service's policy. */
static void services_apart(void **state)
{
	struct world world;
	const struct loop_service services[] = {
		{.id = 9, .policy = WEIGHT_PROBE, .health = *health_config_default()},
		{.id = 3, .policy = WEIGHT_EDGE, .health = *health_config_default()},
	};
	struct report report;

	(void)state;
	world_init(&world, WEIGHT_EDGE, 4);
	for (size_t i = 0; i < 4; i++) {
		world.backends[i].service = i < 2 ? 9 : 3;
		world.backends[i].node = "node-0";
	}
	assert_int_equal(loop_reload(world.loop, &world.config, "", services, 2, world.backends, 4,
				     world.now_ms),
			 0);
	report = cpu_report(&world, 0, 70);
	world_report(&world, &report);
	assert_true(world_tick(&world));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(decision(&world, i)->weight_milli, i < 2 ? 30000 : 70000);
	world_free(&world);
}

/* Base weights 100, 300 and 100, of which the last has not reported. */
static void utilisation_of_a_service(void **state)
{
	struct world world;
	struct report report;

	(void)state;
	world_init(&world, WEIGHT_ADAPTIVE, 3);
	world.backends[1].base_weight = 300;
	assert_int_equal(world_reload(&world), 0);
	world_tick(&world);
	assert_true(isnan(loop_utilisation(world.loop, WORLD_SERVICE)));
	report = cpu_report(&world, 0, 20);
	world_report(&world, &report);
	report = cpu_report(&world, 1, 80);
	world_report(&world, &report);
	world_tick(&world);
	assert_float_equal(loop_utilisation(world.loop, WORLD_SERVICE), 0.65, 1e-9);
	assert_true(isnan(loop_utilisation(world.loop, WORLD_SERVICE + 1)));

	/* By the last report alone. */
	world.now_ms += 2000;
	report = cpu_report(&world, 0, 30);
	world_report(&world, &report);
	world_tick(&world);
	assert_float_equal(loop_utilisation(world.loop, WORLD_SERVICE), 0.675, 1e-9);

	/* Who takes no new flows has no part in it; nor has who is not heard of any more. */
	world.backends[1].state = BACKEND_DRAIN;
	assert_int_equal(world_reload(&world), 0);
	world_tick(&world);
	assert_float_equal(loop_utilisation(world.loop, WORLD_SERVICE), 0.3, 1e-9);
	for (int i = 0; i < 11; i++) {
		world.now_ms += 1000;
		world_tick(&world);
	}
	assert_true(isnan(loop_utilisation(world.loop, WORLD_SERVICE)));
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_decide),
		cmocka_unit_test(weights_follow_reports),
		cmocka_unit_test(nodes_that_are_known),
		cmocka_unit_test(dead_and_back),
		cmocka_unit_test(the_smallest_weight),
		cmocka_unit_test(flows_take_down_too),
		cmocka_unit_test(the_operator_wins),
		cmocka_unit_test(a_lossy_path),
		cmocka_unit_test(new_backends_start_slowly),
		cmocka_unit_test(reload_keeps_what_is_known),
		cmocka_unit_test(reload_with_another_base_weight),
		cmocka_unit_test(a_bad_reload_changes_nothing),
		cmocka_unit_test(services_apart),
		cmocka_unit_test(utilisation_of_a_service),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
