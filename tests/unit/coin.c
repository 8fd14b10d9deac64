/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "../../user/core/bias.h"
#include "contenders.h"

#define ONE (1 << 30) /* all flows, as bias_shares() counts */

static void test_share_of_one_slot(void **state)
{
	static const struct {
		const char *name;
		__u16 bias[3];
		__u32 share[3];
	} cases[] = {
		{"equal", {65535, 65535, 65535}, {357913941, 357913941, 357913941}},
		{"equal and small", {7, 7, 7}, {357913941, 357913941, 357913941}},
		{"one", {0, 9, 0}, {0, 1073741824, 0}},
		{"two equal", {500, 0, 500}, {536870912, 0, 536870912}},
		{"1:2 is a quarter", {0, 10000, 20000}, {0, 268435456, 805306368}},
		/* 2/3; 1/2 / 2 - 1/8 / 6; 1/4 / 2 - 1/8 / 6 */
		{"4:2:1", {60000, 30000, 15000}, {715827883, 246065835, 111848107}},
		{"1:2:4", {15000, 30000, 60000}, {111848107, 246065835, 715827883}},
		/* s = 1/65535: s/3 - s/6 of it each, and little less than all */
		{"extreme", {1, 65535, 1}, {8192, 1073725440, 8192}},
	};
	const struct slot slot = {{0, 1, 2}, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		__u32 share[3], unserved;

		assert_int_equal(bias_shares(&slot, 1, cases[i].bias, 3, share, &unserved), 0);
		assert_int_equal(unserved, 0);
		for (int j = 0; j < 3; j++) {
			if (labs((long)share[j] - cases[i].share[j]) > 4)
				fail_msg("%s: backend %d has %u", cases[i].name, j, share[j]);
		}
	}
}

/* Backend 1 is the only live one and stands in one slot, which four slots before it can reach. */
static void test_probes(void **state)
{
	static const struct {
		const char *name;
		__u32 slot_count, live_slot;
		__u32 share, unserved;
	} cases[] = {
		{"in the middle", 8, 5, 5 * (ONE / 8), 3 * (ONE / 8)},
		{"round the end", 8, 1, 5 * (ONE / 8), 3 * (ONE / 8)},
		{"sixteen", 16, 15, 5 * (ONE / 16), 11 * (ONE / 16)},
		{"four", 4, 2, ONE, 0},
		{"one", 1, 0, ONE, 0},
		{"nowhere", 8, 8, 0, ONE},
	};
	static const __u16 bias[2] = {0, 100};
	static const __u32 wanted[2] = {0, 1};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		__u32 share[2], unserved;
		__u16 solved[2];
		struct slot slots[17];
		struct bias_fit fit;

		for (int s = 0; s < 17; s++)
			slots[s] = (struct slot){{0, 0xffff, 0xffff}, 0};
		slots[cases[i].live_slot].candidate[1] = 1;
		assert_int_equal(bias_shares(slots, cases[i].slot_count, bias, 2, share, &unserved),
				 0);
		assert_int_equal(bias_solve(slots, cases[i].slot_count, wanted, 2, solved, &fit),
				 0);
		if (share[1] != cases[i].share || unserved != cases[i].unserved)
			print_error("%s\n", cases[i].name);
		assert_int_equal(share[0], 0);
		assert_int_equal(share[1], cases[i].share);
		assert_int_equal(unserved, cases[i].unserved);
		assert_int_equal(fit.unserved_ppm, (long long)cases[i].unserved * 1000000 / ONE);
	}
}

/* With 30 % of backends drained, 0.3^3 of the slots are empty, and probing finds nearly all. */
static void test_drained(void **state)
{
	struct contender *contenders = contenders_draw(100, 21);
	struct slot *slots = contenders_table(contenders, 100, 16384);
	__u32 share[100], unserved, empty = 0;
	__u64 sum = 0;
	__u16 bias[100];

	(void)state;
	for (int i = 0; i < 100; i++)
		bias[i] = i < 30 ? 0 : 1000;
	for (__u32 s = 0; s < 16384; s++)
		empty += !bias[slots[s].candidate[0]] && !bias[slots[s].candidate[1]] &&
			 !bias[slots[s].candidate[2]];
	assert_in_range(empty, 350, 500);
	assert_int_equal(bias_shares(slots, 16384, bias, 100, share, &unserved), 0);
	for (int i = 0; i < 100; i++) {
		sum += share[i];
		assert_true(i < 30 ? share[i] == 0 : share[i] > ONE / 100);
	}
	assert_in_range(sum + unserved, ONE - 100, ONE);
	assert_in_range(unserved, 0, ONE / 16384);
	free(slots);
	free(contenders);
}

static void test_refused(void **state)
{
	static const struct {
		const char *name;
		__u16 candidate;
		__u32 slot_count, count;
		int err;
	} cases[] = {
		{"good", 2, 8, 3, 0},
		{"none", 0xffff, 8, 3, 0},
		{"out of range", 3, 8, 3, -EINVAL},
		{"nearly none", 0xfffe, 8, 3, -EINVAL},
		{"no slots", 2, 0, 3, -EINVAL},
		{"seven slots", 2, 7, 3, -EINVAL},
		{"too many slots", 2, 2097152, 3, -EINVAL},
		{"too many backends", 2, 8, 65536, -EINVAL},
	};
	static const __u32 wanted[3] = {1, 1, 1};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slot slots[8] = {{{0}, 0}};
		__u16 bias[3] = {7, 7, 7};
		__u32 share[3], unserved;
		int solve_err, shares_err;

		slots[7].candidate[2] = cases[i].candidate;
		shares_err = bias_shares(slots, cases[i].slot_count, bias, cases[i].count, share,
					 &unserved);
		solve_err =
			bias_solve(slots, cases[i].slot_count, wanted, cases[i].count, bias, NULL);
		if (shares_err != cases[i].err || solve_err != cases[i].err)
			print_error("%s: %d, %d\n", cases[i].name, shares_err, solve_err);
		assert_int_equal(shares_err, cases[i].err);
		assert_int_equal(solve_err, cases[i].err);
		if (solve_err)
			assert_int_equal(bias[0], 7);
	}
}

/* What the packet path does with a new flow. */
struct path {
	struct slot *slots;
	__u32 slot_mask;
	__u32 multiplier[1000];
	__u32 reciprocal[1000];
	__u16 bias[1000];
};

#define NOBODY 1000

static __u32 path_pick(const struct path *path, __u64 hash)
{
	__u32 slot = (hash >> 32) & path->slot_mask;

	for (int probe = 0; probe <= SLOT_PROBES; probe++, slot = (slot + 1) & path->slot_mask) {
		__u64 best = UINT64_MAX;
		__u32 pick = NOBODY;

		for (int c = 0; c < CANDIDATES; c++) {
			__u32 i = path->slots[slot].candidate[c];
			__u64 key;

			if (i == CANDIDATE_NONE || !path->bias[i])
				continue;
			key = (__u64)((__u32)hash * path->multiplier[i]) * path->reciprocal[i];
			if (key < best) {
				best = key;
				pick = i;
			}
		}
		if (pick != NOBODY)
			return pick;
	}
	return NOBODY;
}

static void path_init(struct path *path, __u32 count, __u32 slot_count)
{
	struct contender *contenders = contenders_draw(count, 22);
	__u64 random = 23;

	path->slots = contenders_table(contenders, count, slot_count);
	path->slot_mask = slot_count - 1;
	for (__u32 i = 0; i < count; i++)
		path->multiplier[i] = random_next(&random) | 1;
	free(contenders);
}

static void path_solve(struct path *path, const __u32 *wanted, __u32 count)
{
	assert_int_equal(
		bias_solve(path->slots, path->slot_mask + 1, wanted, count, path->bias, NULL), 0);
	for (__u32 i = 0; i < count; i++)
		path->reciprocal[i] = path->bias[i] ? 0xffffffff / path->bias[i] : 0;
}

/* Ways that weights move; what is not named keeps 1000. */
enum pattern { EQUAL, JITTER, HALF_TO_DOUBLE, DOUBLED, DRAINED, TENTH_DRAINED, PATTERNS };

static const char *const pattern_name[PATTERNS] = {
	"equal", "jitter", "half to double", "one doubled", "one drained", "10 % drained",
};

static void pattern_draw(enum pattern pattern, __u32 count, __u32 *wanted)
{
	__u64 random = 24;

	for (__u32 i = 0; i < count; i++) {
		wanted[i] = 1000;
		if (pattern == JITTER)
			wanted[i] = 900 + random_below(&random, 201);
		if (pattern == HALF_TO_DOUBLE)
			wanted[i] = 500 + random_below(&random, 1501);
		if (pattern == TENTH_DRAINED && i % 10 == 3)
			wanted[i] = 0;
	}
	if (pattern == DOUBLED)
		wanted[1] = 2000;
	if (pattern == DRAINED)
		wanted[1] = 0;
}

/* Toss the real coin often: the shares must be those wanted, but for 0.2 % and five sigma. */
static void test_coin_gives_wanted_shares(void **state)
{
	static const struct {
		__u32 count, slot_count, flows;
	} cases[] = {
		{2, 4096, 1 << 20}, {3, 4096, 1 << 21}, {10, 4096, 1 << 22}, {100, 16384, 1 << 23}};

	(void)state;
	for (size_t i = 0; i < PATTERNS * sizeof(cases) / sizeof(cases[0]); i++) {
		enum pattern pattern = i % PATTERNS;
		__u32 count = cases[i / PATTERNS].count, flows = cases[i / PATTERNS].flows;
		__u32 wanted[100], picked[NOBODY + 1] = {0};
		__u64 random = 25 + i;
		struct path path;
		double sum = 0;

		path_init(&path, count, cases[i / PATTERNS].slot_count);
		pattern_draw(pattern, count, wanted);
		path_solve(&path, wanted, count);
		for (__u32 flow = 0; flow < flows; flow++)
			picked[path_pick(&path, random_next(&random))]++;
		for (__u32 j = 0; j < count; j++)
			sum += wanted[j];
		for (__u32 j = 0; j < count; j++) {
			double expected = flows * (wanted[j] / sum);
			double error = fabs(picked[j] - expected);

			if (error > expected * 0.002 + 5 * sqrt(expected))
				fail_msg("%s of %u: %u was picked %u times, not %.0f",
					 pattern_name[pattern], count, j, picked[j], expected);
		}
		assert_int_equal(picked[NOBODY], 0);
		free(path.slots);
	}
}

/* How many flows go elsewhere after a change, over the fewest with which the shares come out. */
static double moved_over_least(__u32 count, __u32 slot_count, enum pattern from, enum pattern to)
{
	const __u32 flows = 1 << 21;
	__u32 before[100], after[100], moved = 0;
	double sum_before = 0, sum_after = 0, least = 0;
	__u64 random = 26;
	struct path old, new;

	path_init(&old, count, slot_count);
	new = old;
	pattern_draw(from, count, before);
	pattern_draw(to, count, after);
	path_solve(&old, before, count);
	path_solve(&new, after, count);
	for (__u32 flow = 0; flow < flows; flow++) {
		__u64 hash = random_next(&random);

		moved += path_pick(&old, hash) != path_pick(&new, hash);
	}
	free(old.slots);
	for (__u32 i = 0; i < count; i++) {
		sum_before += before[i];
		sum_after += after[i];
	}
	for (__u32 i = 0; i < count; i++)
		least += fabs(after[i] / sum_after - before[i] / sum_before) / 2;
	return moved / (least * flows);
}

static void test_few_flows_move(void **state)
{
	static const struct {
		__u32 count, slot_count;
		enum pattern from, to;
	} cases[] = {
		{3, 4096, EQUAL, DOUBLED},     {3, 4096, EQUAL, DRAINED},
		{10, 4096, EQUAL, JITTER},     {10, 4096, EQUAL, HALF_TO_DOUBLE},
		{10, 4096, EQUAL, DOUBLED},    {10, 4096, EQUAL, DRAINED},
		{10, 4096, DRAINED, EQUAL},    {10, 4096, JITTER, DOUBLED},
		{100, 16384, EQUAL, JITTER},   {100, 16384, EQUAL, HALF_TO_DOUBLE},
		{100, 16384, EQUAL, DOUBLED},  {100, 16384, EQUAL, DRAINED},
		{100, 16384, DRAINED, EQUAL},  {100, 16384, EQUAL, TENTH_DRAINED},
		{100, 16384, JITTER, DOUBLED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double ratio = moved_over_least(cases[i].count, cases[i].slot_count, cases[i].from,
						cases[i].to);

		if (ratio < 0.95 || ratio > 1.5)
			fail_msg("%u, %s to %s: %.2f of the least moved", cases[i].count,
				 pattern_name[cases[i].from], pattern_name[cases[i].to], ratio);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_share_of_one_slot),
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_drained),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_coin_gives_wanted_shares),
		cmocka_unit_test(test_few_flows_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
