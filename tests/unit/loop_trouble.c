/* SPDX-License-Identifier: GPL-2.0-only */
/* The loop when reports fail to come, clocks jump, nobody is left, and all of it at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "loop_world.h"

/* A node whose agent died, while the others report. */
static void a_silent_node(void **state)
{
	struct world world;

	(void)state;
	world_start(&world, WEIGHT_PROBE, 3);
	world_run(&world, 4, (double[]){80, 20, 60}, 0);
	assert_int_equal(decision(&world, 0)->weight_milli, 20000);
	world_run(&world, 8, (double[]){80, 20, 60}, 1);
	assert_int_equal(decision(&world, 0)->weight_milli, 20000);
	world_run(&world, 4, (double[]){80, 20, 60}, 1);
	assert_int_equal(decision(&world, 0)->weight_milli, 60000);
	/* Frozen: the others' factors are others by now. */
	world_run(&world, 10, (double[]){80, 50, 90}, 1);
	assert_int_equal(decision(&world, 0)->weight_milli, 60000);
	world_run(&world, 12, (double[]){80, 50, 90}, 1);
	assert_int_equal(decision(&world, 0)->weight_milli, 100000);
	world_run(&world, 2, (double[]){80, 50, 90}, 0);
	assert_int_equal(decision(&world, 0)->weight_milli, 20000);
	world_free(&world);
}

/* All agents gone: nothing moves, whatever the policy. */
static void the_control_side_is_gone(void **state)
{
	const double cpu[] = {80, 20, 95, 60};
	struct world world;
	__u32 weights[4];

	(void)state;
	for (int policy = 0; policy < WEIGHT_POLICIES; policy++) {
		world_start(&world, policy, 4);
		world_run(&world, 20, cpu, 0);
		for (size_t i = 0; i < 4; i++)
			weights[i] = decision(&world, i)->weight_milli;
		world.publications = 0;
		world_run(&world, 3600, cpu, 0xf);
		assert_int_equal(world.publications, 0);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(decision(&world, i)->weight_milli, weights[i]);
		assert_non_null(strstr(decision(&world, 1)->reason, "no report from anyone for "));
		/* It comes back, one after the other. */
		world_run(&world, 6, cpu, 0xe);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(decision(&world, i)->weight_milli, weights[i]);
		world_free(&world);
	}
}

/* Not even what would have been decided of the last report in a while. */
static void gone_in_the_middle(void **state)
{
	const double hot[] = {95, 50};
	struct world world;

	(void)state;
	world_start(&world, WEIGHT_DECAY, 2);
	world_report_all(&world, hot);
	world_tick(&world);
	world_run(&world, 60, hot, 3);
	assert_int_equal(decision(&world, 0)->weight_milli, 24000);
	/* Heard again for 3 s, it is known to have been hot for as long. */
	world_run(&world, 4, hot, 0);
	assert_int_equal(decision(&world, 0)->weight_milli, 10000);
	/* An hour's silence is worth 5 s: 50 % + (90 - 50) % x (1 - 0.5^2.5) of load. */
	world_run(&world, 3600, hot, 3);
	world_run(&world, 1, (double[]){95, 90}, 0);
	assert_int_equal(decision(&world, 1)->weight_milli, 33657);
	world_free(&world);
}

/* Every clock jumps, both ways: nobody is stale, dead or new for it. */
static void clocks_jump(void **state)
{
	static const int64_t jumps_ms[] = {3600000, -7200000, 86400000, -1, 40000};
	const double cpu[] = {80, 20, 60};
	struct world world;
	__u32 weights[3];

	(void)state;
	world_start(&world, WEIGHT_PROBE, 3);
	world_run(&world, 10, cpu, 0);
	for (size_t i = 0; i < 3; i++)
		weights[i] = decision(&world, i)->weight_milli;
	for (size_t jump = 0; jump < sizeof(jumps_ms) / sizeof(jumps_ms[0]); jump++) {
		world.now_ms += jumps_ms[jump];
		for (int second = 0; second < 20; second++) {
			world_run(&world, 1, cpu, second % 2 ? 7 : 0);
			for (size_t i = 0; i < 3; i++)
				assert_int_equal(decision(&world, i)->weight_milli, weights[i]);
		}
	}
	/* A backend on slow start still gets there. */
	world_check_all(&world, 0, false, 3);
	world_tick(&world);
	world_check_all(&world, 0, true, 3);
	world_tick(&world);
	world_run(&world, 1, cpu, 0);
	world_check_all(&world, 0, true, 1);
	world_run(&world, 10, cpu, 0);
	world.now_ms -= 86400000;
	world_run(&world, 30, cpu, 0);
	assert_int_equal(decision(&world, 0)->weight_milli, weights[0]);
	world_free(&world);
}

static void the_ladder(void **state)
{
	struct world world;

	(void)state;
	world_start(&world, WEIGHT_EDGE, 2);
	world_report_all(&world, (double[]){90, 70});
	world_tick(&world);
	world_expect(&world, 0, 0, BACKEND_UP, "cpu 90% >= 85: weight 0");
	/* The only one with a weight fails: the hot one is better than none. */
	world_check_all(&world, 1, false, 3);
	assert_true(world_tick(&world));
	world_expect(&world, 0, 100000, BACKEND_UP,
		     "nobody has a weight: nearest region takes all");
	assert_int_equal(decision(&world, 1)->state, BACKEND_DOWN);
	assert_int_equal(world_reload(&world), 0);
	/* That one fails too: back to who was last known to be good. */
	world_check_all(&world, 0, false, 3);
	assert_true(world_tick(&world));
	assert_int_equal(decision(&world, 0)->state, BACKEND_DOWN);
	world_expect(&world, 1, 70000, BACKEND_UP, "none is healthy: those that last were");
	assert_false(world_tick(&world));
	/* Somebody is well again. */
	world_check_all(&world, 0, true, 2);
	assert_true(world_tick(&world));
	assert_int_equal(decision(&world, 0)->state, BACKEND_UP);
	assert_int_equal(decision(&world, 1)->state, BACKEND_DOWN);
	world_free(&world);
}

/* Whatever happens, in whatever order: somebody takes flows, and reasons are words. */
static void random_events(void **state)
{
	static const double numbers[] = {NAN, INFINITY, -1, 0, 50, 86, 100, 1e308};
	struct world world;

	(void)state;
	srandom(11);
	for (int policy = 0; policy < WEIGHT_POLICIES; policy++) {
		world_start(&world, policy, 6);
		for (int round = 0; round < 5000; round++) {
			size_t i = random() % 6;
			struct report report = cpu_report(&world, i, numbers[random() % 8]);
			double *fields = &report.cpu_percent;
			bool somebody = false;

			world.now_ms += random() % 3000 - (random() % 50 ? 0 : 100000);
			report.fields |= random() & 0x7ffff & ~(__u32)REPORT_REGION;
			report.last_seen_ms += random() % 20000 - 10000;
			for (size_t j = 1; j < 17; j++)
				fields[j] = numbers[random() % 8];
			world_report(&world, &report);
			world_check_all(&world, random() % 6, random() % 2, random() % 4);
			loop_flows(world.loop, id_of(i),
				   &(struct health_flows){.new_flows = random() % 40,
							  .syn_retransmits = random() % 40,
							  .established = random() % 2},
				   world.now_ms);
			world_tick(&world);
			for (size_t j = 0; j < 6; j++) {
				const struct loop_decision *got = decision(&world, j);

				somebody |= got->state == BACKEND_UP && got->weight_milli;
				assert_non_null(memchr(got->reason, '\0', REASON_BYTES));
				assert_true(strlen(got->reason) > 4);
				assert_true(got->weight_milli <= 1000000);
			}
			assert_true(somebody);
		}
		world_free(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_node),      cmocka_unit_test(the_control_side_is_gone),
		cmocka_unit_test(gone_in_the_middle), cmocka_unit_test(clocks_jump),
		cmocka_unit_test(the_ladder),         cmocka_unit_test(random_events),
	};

	return cmocka_run_group_tests_name("loop_trouble", tests, NULL, NULL);
}
