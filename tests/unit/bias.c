/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>

#include "../../user/core/bias.h"
#include "contenders.h"

#define COUNT_MAX     1000
#define ERROR_MAX_PPM 1000 /* what the design promises where nothing saturates */

/* The sizes that the solver is held to. */
static const struct {
	__u32 count, slot_count;
} sizes[] = {{3, 4096}, {10, 4096}, {100, 16384}, {1000, 131072}};

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static struct slot *equal_table(__u32 count, __u32 slot_count)
{
	struct contender *contenders = contenders_draw(count, 31);
	struct slot *slots = contenders_table(contenders, count, slot_count);

	free(contenders);
	return slots;
}

/* The probability of candidate @i by the formula, from the order statistics of the race. */
static double probability(const double x[CANDIDATES], int i)
{
	double largest = fmax(x[0], fmax(x[1], x[2]));
	double s = x[i] / largest;
	double j = x[(i + 1) % CANDIDATES] / largest, k = x[(i + 2) % CANDIDATES] / largest;

	return s * (1 - (j + k) / 2 + j * k / 3);
}

/* Shares of the flows that find a live candidate, in floating point. Returns the part that does. */
static double reference_shares(const struct slot *slots, __u32 slot_count, const __u16 *bias,
			       double *share)
{
	__u32 served = 0;

	for (__u32 i = 0; i < COUNT_MAX; i++)
		share[i] = 0;
	for (__u32 s = 0; s < slot_count; s++) {
		for (__u32 probe = 0; probe <= SLOT_PROBES; probe++) {
			const struct slot *slot = &slots[(s + probe) % slot_count];
			double x[CANDIDATES];

			for (int c = 0; c < CANDIDATES; c++)
				x[c] = slot->candidate[c] == CANDIDATE_NONE
					       ? 0
					       : bias[slot->candidate[c]];
			if (x[0] + x[1] + x[2] == 0)
				continue;
			for (int c = 0; c < CANDIDATES; c++)
				if (x[c] > 0)
					share[slot->candidate[c]] += probability(x, c);
			served++;
			break;
		}
	}
	for (__u32 i = 0; i < COUNT_MAX; i++)
		share[i] /= served;
	return (double)served / slot_count;
}

/* The largest relative error of a wanted share, in parts per million. */
static double reference_error_ppm(const struct slot *slots, __u32 slot_count, const __u16 *bias,
				  const __u32 *wanted, __u32 count)
{
	static double share[COUNT_MAX];
	double sum = 0, largest = 0;

	reference_shares(slots, slot_count, bias, share);
	for (__u32 i = 0; i < count; i++)
		sum += wanted[i];
	for (__u32 i = 0; i < count; i++)
		if (wanted[i])
			largest = fmax(largest, fabs(share[i] * sum / wanted[i] - 1));
	return largest * 1e6;
}

enum pattern {
	EQUAL,
	JITTER,
	HALF_TO_DOUBLE,
	ONE_ZERO,
	TENTH_ZERO,
	THIRD_ZERO,
	TENTH,
	HUNDREDTH,
	DOUBLED,
	TIMES_2_8,
	ONE_TO_FIVE,
	PATTERNS
};

static const char *const pattern_name[PATTERNS] = {
	"equal",        "jitter",        "half to double", "one zero",
	"a tenth zero", "a third zero",  "one a tenth",    "one a hundredth",
	"one doubled",  "one times 2.8", "one to five",
};

static void draw(enum pattern pattern, __u32 count, __u32 *wanted)
{
	__u64 random = 32;

	for (__u32 i = 0; i < count; i++) {
		wanted[i] = 100000;
		if (pattern == JITTER)
			wanted[i] = 90000 + random_below(&random, 20001);
		if (pattern == HALF_TO_DOUBLE)
			wanted[i] = 50000 + random_below(&random, 150001);
		if (pattern == ONE_TO_FIVE)
			wanted[i] = 20000 + random_below(&random, 80001);
		if ((pattern == TENTH_ZERO && i % 10 == 5) || (pattern == THIRD_ZERO && i % 3 == 1))
			wanted[i] = 0;
	}
	if (pattern == ONE_ZERO)
		wanted[1] = 0;
	if (pattern == TENTH)
		wanted[1] = 10000;
	if (pattern == HUNDREDTH)
		wanted[1] = 1000;
	if (pattern == DOUBLED)
		wanted[1] = 200000;
	if (pattern == TIMES_2_8)
		wanted[1] = 280000;
}

static void test_error(void **state)
{
	(void)state;
	for (size_t size = 0; size < SIZES; size++) {
		__u32 count = sizes[size].count, slot_count = sizes[size].slot_count;
		struct slot *slots = equal_table(count, slot_count);

		for (enum pattern pattern = 0; pattern < PATTERNS; pattern++) {
			__u32 wanted[COUNT_MAX];
			__u16 bias[COUNT_MAX];
			struct bias_fit fit;
			double error;

			draw(pattern, count, wanted);
			assert_int_equal(bias_solve(slots, slot_count, wanted, count, bias, &fit),
					 0);
			error = reference_error_ppm(slots, slot_count, bias, wanted, count);
			if (error > ERROR_MAX_PPM || fit.saturated)
				fail_msg("%s of %u: %.0f ppm", pattern_name[pattern], count, error);
			if (fabs(error - fit.error_max_ppm) > 2)
				fail_msg("%s of %u: %.0f ppm, not %u", pattern_name[pattern], count,
					 error, fit.error_max_ppm);
			for (__u32 i = 0; i < count; i++)
				assert_int_equal(bias[i] > 0, wanted[i] > 0);
		}
		free(slots);
	}
}

static void test_nothing_wanted(void **state)
{
	struct slot *slots = equal_table(10, 4096);
	__u32 wanted[10] = {0};
	__u16 bias[10];
	struct bias_fit fit;

	(void)state;
	for (int i = 0; i < 10; i++)
		bias[i] = 7;
	assert_int_equal(bias_solve(slots, 4096, wanted, 10, bias, &fit), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(bias[i], 0);
	assert_int_equal(fit.error_max_ppm, 0);
	assert_int_equal(fit.unserved_ppm, 1000000);
	assert_false(fit.saturated);
	assert_int_equal(bias_solve(slots, 4096, wanted, 10, bias, NULL), 0);
	free(slots);
}

static void test_one_left(void **state)
{
	static const __u32 weights[] = {1, 100000, UINT32_MAX};

	(void)state;
	for (size_t size = 0; size < SIZES; size++) {
		__u32 count = sizes[size].count, slot_count = sizes[size].slot_count;
		struct slot *slots = equal_table(count, slot_count);

		for (int i = 0; i < 3; i++) {
			__u32 wanted[COUNT_MAX] = {0};
			__u16 bias[COUNT_MAX];
			struct bias_fit fit;

			wanted[2] = weights[i];
			assert_int_equal(bias_solve(slots, slot_count, wanted, count, bias, &fit),
					 0);
			for (__u32 j = 0; j < count; j++)
				assert_int_equal(bias[j], j == 2 ? 65535 : 0);
			assert_int_equal(fit.error_max_ppm, 0);
			assert_false(fit.saturated);
		}
		free(slots);
	}
}

/* What is wanted at all is heard of, however little it is. */
static void test_wanted_never_rounds_to_zero(void **state)
{
	(void)state;
	for (size_t size = 0; size < SIZES; size++) {
		__u32 count = sizes[size].count, slot_count = sizes[size].slot_count;
		struct slot *slots = equal_table(count, slot_count);
		__u32 wanted[COUNT_MAX];
		__u16 bias[COUNT_MAX];

		for (__u32 i = 0; i < count; i++)
			wanted[i] = i == 1 ? 1 : UINT32_MAX;
		assert_int_equal(bias_solve(slots, slot_count, wanted, count, bias, NULL), 0);
		for (__u32 i = 0; i < count; i++)
			assert_in_range(bias[i], i == 1 ? 1 : 1000, i == 1 ? 1 : 65535);
		free(slots);
	}
}

/* One or two backends stand in every slot: any ratio that a u16 can express can be had. */
static void test_one_and_two(void **state)
{
	static const struct {
		__u32 count, wanted[2];
		__u32 error_max_ppm;
	} cases[] = {
		{1, {5, 0}, 0},       {2, {5, 5}, 0},      {2, {100, 300}, 500},
		{2, {1000, 1}, 5000}, {2, {1, 100}, 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slot *slots = equal_table(cases[i].count, 4096);
		struct bias_fit fit;
		__u16 bias[2];
		double error;

		assert_int_equal(
			bias_solve(slots, 4096, cases[i].wanted, cases[i].count, bias, &fit), 0);
		error = reference_error_ppm(slots, 4096, bias, cases[i].wanted, cases[i].count);
		if (error > cases[i].error_max_ppm + 0.5 || fit.saturated)
			fail_msg("case %zu: %.0f ppm", i, error);
		free(slots);
	}
}

/* A weight a hundred times the others' is out of a bias's reach, and a re-base brings it back in. */
static void test_saturated(void **state)
{
	(void)state;
	for (size_t size = 0; size < SIZES; size++) {
		__u32 count = sizes[size].count, slot_count = sizes[size].slot_count;
		struct contender *contenders = contenders_draw(count, 33);
		struct slot *slots = contenders_table(contenders, count, slot_count);
		__u32 wanted[COUNT_MAX];
		__u16 bias[COUNT_MAX];
		struct bias_fit fit;

		for (__u32 i = 0; i < count; i++)
			wanted[i] = i == 1 ? 10000 : 100;
		assert_int_equal(bias_solve(slots, slot_count, wanted, count, bias, &fit), 0);
		/* Three stand in every slot, so that all can be had. */
		assert_int_equal(fit.saturated, count > 3);
		assert_int_equal(fit.error_max_ppm > 10000, count > 3);
		/* The giant gets what there is: three slots in N, but for a few per cent. */
		if (count > 3) {
			static double share[COUNT_MAX];

			reference_shares(slots, slot_count, bias, share);
			assert_true(share[1] > 2.8 / count);
		}
		free(slots);

		for (__u32 i = 0; i < count; i++)
			contenders[i].table_weight = wanted[i];
		slots = contenders_table(contenders, count, slot_count);
		assert_int_equal(bias_solve(slots, slot_count, wanted, count, bias, &fit), 0);
		assert_false(fit.saturated);
		assert_in_range(fit.error_max_ppm, 0, 10000);
		free(slots);
		free(contenders);
	}
}

/* A backend that is wanted, but that no slot holds, is a reason for new candidates. */
static void test_without_slots(void **state)
{
	const struct slot slots[2] = {{{0, 1, 0xffff}, 0}, {{1, 0, 0xffff}, 0}};
	static const __u32 wanted[3] = {100, 100, 100}, only_wanted[3] = {0, 0, 100};
	struct bias_fit fit;
	__u16 bias[3];

	(void)state;
	assert_int_equal(bias_solve(slots, 2, wanted, 3, bias, &fit), 0);
	assert_true(fit.saturated);
	assert_int_equal(fit.error_max_ppm, 1000000);
	assert_int_equal(bias[0], 65535);
	assert_int_equal(bias[1], 65535);
	assert_int_not_equal(bias[2], 0);

	assert_int_equal(bias_solve(slots, 2, only_wanted, 3, bias, &fit), 0);
	assert_true(fit.saturated);
	assert_int_equal(fit.unserved_ppm, 1000000);
	assert_int_equal(bias[0], 0);
	assert_int_not_equal(bias[2], 0);
}

/* Only ratios count, and the order in which backends are numbered does not. */
static void test_unit_and_order(void **state)
{
	struct slot *slots = equal_table(100, 16384);
	__u32 wanted[100], milli[100], turned[100];
	__u16 bias[100], milli_bias[100], turned_bias[100];

	(void)state;
	draw(HALF_TO_DOUBLE, 100, wanted);
	for (__u32 i = 0; i < 100; i++) {
		wanted[i] = wanted[i] / 10000 * 10000;
		milli[i] = wanted[i] / 10000;
		turned[99 - i] = wanted[i];
	}
	assert_int_equal(bias_solve(slots, 16384, wanted, 100, bias, NULL), 0);
	assert_int_equal(bias_solve(slots, 16384, milli, 100, milli_bias, NULL), 0);
	assert_memory_equal(bias, milli_bias, sizeof(bias));

	for (__u32 s = 0; s < 16384; s++) {
		struct slot slot = slots[s];

		for (int c = 0; c < CANDIDATES; c++)
			slots[s].candidate[c] = 99 - slot.candidate[(c + s) % CANDIDATES];
	}
	assert_int_equal(bias_solve(slots, 16384, turned, 100, turned_bias, NULL), 0);
	for (__u32 i = 0; i < 100; i++)
		assert_int_equal(bias[i], turned_bias[99 - i]);
	free(slots);
}

/* FNV-1a. Balancers with other processors and compilers must load the same coin. */
static void test_golden(void **state)
{
	static const struct {
		enum pattern pattern;
		__u64 hash;
	} golden[] = {{HALF_TO_DOUBLE, 0x51373131a1d70299},
		      {TIMES_2_8, 0x2b31ac618b726d76},
		      {THIRD_ZERO, 0xdc719c4d02852fcf}};
	struct slot *slots = equal_table(100, 16384);

	(void)state;
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		__u64 hash = 0xcbf29ce484222325;
		__u32 wanted[100];
		__u16 bias[100];

		draw(golden[i].pattern, 100, wanted);
		assert_int_equal(bias_solve(slots, 16384, wanted, 100, bias, NULL), 0);
		for (int j = 0; j < 100; j++)
			hash = (hash ^ bias[j]) * 0x100000001b3;
		if (hash != golden[i].hash)
			fail_msg("%s: %#llx", pattern_name[golden[i].pattern], hash);
	}
	free(slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_nothing_wanted),
		cmocka_unit_test(test_one_left),
		cmocka_unit_test(test_wanted_never_rounds_to_zero),
		cmocka_unit_test(test_one_and_two),
		cmocka_unit_test(test_saturated),
		cmocka_unit_test(test_without_slots),
		cmocka_unit_test(test_unit_and_order),
		cmocka_unit_test(test_golden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
