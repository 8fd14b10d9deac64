/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulated loop, with nodes that tell how full they are and nothing else: calm, and what becomes
 * of one that is slow or dead, or of reports that do not come.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "loop_sim.h"

static const struct sim_case cases[] = {
	{4, 0.5, 0, SIGNAL_CPU},         {4, 0.7, 0, SIGNAL_CPU},
	{4, 0.7, 2000, SIGNAL_CPU},      {8, 0.7, 2000, SIGNAL_CPU},
	{8, 0.85, 2000, SIGNAL_CPU},     {6, 0.2, 2000, SIGNAL_CPU},
	{4, 0.7, 0, SIGNAL_APPLICATION}, {8, 0.7, 2000, SIGNAL_APPLICATION},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))
#define SEEDS 3

static void equal_nodes_are_calm(void **state)
{
	struct sim sim;

	(void)state;
	for (size_t i = 0; i < CASES * SEEDS; i++) {
		double largest;

		start_case(&sim, &cases[i / SEEDS], i % SEEDS);
		largest = deviation(&sim, 60);
		if (largest >= 0.05)
			fail_msg("case %zu, seed %zu: deviation %.1f %%", i / SEEDS, i % SEEDS,
				 largest * 100);
		world_free(&sim.world);
	}
}

/*
 * Slowed 4 times, node 0 loses more than half of its flows after the second report that is of this
 * time alone, keeps still there, and gets all back.
 */
static void a_slow_node_loses_flows_and_gets_them_back(void **state)
{
	struct sim sim;

	(void)state;
	for (size_t i = 0; i < CASES * SEEDS; i++) {
		double fair = 1.0 / cases[i / SEEDS].nodes, lost_s, unrest, back_s;
		double limit_s = cases[i / SEEDS].delay_ms ? 7 : 6;

		start_case(&sim, &cases[i / SEEDS], i % SEEDS);
		sim.nodes[0].slowness = 4;
		lost_s = seconds_until(&sim, fair / 2, true, 60);
		run(&sim, 15);
		assert_true(share(&sim, 0) < fair / 2);
		unrest = deviation(&sim, 30);
		assert_true(share(&sim, 0) < fair / 2);
		assert_true(share(&sim, 0) > fair / 10);
		sim.nodes[0].slowness = 1;
		back_s = seconds_until(&sim, fair * 0.9, false, 60);
		if (lost_s > limit_s || back_s > 30 || unrest > 0.15)
			fail_msg("case %zu, seed %zu: lost in %.1f s, back in %.1f s, then "
				 "deviation %.1f %%",
				 i / SEEDS, i % SEEDS, lost_s, back_s, unrest * 100);
		world_free(&sim.world);
	}
}

/* After the shock of a slow node, weights of equal nodes settle again, with late reports too. */
static void a_shock_dies_away(void **state)
{
	struct sim sim;

	(void)state;
	for (size_t i = 0; i < CASES * SEEDS; i++) {
		double largest;

		start_case(&sim, &cases[i / SEEDS], i % SEEDS);
		sim.nodes[0].slowness = 4;
		run(&sim, 30);
		sim.nodes[0].slowness = 1;
		run(&sim, 30);
		largest = deviation(&sim, 60);
		if (largest >= 0.06)
			fail_msg("case %zu, seed %zu: deviation %.1f %%", i / SEEDS, i % SEEDS,
				 largest * 100);
		world_free(&sim.world);
	}
}

static void a_dead_node_is_out_within_the_health_interval(void **state)
{
	struct sim sim;
	double out_s, back_s;

	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		start_case(&sim, &cases[i], 1);
		sim.nodes[0].dead = true;
		out_s = seconds_until(&sim, 0.001, true, 60);
		assert_true(out_s <= 3 * CHECK_MS / 1000.0 + 0.2);
		assert_int_equal(decision(&sim.world, 0)->state, BACKEND_DOWN);
		run(&sim, 20);
		assert_true(share(&sim, 0) == 0);

		sim.nodes[0].dead = false;
		sim.nodes[0].requests = 0;
		/* Two checks, the trial of 2 s, and 30 s of slow start. */
		back_s = seconds_until(&sim, 0.9 / cases[i].nodes, false, 90);
		assert_in_range(back_s * 10, 200, 450);
		world_free(&sim.world);
	}
}

static void weights_stay_when_the_control_side_is_gone(void **state)
{
	struct sim sim;
	__u32 weights[WORLD_BACKENDS_MAX];

	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		start_case(&sim, &cases[i], 1);
		sim.nodes[0].slowness = 4;
		run(&sim, 20);
		sim.reports_lost = true;
		run(&sim, 4);
		for (size_t j = 0; j < sim.world.count; j++)
			weights[j] = sim.world.backends[j].weight_milli;
		sim.world.publications = 0;
		run(&sim, 200);
		assert_int_equal(sim.world.publications, 0);
		for (size_t j = 0; j < sim.world.count; j++)
			assert_int_equal(sim.world.backends[j].weight_milli, weights[j]);
		assert_non_null(strstr(decision(&sim.world, 0)->reason, "no report from anyone"));

		/* The first to be heard again makes nobody else old. */
		sim.reports_lost = false;
		for (int second = 0; second < 10; second++) {
			run(&sim, 1);
			for (size_t j = 0; j < sim.world.count; j++)
				assert_null(strstr(decision(&sim.world, j)->reason, "old"));
			assert_true(share(&sim, 0) < 0.6 / sim.world.count);
		}
		world_free(&sim.world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_nodes_are_calm),
		cmocka_unit_test(a_slow_node_loses_flows_and_gets_them_back),
		cmocka_unit_test(a_shock_dies_away),
		cmocka_unit_test(a_dead_node_is_out_within_the_health_interval),
		cmocka_unit_test(weights_stay_when_the_control_side_is_gone),
	};

	return cmocka_run_group_tests_name("loop_sim", tests, NULL, NULL);
}
