/* SPDX-License-Identifier: GPL-2.0-only */
/* Weights that biases alone cannot reach: the wanted weights make the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plan_world.h"
#include "user/core/slots.h"

#define NOW_NS (1000 * SECOND_NS)

/* "web" with @count reachable backends of weight 100, planned once. */
static void world_of(struct world *world, unsigned int count)
{
	world_open(world, 1 << 18);
	add_service(&world->model, "web", "192.0.2.1", 80);
	world_add_backends(world, "web", 0, count);
	world_plan(world, NOW_NS);
}

static __u32 slots_base(struct world *world)
{
	return world_service(world, "web")->slots.base;
}

/* The largest error of a share, as a part of the wanted share. */
static double worst_error(struct world *world)
{
	double sum = 0, worst = 0;

	for (size_t i = 0; i < world->model.backend_count; i++)
		sum += backend_wanted(&world->model.backends[i]);
	for (size_t i = 0; i < world->model.backend_count; i++) {
		const struct model_backend *backend = &world->model.backends[i];
		double wanted = backend_wanted(backend) / sum;

		if (wanted > 0)
			worst = fmax(worst,
				     fabs(world_share(world, "web", backend->name) / wanted - 1));
	}
	return worst;
}

static void weigh(struct world *world, unsigned int first, unsigned int end, __u32 weight_milli)
{
	char name[16];

	for (unsigned int i = first; i < end; i++) {
		snprintf(name, sizeof(name), "b%u", i);
		world_weight(world, "web", name, weight_milli);
	}
}

static void test_hundred_to_one(void **state)
{
	static const struct {
		const char *name;
		unsigned int count, heavy;
		bool rebases;
	} cases[] = {
		/* Up to three backends stand in every slot: biases reach everything. */
		{"1 of 2", 2, 1, false},  {"1 of 3", 3, 1, false},    {"2 of 3", 3, 2, false},
		{"1 of 10", 10, 1, true}, {"5 of 10", 10, 5, true},   {"9 of 10", 10, 9, false},
		{"1 of 30", 30, 1, true}, {"15 of 30", 30, 15, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world world;
		double worst;
		__u32 base;

		world_of(&world, cases[i].count);
		base = slots_base(&world);
		weigh(&world, 0, cases[i].heavy, 100000);
		weigh(&world, cases[i].heavy, cases[i].count, 1000);
		world_plan(&world, NOW_NS);
		worst = worst_error(&world);
		if (worst > 0.01)
			fail_msg("%s: error %.4f", cases[i].name, worst);
		if ((slots_base(&world) != base) != cases[i].rebases)
			fail_msg("%s: slots from %u to %u", cases[i].name, base,
				 slots_base(&world));

		base = slots_base(&world);
		weigh(&world, 0, 1, 95000);
		world_plan(&world, NOW_NS);
		if (slots_base(&world) != base || world.plan.new_slots_count)
			fail_msg("%s: copied again for a small change", cases[i].name);
		worst = worst_error(&world);
		if (worst > 0.01)
			fail_msg("%s: error %.4f after a small change", cases[i].name, worst);
		world_close(&world);
	}
}

/* One of ten stands in about 0.3 of the slots and can win 0.97 of them: 0.28 fits, 0.302 does not. */
static void test_just_out_of_reach(void **state)
{
	struct world world;

	(void)state;
	world_of(&world, 10);
	weigh(&world, 0, 1, 350000);
	world_plan(&world, NOW_NS);
	assert_int_equal(slots_base(&world), 0);
	assert_true(worst_error(&world) < 0.01);
	weigh(&world, 0, 1, 390000);
	world_plan(&world, NOW_NS);
	assert_int_equal(slots_base(&world), 4096);
	assert_true(worst_error(&world) < 0.01);
	world_close(&world);
}

static void test_rebase_keeps_old_slots(void **state)
{
	const struct model_service *service;
	struct world world;

	(void)state;
	world_of(&world, 10);
	weigh(&world, 0, 9, 1000);
	world_plan(&world, NOW_NS);
	service = world_service(&world, "web");
	assert_int_equal(service->slots.base, 4096);
	assert_int_equal(service->old_slots.base, 0);
	assert_int_equal(service->old_slots.count, 4096);
	assert_int_equal(service->old_until_ns, NOW_NS + 60 * SECOND_NS);
	assert_int_equal(world_backend(&world, "web", "b9")->table_weight, 65535);
	assert_int_equal(world_backend(&world, "web", "b0")->table_weight, 655);
	assert_int_equal(world_backend(&world, "web", "b0")->base_weight, 100);
	world_close(&world);
}

/* The same table as at first, when the one of other weights cannot serve the base weights. */
static void test_way_back(void **state)
{
	struct slot first[4096];
	struct world world;

	(void)state;
	world_of(&world, 10);
	memcpy(first, world.slots, sizeof(first));
	weigh(&world, 0, 5, 1000);
	world_plan(&world, NOW_NS);
	assert_int_equal(slots_base(&world), 4096);
	weigh(&world, 0, 5, 100000);
	world_plan(&world, NOW_NS + SECOND_NS);
	assert_int_equal(slots_base(&world), 8192);
	assert_memory_equal(world.slots + 8192, first, sizeof(first));
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(world.model.backends[i].table_weight, 100);
	assert_true(worst_error(&world) < 0.001);
	world_close(&world);
}

static void test_from_one_rebase_to_another(void **state)
{
	struct world world;

	(void)state;
	world_of(&world, 10);
	for (unsigned int i = 0; i < 10; i++) {
		weigh(&world, 0, 10, 1000);
		weigh(&world, i, i + 1, 100000);
		world_plan(&world, NOW_NS + i);
		if (worst_error(&world) > 0.01)
			fail_msg("b%u: error %.4f", i, worst_error(&world));
	}
	world_close(&world);
}

static void test_base_edit_after_rebase(void **state)
{
	struct text_error error;
	struct world world;
	__u16 weight = 200;

	(void)state;
	world_of(&world, 10);
	weigh(&world, 0, 9, 1000);
	world_plan(&world, NOW_NS);
	assert_int_equal(slots_base(&world), 4096);

	/* Not enough to do without a re-base: the table is made of the weights of now. */
	assert_int_equal(model_backend_set(&world.model, "web", "b0", &weight, NULL, &error), 0);
	world_plan(&world, NOW_NS + 1);
	assert_int_equal(slots_base(&world), 8192);
	assert_int_equal(world_backend(&world, "web", "b0")->table_weight, 65535);
	assert_int_equal(world_backend(&world, "web", "b9")->table_weight, 32767);
	assert_true(worst_error(&world) < 0.01);

	/* With the weights at their bases an edit brings the table of the base weights back. */
	weigh(&world, 0, 1, 200000);
	weigh(&world, 1, 10, 100000);
	weight = 150;
	assert_int_equal(model_backend_set(&world.model, "web", "b1", &weight, NULL, &error), 0);
	world_plan(&world, NOW_NS + 2);
	assert_int_equal(world_backend(&world, "web", "b0")->table_weight, 200);
	assert_int_equal(world_backend(&world, "web", "b1")->table_weight, 150);
	assert_int_equal(world_backend(&world, "web", "b9")->table_weight, 100);
	assert_true(worst_error(&world) < 0.001);
	world_close(&world);
}

/* Who is drained while the table is made anew must find slots when he comes back. */
static void test_drained_keeps_slots(void **state)
{
	struct world world;
	__u32 base;

	(void)state;
	world_of(&world, 10);
	weigh(&world, 1, 10, 1000);
	world_backend(&world, "web", "b5")->state = BACKEND_DRAIN;
	world_plan(&world, NOW_NS);
	assert_int_equal(world_backend(&world, "web", "b5")->table_weight, 1);
	assert_int_equal(world_backend(&world, "web", "b5")->bias, 0);

	base = slots_base(&world);
	assert_int_not_equal(base, 0);
	world_backend(&world, "web", "b5")->state = BACKEND_UP;
	world_plan(&world, NOW_NS + 1);
	assert_int_equal(slots_base(&world), base);
	assert_true(worst_error(&world) < 0.01);
	world_close(&world);
}

/* A share too small for any bias of 16 bits: another table for every change would not help it. */
static void test_no_table_helps(void **state)
{
	unsigned int tables = 0;
	struct world world;

	(void)state;
	world_of(&world, 10);
	for (unsigned int i = 0; i < 20; i++) {
		weigh(&world, 0, 10, 45000000 + 2000000 * (i * 7 % 10));
		weigh(&world, 3, 4, 1 + i % 2);
		world_plan(&world, NOW_NS + i);
		tables += world.plan.new_slots_count;
	}
	assert_in_range(tables, 0, 1);
	world_close(&world);
}

/* A weight by hand for a backend without a base weight: it gets slots, and gives them back. */
static void test_weight_without_base(void **state)
{
	struct world world;
	__u16 id;

	(void)state;
	world_of(&world, 10);
	world_add_backends(&world, "web", 10, 1);
	world_backend(&world, "web", "b10")->base_weight = 0;
	world_weight(&world, "web", "b10", 0);
	world_plan(&world, NOW_NS);
	assert_int_equal(slots_base(&world), 0);
	world_weight(&world, "web", "b10", 100000);
	world_plan(&world, NOW_NS);
	assert_int_not_equal(slots_base(&world), 0);
	assert_true(worst_error(&world) < 0.01);

	world_weight(&world, "web", "b10", 0);
	world_plan(&world, NOW_NS + 1);
	id = world_backend(&world, "web", "b10")->id;
	assert_int_equal(world.model.backends[2].id, id);
	assert_int_equal(world.model.backends[2].bias, 0);
	assert_true(worst_error(&world) < 0.01);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest rebase[] = {
		cmocka_unit_test(test_hundred_to_one),
		cmocka_unit_test(test_just_out_of_reach),
		cmocka_unit_test(test_rebase_keeps_old_slots),
		cmocka_unit_test(test_way_back),
		cmocka_unit_test(test_from_one_rebase_to_another),
		cmocka_unit_test(test_base_edit_after_rebase),
		cmocka_unit_test(test_drained_keeps_slots),
		cmocka_unit_test(test_no_table_helps),
		cmocka_unit_test(test_weight_without_base),
	};

	return cmocka_run_group_tests_name("slots_rebase", rebase, NULL, NULL);
}
