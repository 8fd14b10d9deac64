/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "contenders.h"

/* The sizes that every property is looked at. */
static const struct {
	__u32 count, slot_count;
} sizes[] = {{10, 4096}, {100, 16384}, {1000, 131072}};

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void test_slot_count_default(void **state)
{
	static const __u32 expected[][2] = {
		{0, 4096},
		{1, 4096},
		{32, 4096},
		{33, 8192},
		{100, 16384},
		{128, 16384},
		{129, 32768},
		{4000, 524288},
		{8192, 1048576},
		{65534, 1048576},
		{UINT32_MAX, 1048576},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(slot_count_default(expected[i][0]), expected[i][1]);
}

static void test_refused(void **state)
{
	struct contender *contenders = contenders_draw(4, 1);
	struct slot slots[8];

	(void)state;
	assert_int_equal(candidates_build(contenders, 4, slots, 8), 0);
	assert_int_equal(candidates_build(contenders, 4, slots, 0), -EINVAL);
	assert_int_equal(candidates_build(contenders, 4, slots, 6), -EINVAL);
	assert_int_equal(candidates_build(contenders, 4, slots, 2097152), -EINVAL);
	assert_int_equal(candidates_build(contenders, 65535, slots, 8), -EINVAL);
	contenders[3].identity = contenders[0].identity;
	assert_int_equal(candidates_build(contenders, 4, slots, 8), -EINVAL);
	contenders[3].table_weight = 0;
	assert_int_equal(candidates_build(contenders, 4, slots, 8), -EINVAL);
	free(contenders);
}

/* FNV-1a. Another machine, compiler or library must come to the same numbers. */
static void test_golden(void **state)
{
	static const struct {
		__u32 count, slot_count;
		__u64 hash;
	} golden[] = {
		{2, 4096, 0xd904e0f0bd6944d7},
		{10, 4096, 0x71520dc0b1c917bb},
		{100, 16384, 0x6bdb7c5c346b3dc},
		{3, 1048576, 0x821441a9e0d448e5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		struct contender *contenders = contenders_draw(golden[i].count, 42);
		struct slot *slots;
		__u64 hash = 0xcbf29ce484222325;

		for (__u32 j = 0; j < golden[i].count; j++)
			contenders[j].table_weight = 50 + j * 37 % 101;
		slots = contenders_table(contenders, golden[i].count, golden[i].slot_count);
		for (__u32 s = 0; s < golden[i].slot_count; s++) {
			for (int c = 0; c < CANDIDATES; c++)
				hash = (hash ^ slots[s].candidate[c]) * 0x100000001b3;
			hash = (hash ^ slots[s].spare) * 0x100000001b3;
		}
		if (hash != golden[i].hash)
			print_error("table of %u: %#llx\n", golden[i].count, hash);
		assert_true(hash == golden[i].hash);
		free(slots);
		free(contenders);
	}
}

static void count_slots(const struct slot *slots, __u32 slot_count, __u32 *held, __u32 *won)
{
	for (__u32 s = 0; s < slot_count; s++) {
		assert_int_not_equal(slots[s].candidate[0], slots[s].candidate[1]);
		assert_int_not_equal(slots[s].candidate[0], slots[s].candidate[2]);
		assert_int_not_equal(slots[s].candidate[1], slots[s].candidate[2]);
		won[slots[s].candidate[0]]++;
		for (int c = 0; c < CANDIDATES; c++)
			held[slots[s].candidate[c]]++;
	}
}

static void test_equal_weights_share_slots_equally(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		__u32 count = sizes[i].count, slot_count = sizes[i].slot_count;
		/* Each stands in 3 M / N slots give or take 2 to 3 %; four times that is far out. */
		__u32 expected = 3 * slot_count / count, tolerance = expected * 12 / 100;
		struct contender *contenders = contenders_draw(count, 7);
		struct slot *slots = contenders_table(contenders, count, slot_count);
		__u32 *held = calloc(count, sizeof(*held)), *won = calloc(count, sizeof(*won));

		count_slots(slots, slot_count, held, won);
		for (__u32 j = 0; j < count; j++) {
			assert_in_range(held[j], expected - tolerance, expected + tolerance);
			assert_in_range(won[j], expected / 3 * 3 / 4, expected / 3 * 5 / 4);
		}
		free(held);
		free(won);
		free(slots);
		free(contenders);
	}
}

/* With w of the sum of weights, a backend is first in w of the slots. */
static void test_winners_follow_weights(void **state)
{
	static const __u32 weights[3] = {50, 100, 200};
	static const __u32 expected[3] = {18725, 37449, 74898}; /* of 131072: 1/7, 2/7, 4/7 */
	struct contender *contenders = contenders_draw(999, 8);
	__u32 held[999] = {0}, won[999] = {0}, sums[3] = {0};
	struct slot *slots;

	(void)state;
	for (int j = 0; j < 999; j++)
		contenders[j].table_weight = weights[j % 3];
	slots = contenders_table(contenders, 999, 131072);
	count_slots(slots, 131072, held, won);
	for (int j = 0; j < 999; j++)
		sums[j % 3] += won[j];
	for (int class = 0; class < 3; class ++)
		assert_in_range(sums[class], expected[class] * 99 / 100,
				expected[class] * 101 / 100);
	free(slots);
	free(contenders);
}

/* Few different weights, so that many arrivals are at the same time and identity decides. */
static void test_order_of_input_does_not_matter(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		__u32 count = sizes[i].count, slot_count = sizes[i].slot_count;
		struct contender *contenders = contenders_draw(count, 9);
		struct contender *shuffled = contenders_draw(count, 9);
		struct slot *slots, *others;
		__u64 random = 10;

		for (__u32 j = 0; j < count; j++)
			contenders[j].table_weight = shuffled[j].table_weight = 100 + j % 3;
		for (__u32 j = count - 1; j > 0; j--) {
			__u32 other = random_below(&random, j + 1);
			struct contender swap = shuffled[j];

			shuffled[j] = shuffled[other];
			shuffled[other] = swap;
		}
		slots = contenders_table(contenders, count, slot_count);
		others = contenders_table(shuffled, count, slot_count);
		for (__u32 s = 0; s < slot_count; s++)
			for (int c = 0; c < CANDIDATES; c++)
				assert_true(contenders[slots[s].candidate[c]].identity ==
					    shuffled[others[s].candidate[c]].identity);
		free(slots);
		free(others);
		free(shuffled);
		free(contenders);
	}
}

struct moves {
	__u32 before, after; /* slots that hold the backend that is changed */
	__u32 moved;         /* candidates that are not in the slot any more */
	__u32 strange;       /* slots that changed though they never held it */
};

/* @index is the same in both tables. */
static struct moves compare(const struct slot *old, const struct slot *new, __u32 slot_count,
			    __u32 index)
{
	struct moves moves = {0};

	for (__u32 s = 0; s < slot_count; s++) {
		bool before = slot_holds(&old[s], index), after = slot_holds(&new[s], index);
		__u32 gone = 0;

		for (int c = 0; c < CANDIDATES; c++)
			gone += !slot_holds(&new[s], old[s].candidate[c]);
		moves.before += before;
		moves.after += after;
		moves.moved += gone;
		moves.strange += gone && !before && !after;
	}
	return moves;
}

/*
 * The least that can move is what the backend has afterwards more or less than before, and nothing
 * moves but that. Changing the weight of the last contender stands for add and remove as well.
 */
static void test_nothing_else_moves(void **state)
{
	static const struct {
		const char *name;
		__u16 from, to;
	} changes[] = {
		{"added", 0, 100},    {"removed", 100, 0},    {"doubled", 100, 200},
		{"halved", 100, 50},  {"a little", 100, 101}, {"a tenth", 100, 10},
		{"tenfold", 20, 200},
	};

	(void)state;
	for (size_t i = 0; i < SIZES * sizeof(changes) / sizeof(changes[0]); i++) {
		__u32 count = sizes[i % SIZES].count, slot_count = sizes[i % SIZES].slot_count;
		__u32 least;
		struct contender *contenders = contenders_draw(count, 11);
		struct slot *old, *new;
		struct moves moves;

		contenders[count - 1].table_weight = changes[i / SIZES].from;
		old = contenders_table(contenders, count, slot_count);
		contenders[count - 1].table_weight = changes[i / SIZES].to;
		new = contenders_table(contenders, count, slot_count);
		moves = compare(old, new, slot_count, count - 1);
		least = moves.after > moves.before ? moves.after - moves.before
						   : moves.before - moves.after;
		if (moves.moved != least || moves.strange)
			print_error("%s of %u: %u moved, %u needed, %u strange slots\n",
				    changes[i / SIZES].name, count, moves.moved, least,
				    moves.strange);
		assert_int_equal(moves.moved, least);
		assert_int_equal(moves.strange, 0);
		assert_int_not_equal(least, 0);
		free(old);
		free(new);
		free(contenders);
	}
}

/* That a removed backend leaves the list, and does not stay with weight 0, changes nothing. */
static void test_removed_is_weight_zero(void **state)
{
	struct contender *contenders = contenders_draw(100, 12);
	struct slot *old, *new;

	(void)state;
	contenders[99].table_weight = 0;
	old = contenders_table(contenders, 100, 16384);
	new = contenders_table(contenders, 99, 16384);
	assert_memory_equal(old, new, 16384 * sizeof(*old));
	free(old);
	free(new);
	free(contenders);
}

static void test_fewer_than_three(void **state)
{
	struct contender *contenders = contenders_draw(3, 13);

	(void)state;
	for (__u32 live = 0; live <= 3; live++) {
		struct slot *slots;
		__u32 won[3] = {0};

		for (__u32 j = 0; j < 3; j++)
			contenders[j].table_weight = j < live ? 100 : 0;
		slots = contenders_table(contenders, 3, 4096);
		for (__u32 s = 0; s < 4096; s++) {
			for (__u32 c = 0; c < CANDIDATES; c++) {
				if (c >= live)
					assert_int_equal(slots[s].candidate[c], 0xffff);
				else
					assert_in_range(slots[s].candidate[c], 0, live - 1);
			}
			if (live)
				won[slots[s].candidate[0]]++;
		}
		for (__u32 j = 0; j < live; j++)
			assert_in_range(won[j], 4096 / live * 9 / 10, 4096 / live * 11 / 10);
		free(slots);
	}
	free(contenders);
}

/* The mean of the weights is 1013 or so: a sixteenth is 63, and the power of two below it is 32. */
static void test_floor(void **state)
{
	static const struct {
		__u16 weight;
		bool same;
	} cases[] = {{2, true}, {31, true}, {32, true}, {64, false}};
	struct contender *contenders = contenders_draw(100, 14);
	struct slot *slots, *others;
	struct moves moves;

	(void)state;
	for (__u32 j = 0; j < 100; j++)
		contenders[j].table_weight = j ? 1024 : 1;
	slots = contenders_table(contenders, 100, 16384);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		contenders[0].table_weight = cases[i].weight;
		others = contenders_table(contenders, 100, 16384);
		assert_int_equal(!memcmp(slots, others, 16384 * sizeof(*slots)), cases[i].same);
		free(others);
	}

	/* The floor holds still: another's removal moves nothing of the one that stands on it. */
	contenders[0].table_weight = 1;
	contenders[99].table_weight = 0;
	others = contenders_table(contenders, 100, 16384);
	moves = compare(slots, others, 16384, 99);
	assert_int_equal(moves.moved, moves.before);
	assert_int_equal(moves.strange, 0);

	moves = compare(slots, slots, 16384, 0);
	assert_in_range(moves.after, 8, 32); /* 3 * 16384 / 100 * 32 / 1024 = 15 */
	free(slots);
	free(others);
	free(contenders);
}

/* A table with one giant is one in which most slots wait long for a third. */
static void test_extreme_weights(void **state)
{
	struct contender *contenders = contenders_draw(100, 15);
	__u32 held[100] = {0}, won[100] = {0};
	struct slot *slots;

	(void)state;
	for (__u32 j = 0; j < 100; j++)
		contenders[j].table_weight = j ? 1 : 65535;
	slots = contenders_table(contenders, 100, 16384);
	count_slots(slots, 16384, held, won);
	/* The mean is 656, the floor 32: the giant has 65535 / (65535 + 99 * 32). */
	assert_in_range(won[0], 15600, 15680);
	assert_in_range(held[0], 16370, 16384);
	for (__u32 j = 1; j < 100; j++)
		assert_in_range(held[j], 260, 400);
	free(slots);
	free(contenders);
}

/* The smallest tables are of no use, but must not break. */
static void test_tiny_tables(void **state)
{
	struct contender *contenders = contenders_draw(50, 16);

	(void)state;
	for (__u32 slot_count = 1; slot_count <= 64; slot_count *= 2) {
		struct slot *slots = contenders_table(contenders, 50, slot_count);
		__u32 held[50] = {0}, won[50] = {0};

		assert_non_null(slots);
		count_slots(slots, slot_count, held, won);
		free(slots);
	}
	free(contenders);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slot_count_default),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_equal_weights_share_slots_equally),
		cmocka_unit_test(test_winners_follow_weights),
		cmocka_unit_test(test_order_of_input_does_not_matter),
		cmocka_unit_test(test_nothing_else_moves),
		cmocka_unit_test(test_removed_is_weight_zero),
		cmocka_unit_test(test_fewer_than_three),
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_extreme_weights),
		cmocka_unit_test(test_tiny_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
