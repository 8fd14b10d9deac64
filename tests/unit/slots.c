/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "plan_world.h"
#include "user/core/slots.h"

#define GRACE_NS (60 * SECOND_NS)
#define NOW_NS   (1000 * SECOND_NS)

static void test_take_range(void **state)
{
	static const struct {
		const char *name;
		struct slot_range in_use[4];
		__u32 count;
		__u32 slots_max;
		int err;
		__u32 base;
	} cases[] = {
		{"empty", {}, 4096, 1 << 20, 0, 0},
		{"behind the first", {{0, 4096}}, 4096, 1 << 20, 0, 4096},
		{"aligned", {{0, 4096}}, 16384, 1 << 20, 0, 16384},
		{"in a gap", {{0, 4096}, {8192, 4096}}, 4096, 1 << 20, 0, 4096},
		{"gap too small", {{0, 4096}, {8192, 4096}}, 8192, 1 << 20, 0, 16384},
		{"the aligned half of a gap", {{0, 4096}, {16384, 8192}}, 8192, 1 << 20, 0, 8192},
		{"given in no order",
		 {{8192, 4096}, {0, 4096}, {4096, 4096}},
		 4096,
		 1 << 20,
		 0,
		 12288},
		{"within a larger one", {{0, 65536}, {4096, 4096}}, 4096, 1 << 20, 0, 65536},
		{"before all", {{32768, 32768}}, 32768, 65536, 0, 0},
		{"the last", {{0, 4096}}, 4096, 8192, 0, 4096},
		{"full", {{0, 4096}, {4096, 4096}}, 4096, 8192, -ENOSPC, 0},
		{"larger than all", {}, 8192, 4096, -ENOSPC, 0},
		{"scattered", {{4096, 4096}}, 8192, 12288, -ENOSPC, 0},
		{"end of all numbers", {{0, 1u << 31}}, 1u << 31, UINT32_MAX, -ENOSPC, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slot_ranges ranges = {};
		struct slot_range taken = {};
		int err;

		for (int r = 0; r < 4 && cases[i].in_use[r].count; r++)
			assert_int_equal(slot_ranges_add(&ranges, cases[i].in_use[r]), 0);
		err = slot_ranges_take(&ranges, cases[i].count, cases[i].slots_max, &taken);
		if (err != cases[i].err || taken.base != cases[i].base ||
		    (!err && taken.count != cases[i].count))
			fail_msg("%s: %d, %u slots from %u", cases[i].name, err, taken.count,
				 taken.base);
		/* What was taken is taken. */
		if (!err && !slot_ranges_take(&ranges, cases[i].count, cases[i].slots_max, &taken))
			assert_int_not_equal(taken.base, cases[i].base);
		free(ranges.range);
	}
}

static void test_take_many_ranges(void **state)
{
	enum { COUNT = 300 };
	struct slot_range taken[COUNT];
	struct slot_ranges ranges = {};

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		__u32 count = 4096 << i % 4;

		assert_int_equal(slot_ranges_take(&ranges, count, 1 << 23, &taken[i]), 0);
		assert_int_equal(taken[i].count, count);
		assert_int_equal(taken[i].base % count, 0);
		for (size_t j = 0; j < i; j++)
			assert_false(overlap(taken[i], taken[j]));
	}
	free(ranges.range);
}

static void test_wanted(void **state)
{
	struct model_backend backend = {.state = BACKEND_UP, .weight_milli = 70123};

	(void)state;
	assert_int_equal(backend_wanted(&backend), 0);
	resolve(&backend);
	assert_int_equal(backend_wanted(&backend), 70123);
	backend.next_hop.state = NEXT_HOP_NO_NEIGHBOUR;
	assert_int_equal(backend_wanted(&backend), 0);
	resolve(&backend);
	for (enum backend_state s = BACKEND_FREE; s <= BACKEND_GONE; s++) {
		backend.state = s;
		assert_int_equal(backend_wanted(&backend), s == BACKEND_UP ? 70123 : 0);
	}
}

/* Ids far apart, ids of others and none: each becomes the index of its backend or none. */
static void test_by_index(void **state)
{
	const struct slot map[] = {
		{{9, 9, 9}, 0},    {{7, 4000, 8}, 0},  {{4000, 65535, 65535}, 0},
		{{1, 6, 4001}, 0}, {{65534, 0, 7}, 0},
	};
	const struct slots_view view = {.slots = map, .slot_count = 5};
	const struct model_backend backends[] = {{.id = 8}, {.id = 4000}, {.id = 7}};
	struct slot slots[4];

	(void)state;
	assert_int_equal(slots_by_index(&view, (struct slot_range){1, 4}, backends, 3, slots), 0);
	assert_memory_equal(slots,
			    ((struct slot[]){{{2, 1, 0}, 0},
					     {{1, 65535, 65535}, 0},
					     {{65535, 65535, 65535}, 0},
					     {{65535, 65535, 2}, 0}}),
			    sizeof(slots));
	assert_int_equal(slots_by_index(&view, (struct slot_range){1, 1}, backends, 0, slots), 0);
	assert_int_equal(slots[0].candidate[0], 65535);
}

/* "web" with @count reachable backends of weight 100, planned once. */
static void world_of(struct world *world, unsigned int count)
{
	world_open(world, 1 << 18);
	add_service(&world->model, "web", "192.0.2.1", 80);
	world_add_backends(world, "web", 0, count);
	world_plan(world, NOW_NS);
}

static void check_kept(const char *label, struct world *world, struct slot_range before)
{
	const struct model_service *service = world_service(world, "web");

	if (world->plan.new_slots_count || service->slots.base != before.base ||
	    service->slots.count != before.count || service->old_slots.count)
		fail_msg("%s: %zu tables, slots at %u, %u old", label, world->plan.new_slots_count,
			 service->slots.base, service->old_slots.count);
}

static void check_moved(const char *label, struct world *world, struct slot_range before,
			__u64 now_ns)
{
	const struct model_service *service = world_service(world, "web");

	if (world->plan.new_slots_count != 1 || overlap(service->slots, before))
		fail_msg("%s: %zu tables, slots from %u to %u", label, world->plan.new_slots_count,
			 before.base, service->slots.base);
	assert_memory_equal(&world->plan.new_slots[0].range, &service->slots, sizeof(before));
	assert_memory_equal(&service->old_slots, &before, sizeof(before));
	if (service->old_until_ns != now_ns + GRACE_NS)
		fail_msg("%s: until %llu", label, (unsigned long long)service->old_until_ns);
}

static void test_fresh_service(void **state)
{
	struct world world;
	const struct model_service *service;

	(void)state;
	world_of(&world, 5);
	service = world_service(&world, "web");
	assert_int_equal(world.plan.new_slots_count, 1);
	assert_int_equal(service->slots.base, 0);
	assert_int_equal(service->slots.count, 4096);
	assert_int_equal(service->old_slots.count, 0);
	assert_int_equal(service->old_until_ns, 0);
	for (__u32 i = 0; i < 4096; i++) {
		const __u16 *id = world.slots[i].candidate;

		assert_in_range(id[0], 1, 5);
		assert_in_range(id[1], 1, 5);
		assert_in_range(id[2], 1, 5);
		assert_true(id[0] != id[1] && id[1] != id[2] && id[0] != id[2]);
		assert_int_equal(world.slots[i].spare, 0);
	}
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(world.model.backends[i].table_weight, 100);
		assert_true(world.model.backends[i].bias > 60000);
	}
	world_close(&world);
}

static void test_service_without_backends(void **state)
{
	struct world world;

	(void)state;
	world_of(&world, 0);
	assert_int_equal(world_service(&world, "web")->slots.count, 4096);
	for (__u32 i = 0; i < 4096; i++)
		assert_int_equal(world.slots[i].candidate[0], 65535);
	world_plan(&world, NOW_NS);
	assert_int_equal(world.plan.new_slots_count, 0);
	world_close(&world);
}

static void test_slot_count(void **state)
{
	struct world world;
	struct slot_range before;

	(void)state;
	world_open(&world, 1 << 18);
	add_service(&world.model, "web", "192.0.2.1", 80);
	world_service(&world, "web")->slot_count = 65536;
	world_add_backends(&world, "web", 0, 33);
	world_plan(&world, NOW_NS);
	before = world_service(&world, "web")->slots;
	assert_int_equal(before.count, 65536);

	world_service(&world, "web")->slot_count = 0;
	world_plan(&world, NOW_NS);
	check_moved("by the number of backends", &world, before, NOW_NS);
	assert_int_equal(world_service(&world, "web")->slots.count, 8192);
	world_close(&world);
}

static void weight_change(struct world *world)
{
	world_weight(world, "web", "b3", 55500);
}

static void drain(struct world *world)
{
	world_backend(world, "web", "b3")->state = BACKEND_DRAIN;
}

static void take_down(struct world *world)
{
	world_backend(world, "web", "b3")->state = BACKEND_DOWN;
}

static void lose_way(struct world *world)
{
	world_backend(world, "web", "b3")->next_hop.state = NEXT_HOP_NO_ROUTE;
}

static void lose_all_ways(struct world *world)
{
	for (size_t i = 0; i < world->model.backend_count; i++)
		world->model.backends[i].next_hop.state = NEXT_HOP_NO_ROUTE;
}

static void leave_one(struct world *world)
{
	lose_all_ways(world);
	resolve(world_backend(world, "web", "b3"));
}

static void nothing(struct world *world)
{
	(void)world;
}

static void add(struct world *world)
{
	world_add_backends(world, "web", 10, 1);
}

static void add_without_weight(struct world *world)
{
	add(world);
	world_backend(world, "web", "b10")->base_weight = 0;
	world_weight(world, "web", "b10", 0);
}

static void delete (struct world *world)
{
	del_backend(&world->model, "web", "b3", NOW_NS);
}

static void swap(struct world *world)
{
	delete (world);
	add(world);
}

static void set_base(struct world *world, const char *backend, __u16 weight)
{
	struct text_error error;

	assert_int_equal(model_backend_set(&world->model, "web", backend, &weight, NULL, &error),
			 0);
}

static void edit_base(struct world *world)
{
	set_base(world, "b3", 101);
}

static void edit_base_to_nothing(struct world *world)
{
	set_base(world, "b3", 0);
}

static void set_same_base(struct world *world)
{
	set_base(world, "b3", 100);
}

/* What makes a new table and what does not; and whether b3 takes new flows then. */
static void test_changes(void **state)
{
	static const struct {
		const char *name;
		void (*change)(struct world *world);
		bool moves;
		bool b3_takes;
	} cases[] = {
		{"nothing", nothing, false, true},
		{"weight", weight_change, false, true},
		{"drain", drain, false, false},
		{"down", take_down, false, false},
		{"unreachable", lose_way, false, false},
		{"all unreachable", lose_all_ways, false, false},
		{"one left", leave_one, false, true},
		{"the same base weight", set_same_base, false, true},
		{"added without weight", add_without_weight, false, true},
		{"added", add, true, true},
		{"deleted", delete, true, false},
		{"one for another", swap, true, false},
		{"base weight", edit_base, true, true},
		{"base weight 0", edit_base_to_nothing, true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct model_backend *b3;
		struct slot_range before;
		struct world world;

		world_of(&world, 10);
		before = world_service(&world, "web")->slots;
		cases[i].change(&world);
		world_plan(&world, NOW_NS + 5);
		if (cases[i].moves)
			check_moved(cases[i].name, &world, before, NOW_NS + 5);
		else
			check_kept(cases[i].name, &world, before);
		b3 = model_backend_find(&world.model, 1, "b3");
		if ((b3 && b3->bias) != cases[i].b3_takes)
			fail_msg("%s: bias of b3 is %d", cases[i].name, b3 ? b3->bias : -1);
		/* One change makes one table: it is not made again. */
		before = world_service(&world, "web")->slots;
		world_plan(&world, NOW_NS + 6);
		if (world.plan.new_slots_count ||
		    world_service(&world, "web")->slots.base != before.base)
			fail_msg("%s: made again", cases[i].name);
		world_close(&world);
	}
}

static void test_biases_follow(void **state)
{
	struct world world;
	__u16 before;

	(void)state;
	world_of(&world, 10);
	before = world_backend(&world, "web", "b3")->bias;
	world_weight(&world, "web", "b3", 50000);
	world_plan(&world, NOW_NS);
	assert_in_range(world_backend(&world, "web", "b3")->bias, before / 3, before * 2 / 3);
	assert_int_equal(world_backend(&world, "web", "b3")->table_weight, 100);
	world_close(&world);
}

/* Two changes within the grace period: the first old slots go, the second's are kept. */
static void test_second_change(void **state)
{
	struct slot_range first, second;
	struct world world;

	(void)state;
	world_of(&world, 10);
	first = world_service(&world, "web")->slots;
	add(&world);
	world_plan(&world, NOW_NS);
	second = world_service(&world, "web")->slots;
	edit_base(&world);
	world_plan(&world, NOW_NS + SECOND_NS);
	check_moved("second change", &world, second, NOW_NS + SECOND_NS);
	assert_false(overlap(world_service(&world, "web")->slots, first));
	world_close(&world);
}

static void test_no_room(void **state)
{
	struct text_error error;
	struct world world;

	(void)state;
	world_open(&world, 8192);
	add_service(&world.model, "web", "192.0.2.1", 80);
	world_add_backends(&world, "web", 0, 3);
	world_plan(&world, NOW_NS);
	add_service(&world.model, "dns", "192.0.2.2", 53);
	world_plan(&world, NOW_NS);
	add_service(&world.model, "mail", "192.0.2.3", 25);
	assert_int_equal(world_try(&world, NOW_NS, &error), -ENOSPC);
	assert_string_equal(error.what,
			    "no room for the slots of service \"mail\": all services share 8192, "
			    "and those replaced less than 60 s ago count; load with a larger "
			    "slots_max");
	assert_null(world.plan.services);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest slots[] = {
		cmocka_unit_test(test_take_range),
		cmocka_unit_test(test_take_many_ranges),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_by_index),
		cmocka_unit_test(test_fresh_service),
		cmocka_unit_test(test_service_without_backends),
		cmocka_unit_test(test_slot_count),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_biases_follow),
		cmocka_unit_test(test_second_change),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests_name("slots", slots, NULL, NULL);
}
