/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "user/core/shed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_near(double value, double expected)
{
	if (!(fabs(value - expected) < 1e-6))
		fail_msg("%f, expected %f", value, expected);
}

/* The first reading is the average. */
static void by_class(void **state)
{
	static const struct {
		double utilisation;
		double part[3];
	} cases[] = {
		{0, {0, 0, 0}},        {0.85, {0, 0, 0}},   {0.86, {0, 0, 0.1}},
		{0.90, {0, 0, 0.5}},   {0.92, {0, 0, 0.7}}, {0.95, {0, 0.375, 1}},
		{0.96, {0, 0.5, 1}},   {1.0, {0, 1, 1}},    {7, {0, 1, 1}},
		{INFINITY, {0, 1, 1}}, {-0.1, {0, 0, 0}},   {-INFINITY, {0, 0, 0}},
		{NAN, {0, 0, 0}},
	};
	struct shed_config config = shed_config_default();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (uint8_t priority = 0; priority <= 2; priority++) {
			struct shed_memory memory = {};

			assert_near(
				shed_part(&config, &memory, priority, cases[i].utilisation, 1000),
				cases[i].part[priority]);
		}
	}
}

static void follows(void **state)
{
	struct shed_config config = shed_config_default();
	struct shed_memory memory = {};

	(void)state;
	assert_near(shed_part(&config, &memory, 2, 0.5, 0), 0);
	/* One time constant: 1 - 1/e of the way up to 1. */
	assert_near(shed_part(&config, &memory, 2, 1, 2000), 0);
	assert_near(memory.average, 0.816060279);
	assert_near(shed_part(&config, &memory, 2, 1, 4000), (0.932332358 - 0.85) / 0.1);
	/* Down it goes more slowly. */
	shed_part(&config, &memory, 2, 0, 6000);
	assert_near(memory.average, 0.932332358 * exp(-2.0 / 6.0));
	/* Full once is not full for ever: what is above 2 counts as 2. */
	memory = (struct shed_memory){};
	shed_part(&config, &memory, 2, 1e300, 0);
	assert_near(memory.average, 2);
}

/* How often it is asked makes no difference. */
static void any_rhythm(void **state)
{
	struct shed_config config = shed_config_default();
	struct shed_memory seldom = {}, often = {};

	(void)state;
	shed_part(&config, &seldom, 2, 0.2, 0);
	shed_part(&config, &often, 2, 0.2, 0);
	for (int64_t at_ms = 100; at_ms <= 5000; at_ms += 100)
		shed_part(&config, &often, 2, 0.97, at_ms);
	shed_part(&config, &seldom, 2, 0.97, 5000);
	assert_near(often.average, seldom.average);
}

/* Noise around where it begins: it begins once and does not end. */
static void does_not_flap(void **state)
{
	struct shed_config config = shed_config_default();
	struct shed_memory memory = {};
	unsigned int changes = 0;
	bool was = false;

	(void)state;
	for (int64_t at_ms = 0; at_ms < 600000; at_ms += 1000) {
		double part = shed_part(&config, &memory, 2, at_ms / 1000 % 2 ? 0.87 : 0.83, at_ms);

		changes += (part > 0) != was;
		was = part > 0;
	}
	assert_in_range(changes, 0, 1);
	/* It does end once the average is a margin below. */
	memory = (struct shed_memory){};
	assert_near(shed_part(&config, &memory, 2, 0.9, 0), 0.5);
	memory.average = 0.83;
	assert_near(shed_part(&config, &memory, 2, 0.83, 1000), SHED_PART_MIN);
	memory.average = 0.81;
	assert_near(shed_part(&config, &memory, 2, 0.81, 2000), 0);
	memory.average = 0.83;
	assert_near(shed_part(&config, &memory, 2, 0.83, 3000), 0);
}

static void nobody_reports(void **state)
{
	struct shed_config config = shed_config_default();
	struct shed_memory memory = {};

	(void)state;
	assert_near(shed_part(&config, &memory, 2, NAN, 0), 0);
	assert_near(shed_part(&config, &memory, 2, 0.9, 1000), 0.5);
	assert_near(shed_part(&config, &memory, 2, NAN, 2000), 0.5);
	assert_near(shed_part(&config, &memory, 2, -1, 11000), 0.5);
	assert_near(shed_part(&config, &memory, 2, NAN, 11001), 0);
	assert_near(shed_part(&config, &memory, 2, 0.95, 12000), 1);
}

static void clock_jumps(void **state)
{
	struct shed_config config = shed_config_default();
	struct shed_memory memory = {};

	(void)state;
	assert_near(shed_part(&config, &memory, 2, 0.9, 1000000), 0.5);
	assert_near(shed_part(&config, &memory, 2, 0, INT64_MIN), 0.5);
	assert_near(shed_part(&config, &memory, 2, 0, INT64_MAX), 0);
	assert_near(memory.average, 0);
}

static void constants(void **state)
{
	static const char *const bad[] = {
		"shed.p2_from=",   "shed.p2_from",       "shed.p2_from=x",
		"shed.p2_from=-1", "shed.p2_from=nan",   "shed.p2_from=0x1",
		"shed.p2_from=1 ", "shed.p2_from=1.2.3", "shed.fall_ms=3600001"};
	struct shed_config config = shed_config_default();
	struct text_error error;

	(void)state;
	assert_null(shed_config_wrong(&config));
	assert_int_equal(shed_constant_set(&config, "shed.p2_from=0.7", &error), 0);
	assert_near(config.p2_from, 0.7);
	assert_int_equal(shed_constant_set(&config, "shed.forget_ms=500", &error), 0);
	assert_near(config.forget_ms, 500);
	assert_int_equal(shed_constant_set(&config, "shed.p2=0.7", &error), -ENOENT);
	assert_int_equal(shed_constant_set(&config, "edge.floor=0.7", &error), -ENOENT);
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (shed_constant_set(&config, bad[i], &error) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
	}
	assert_near(config.p2_from, 0.7);
	config.p2_from = config.p2_full;
	assert_non_null(strstr(shed_config_wrong(&config), "p2_from must be less"));
	config = shed_config_default();
	config.p1_from = 0.5;
	assert_non_null(strstr(shed_config_wrong(&config), "P1 must not give way before P2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_class),       cmocka_unit_test(follows),
		cmocka_unit_test(any_rhythm),     cmocka_unit_test(does_not_flap),
		cmocka_unit_test(nobody_reports), cmocka_unit_test(clock_jumps),
		cmocka_unit_test(constants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
