/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulated loop with nodes that tell how long requests take, and what the requests feel of one
 * that is slow. No local counts: weights alone send them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "loop_sim.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SEEDS        3

/* Also where a queue makes latencies differ, and where there are few requests to tell of them. */
static void equal_nodes_are_calm(void **state)
{
	static const struct sim_case cases[] = {
		{4, 0.7, 0, SIGNAL_LATENCY},     {8, 0.7, 2000, SIGNAL_LATENCY},
		{8, 0.85, 0, SIGNAL_LATENCY},    {8, 0.85, 2000, SIGNAL_LATENCY},
		{8, 0.92, 2000, SIGNAL_LATENCY}, {8, 0.02, 0, SIGNAL_LATENCY},
		{8, 0.002, 0, SIGNAL_LATENCY},
	};
	static struct sim sim;

	(void)state;
	for (size_t i = 0; i < COUNT(cases) * SEEDS; i++) {
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
 * While the others have room, a node 4 times slower gets about 1 % of the requests, little enough to
 * stay out of the p99, and all its flows when it is well.
 */
static void a_slow_node_stays_out_of_the_p99(void **state)
{
	static const struct sim_case cases[] = {
		{8, 0.7, 0, SIGNAL_LATENCY},    {8, 0.7, 2000, SIGNAL_LATENCY},
		{8, 0.5, 0, SIGNAL_LATENCY},    {8, 0.2, 0, SIGNAL_LATENCY},
		{8, 0.2, 2000, SIGNAL_LATENCY},
	};
	static struct sim sim;

	(void)state;
	for (size_t i = 0; i < COUNT(cases) * SEEDS; i++) {
		double before_ms, slow_ms, lost_s, back_s;

		start_case(&sim, &cases[i / SEEDS], i % SEEDS);
		sim_forget(&sim);
		run(&sim, 60);
		before_ms = percentile_ms(sim.took, 99);

		sim.nodes[0].slowness = 4;
		lost_s = seconds_until(&sim, 0.125 / 2, true, 60);
		run(&sim, 15);
		sim_forget(&sim);
		for (int second = 0; second < 60; second++) {
			run(&sim, 1);
			assert_true(share(&sim, 0) > 0.125 / 50 && share(&sim, 0) < 0.125 / 4);
		}
		slow_ms = percentile_ms(sim.took, 99);

		sim.nodes[0].slowness = 1;
		back_s = seconds_until(&sim, 0.125 * 0.9, false, 60);
		if (lost_s > 4 + cases[i / SEEDS].delay_ms / 1000.0 || back_s > 20 ||
		    slow_ms > before_ms * 1.15)
			fail_msg("case %zu, seed %zu: lost in %.1f s, back in %.1f s, p99 %.0f ms, "
				 "then %.0f",
				 i / SEEDS, i % SEEDS, lost_s, back_s, before_ms, slow_ms);
		world_free(&sim.world);
	}
}

/* A pool that needs its slow nodes uses them: what they can do, 1 of 8.5 each, or near it. */
static void slow_nodes_are_used_when_they_are_needed(void **state)
{
	static const struct sim_case cases[] = {
		{4, 0.8, 0, SIGNAL_LATENCY},
		{4, 0.8, 2000, SIGNAL_LATENCY},
		{4, 0.95, 0, SIGNAL_LATENCY},
	};
	static struct sim sim;

	(void)state;
	for (size_t i = 0; i < COUNT(cases) * SEEDS; i++) {
		start_case(&sim, &cases[i / SEEDS], i % SEEDS);
		sim.nodes[0].slowness = 4;
		run(&sim, 30);
		for (int second = 0; second < 60; second++) {
			run(&sim, 1);
			if (share(&sim, 0) < 0.05)
				fail_msg("case %zu, seed %zu: %.1f %%, %s", i / SEEDS, i % SEEDS,
					 share(&sim, 0) * 100, decision(&sim.world, 0)->reason);
		}
		world_free(&sim.world);
	}
}

/* Two requests a second for all: nobody can tell, and it is no worse than that. */
static void few_requests_prove_little(void **state)
{
	static const struct sim_case few = {8, 0.0005, 0, SIGNAL_LATENCY};
	static struct sim sim;

	(void)state;
	for (size_t seed = 0; seed < SEEDS; seed++) {
		start_case(&sim, &few, seed);
		sim.nodes[0].slowness = 4;
		run(&sim, 300);
		sim.nodes[0].slowness = 1;
		assert_true(seconds_until(&sim, 0.125 * 0.9, false, 60) <= 30);
		world_free(&sim.world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_nodes_are_calm),
		cmocka_unit_test(a_slow_node_stays_out_of_the_p99),
		cmocka_unit_test(slow_nodes_are_used_when_they_are_needed),
		cmocka_unit_test(few_requests_prove_little),
	};

	return cmocka_run_group_tests_name("loop_slow", tests, NULL, NULL);
}
