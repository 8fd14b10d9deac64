/* SPDX-License-Identifier: GPL-2.0-only */
/* When a publication is worth it: how often at most, and for how small a difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "loop_world.h"

/* No sooner than a second after the last one, give or take half a tick, but for failures. */
static void pace_of_publications(void **state)
{
	struct world world;

	(void)state;
	world_start(&world, WEIGHT_EDGE, 3);
	world_report_all(&world, (double[]){10, 10, 70});
	assert_true(world_tick(&world));
	world.now_ms += 500;
	world_report_all(&world, (double[]){10, 70, 70});
	assert_false(world_tick(&world));
	world.now_ms += 449;
	assert_false(world_tick(&world));
	world.now_ms += 1;
	assert_true(world_tick(&world));
	world.now_ms += 10;
	world_report_all(&world, (double[]){90, 70, 70});
	assert_true(world_tick(&world));
	world.now_ms += 10;
	world_check_all(&world, 1, false, 3);
	assert_true(world_tick(&world));
	/* Not published, it is wanted again. */
	world.now_ms += 10;
	world_check_all(&world, 2, false, 3);
	assert_true(loop_tick(world.loop, world.now_ms));
	assert_true(loop_tick(world.loop, world.now_ms));
	loop_published(world.loop);
	assert_false(loop_tick(world.loop, world.now_ms));
	world_free(&world);
}

/* Publications of weights that never rest, in a minute of ticks that are late by up to 7 ms. */
static unsigned int publications_in_a_minute(int64_t interval_ms)
{
	int64_t start_ms;
	struct world world;

	world_init(&world, WEIGHT_PROBE, 1);
	world.config.publish_interval_ms = interval_ms;
	assert_int_equal(world_reload(&world), 0);
	start_ms = world.now_ms;
	for (int i = 0; i < 600; i++) {
		world.now_ms = start_ms + i * LOOP_TICK_MS + (600 - i) * 5 % 8;
		world_report_all(&world, (double[]){i % 2 ? 20 : 60});
		world_tick(&world);
		/* A check's result is another reason to decide. */
		world.now_ms++;
		world_report_all(&world, (double[]){i % 2 ? 40 : 80});
		world_tick(&world);
	}
	world_free(&world);
	return world.publications;
}

static void ticks_are_never_on_time(void **state)
{
	(void)state;
	assert_int_equal(publications_in_a_minute(1000), 60);
	assert_int_equal(publications_in_a_minute(2000), 30);
	assert_int_equal(publications_in_a_minute(300), 200);
	assert_int_equal(publications_in_a_minute(100), 600);
	assert_int_equal(publications_in_a_minute(50), 600);
}

/* The weight is base x (1 - cpu). */
static void deadband(void **state)
{
	struct world world;

	(void)state;
	world_start(&world, WEIGHT_PROBE, 2);
	world_report_all(&world, (double[]){50, 50});
	assert_true(world_tick(&world));
	world.now_ms += 2000;
	world_report_all(&world, (double[]){52.4, 50});
	assert_false(world_tick(&world));
	assert_int_equal(decision(&world, 0)->weight_milli, 50000);
	/* It is measured from what is published, so creeping does not help. */
	world.now_ms += 2000;
	world_report_all(&world, (double[]){52.5, 47.6});
	assert_true(world_tick(&world));
	assert_int_equal(decision(&world, 0)->weight_milli, 47500);
	assert_int_equal(decision(&world, 1)->weight_milli, 50000);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pace_of_publications),
		cmocka_unit_test(ticks_are_never_on_time),
		cmocka_unit_test(deadband),
	};

	return cmocka_run_group_tests_name("loop_pace", tests, NULL, NULL);
}
