/* SPDX-License-Identifier: GPL-2.0-only */
#include "bias.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "candidates.h"
#include "coin.h"

/* Fixed point: the number of bits behind the point. */
#define QUOTA_SHIFT 42 /* numbers of slots that are wanted; there are up to 2^20 */
#define RATIO_SHIFT 20
#define RATIO_ONE   (1ll << RATIO_SHIFT)
#define X_SHIFT     8 /* of x behind the bias that it is rounded to */
#define X_MAX       ((__u64)BIAS_MAX << X_SHIFT)
#define X_MIN       ((__u64)1 << (X_SHIFT - 1)) /* rounds to bias 1 */

/*
 * The part of its slots that a backend may want. More would press the biases of the others down
 * until their ratios are lost in rounding. Only one that stands in every slot may want them all, as
 * no other table could serve it better; its x ends at 4096 times that of the others.
 */
#define PART_FULL (PART_ONE * 97 / 100)
#define PART_MOST (PART_ONE - (PART_ONE >> 12))

#define ERROR_GOOD_PPM 500 /* no further round below it */

struct solver {
	struct coin coin;
	const __u32 *wanted;
	__u32 live;   /* backends that are wanted */
	__u64 *quota; /* slots wanted, QUOTA_SHIFT */
	__u64 *goal;  /* x that wins the quota where the others have x = 1, PART_SHIFT */
	__u64 *x;     /* X_SHIFT */
	__u16 *trial; /* the biases of this round */
	bool saturated;
};

/* @value * @over / @under, where the result fits. */
static __u64 mul_div(__u64 value, __u64 over, __u64 under)
{
	__u64 high;

	while ((over | under) >> 32) {
		over >>= 1;
		under >>= 1;
	}
	if (!under)
		under = 1;
	high = (value >> 31) * over;
	return (high / under << 31) + ((high % under << 31) + (value & 0x7fffffff) * over) / under;
}

/*
 * The x that wins part @f of the slots against two others with x = 1: P turned round, 3 f up to a
 * third, 2 / (3 - sqrt(9 - 12 (1 - f))) from there. Never 0. All with PART_SHIFT.
 */
static __u64 inverse(__u64 f)
{
	__u64 square, root;

	if (f <= PART_ONE / 3)
		return 3 * f + 1;
	if (f > PART_MOST)
		f = PART_MOST;
	square = 12 * f - 3 * PART_ONE; /* 1 to 9: from here three of Newton's steps are exact */
	root = (square + 3 * PART_ONE) / 4;
	for (int step = 0; step < 3; step++)
		root = (root + (square << PART_SHIFT) / root) / 2;
	return (2 * PART_ONE << PART_SHIFT) / (3 * PART_ONE - root);
}

/* The most slots that a backend may want, QUOTA_SHIFT. */
static __u64 full_quota(const struct coin *coin, __u32 i)
{
	__u64 part = coin->held[i] == coin->served ? PART_ONE : PART_FULL;

	return coin->held[i] * part << (QUOTA_SHIFT - PART_SHIFT);
}

/*
 * Who wants more than its slots can give is set to what they can. The others share the rest in the
 * ratios of their quotas, by which more of them may become full: so again.
 */
static void set_goals(struct solver *solver)
{
	const struct coin *coin = &solver->coin;
	__u64 rest = (__u64)coin->served << QUOTA_SHIFT, quotas = rest;
	bool more = true;

	while (more) {
		__u64 rest_now = rest, quotas_now = quotas;

		more = false;
		for (__u32 i = 0; i < coin->count; i++) {
			__u64 full = full_quota(coin, i);

			if (!solver->wanted[i] || solver->goal[i])
				continue;
			if (coin->held[i] &&
			    mul_div(solver->quota[i], rest_now, quotas_now) <= full)
				continue;
			solver->goal[i] = inverse(PART_FULL);
			solver->saturated = more = true;
			rest -= full;
			quotas -= solver->quota[i];
		}
	}
	for (__u32 i = 0; i < coin->count; i++)
		if (solver->wanted[i] && !solver->goal[i])
			solver->goal[i] = inverse((mul_div(solver->quota[i], rest, quotas) >>
						   (QUOTA_SHIFT - PART_SHIFT)) /
						  coin->held[i]);
}

/* Scale x so that the largest is X_MAX, and round it to biases. */
static void round_to_trial(struct solver *solver)
{
	__u64 largest = 1;

	for (__u32 i = 0; i < solver->coin.count; i++)
		if (solver->x[i] > largest)
			largest = solver->x[i];
	for (__u32 i = 0; i < solver->coin.count; i++) {
		__u64 x = solver->x[i] * X_MAX / largest;

		if (!solver->wanted[i])
			continue;
		solver->x[i] = x > X_MIN ? x : X_MIN;
		solver->trial[i] = (solver->x[i] + X_MIN) >> X_SHIFT;
	}
}

static __u32 error_ppm(__u64 won, __u64 wanted)
{
	__u64 error = won > wanted ? won - wanted : wanted - won;

	while (error >> 44) {
		error >>= 1;
		wanted >>= 1;
	}
	error = error * 1000000 / (wanted ? wanted : 1);
	return error < UINT32_MAX ? error : UINT32_MAX;
}

static __u32 largest_error_ppm(const struct solver *solver)
{
	__u32 largest = 0;

	for (__u32 i = 0; i < solver->coin.count; i++) {
		__u64 quota = solver->quota[i] >> (QUOTA_SHIFT - PART_SHIFT);
		__u32 error = 0;

		if (solver->wanted[i])
			error = solver->coin.held[i] ? error_ppm(coin_won(&solver->coin, i), quota)
						     : 1000000;
		if (error > largest)
			largest = error;
	}
	return largest;
}

/*
 * Move every x by the ratio of what it should win to what it won, as if it alone were moved; less
 * so the larger its share is, because the others, which move as well, then do that part of it.
 */
static void correct(struct solver *solver)
{
	const struct coin *coin = &solver->coin;
	__u64 served = (__u64)coin->served << QUOTA_SHIFT;

	for (__u32 i = 0; i < coin->count; i++) {
		__s64 ratio, part;

		if (!solver->wanted[i] || !coin->held[i])
			continue;
		ratio = (solver->goal[i] << RATIO_SHIFT) /
			inverse(coin_won(coin, i) / coin->held[i]);
		if (ratio < RATIO_ONE / 4)
			ratio = RATIO_ONE / 4;
		if (ratio > RATIO_ONE * 4)
			ratio = RATIO_ONE * 4;
		part = (served - solver->quota[i]) / (served >> RATIO_SHIFT);
		ratio = RATIO_ONE + (ratio - RATIO_ONE) * part / RATIO_ONE;
		solver->x[i] = solver->x[i] * ratio >> RATIO_SHIFT;
	}
}

/* Where a few backends depend much on each other, or rounds cost little, there are more of them. */
static int rounds_for(const struct solver *solver)
{
	if (solver->live <= CANDIDATES || solver->coin.served <= SLOT_COUNT_MIN)
		return 8;
	return solver->live > 1000 ? 6 : 4;
}

/* The best of all rounds is left in @bias. */
static __u32 solve(struct solver *solver, __u16 *bias)
{
	int rounds = rounds_for(solver);
	__u32 best_ppm = UINT32_MAX;

	set_goals(solver);
	/* On any scale, for now; 4 bits less and X_MAX times it fits. */
	for (__u32 i = 0; i < solver->coin.count; i++)
		solver->x[i] = solver->coin.held[i] ? solver->goal[i] >> 4 : 0;
	for (int round = 0;; round++) {
		__u32 ppm;

		round_to_trial(solver);
		coin_load(&solver->coin, solver->trial);
		coin_toss(&solver->coin);
		ppm = largest_error_ppm(solver);
		if (ppm < best_ppm || !round) {
			best_ppm = ppm;
			memcpy(bias, solver->trial, solver->coin.count * sizeof(*bias));
		}
		if (best_ppm <= ERROR_GOOD_PPM || round == rounds)
			return best_ppm;
		correct(solver);
	}
}

static int solver_init(struct solver *solver, const struct slot *slots, __u32 slot_count,
		       __u32 count)
{
	__u64 sum = 0;
	int err;

	if (coin_init(&solver->coin, slot_count, count))
		return -ENOMEM;
	solver->quota = calloc(count + 1, sizeof(*solver->quota));
	solver->goal = calloc(count + 1, sizeof(*solver->goal));
	solver->x = calloc(count + 1, sizeof(*solver->x));
	solver->trial = calloc(count + 1, sizeof(*solver->trial));
	if (!solver->quota || !solver->goal || !solver->x || !solver->trial)
		return -ENOMEM;

	for (__u32 i = 0; i < count; i++) {
		solver->trial[i] = solver->wanted[i] ? BIAS_MAX : 0;
		solver->live += solver->wanted[i] > 0;
		sum += solver->wanted[i];
	}
	coin_load(&solver->coin, solver->trial);
	err = coin_aim(&solver->coin, slots, slot_count);
	for (__u32 i = 0; i < count; i++)
		solver->quota[i] = mul_div((__u64)solver->wanted[i] << 31,
					   (__u64)solver->coin.served << (QUOTA_SHIFT - 31), sum);
	return err;
}

static bool sizes_valid(__u32 slot_count, __u32 count)
{
	return slot_count && !(slot_count & (slot_count - 1)) && slot_count <= SLOT_COUNT_MAX &&
	       count <= CANDIDATE_NONE;
}

int bias_solve(const struct slot *slots, __u32 slot_count, const __u32 *wanted, __u32 count,
	       __u16 *bias, struct bias_fit *fit)
{
	struct solver solver = {.wanted = wanted};
	struct bias_fit result = {0};
	int err;

	if (!sizes_valid(slot_count, count))
		return -EINVAL;
	err = solver_init(&solver, slots, slot_count, count);
	if (!err) {
		result.error_max_ppm = solve(&solver, bias);
		result.saturated = solver.saturated;
		result.unserved_ppm =
			(__u64)(slot_count - solver.coin.served) * 1000000 / slot_count;
		if (fit)
			*fit = result;
	}
	free(solver.quota);
	free(solver.goal);
	free(solver.x);
	free(solver.trial);
	coin_free(&solver.coin);
	return err;
}

int bias_shares(const struct slot *slots, __u32 slot_count, const __u16 *bias, __u32 count,
		__u32 *share, __u32 *unserved)
{
	struct coin coin = {0};
	int err;

	if (!sizes_valid(slot_count, count))
		return -EINVAL;
	err = coin_init(&coin, slot_count, count);
	if (!err) {
		coin_load(&coin, bias);
		err = coin_aim(&coin, slots, slot_count);
	}
	if (!err) {
		coin_toss(&coin);
		for (__u32 i = 0; i < count; i++)
			share[i] = coin_won(&coin, i) / slot_count;
		*unserved = (slot_count - coin.served) * PART_ONE / slot_count;
	}
	coin_free(&coin);
	return err;
}
