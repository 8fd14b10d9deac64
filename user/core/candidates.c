/* SPDX-License-Identifier: GPL-2.0-only */
#include "candidates.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../maps/hash.h"

/*
 * A key says when a backend reaches a slot: 48 bits of time (-ln(1 - (k + 1/2) / M) / weight, scaled
 * by 2^44), then 16 bits of rank by identity, so that one comparison decides and no two are equal.
 */
#define KEY_RANK_MASK 0xffffull
#define KEY_NEVER     UINT64_MAX
#define KEY_ONE_SHIFT 60 /* time 1 */

/* -ln(1 - (k + 1/2) / M) is below ln(2 SLOT_COUNT_MAX) < 16: 28 bits of fraction fit a u32. */
#define LOG_SHIFT     28
#define LOG_SUM_SHIFT 48

/* A backend in the race. */
struct racer {
	__u64 identity;
	__u64 weight_reciprocal;   /* 2^32 / weight */
	__u32 start, step, spread; /* its permutation of the slots */
	__u32 index;               /* in the caller's order */
	__u32 weight;
};

struct race {
	struct racer *racers; /* those with a weight, by identity */
	__u32 count;
	__u32 slot_count;
	__u32 fold;                /* half the bits of a slot number, rounded up */
	__u32 log_count;           /* how far log[] is filled in */
	__u32 *log;                /* -ln(1 - (k + 1/2) / slot_count), LOG_SHIFT */
	__u64 log_sum;             /* what log[log_count] will be, LOG_SUM_SHIFT */
	__u64 (*best)[CANDIDATES]; /* keys by slot, the smallest first */
	__u32 *open;               /* slots that fewer than three have reached */
	__u32 open_count;
};

__u32 slot_count_default(__u32 backend_count)
{
	__u32 slot_count = SLOT_COUNT_MIN;

	while (slot_count < SLOT_COUNT_MAX && slot_count < (__u64)backend_count * 128)
		slot_count *= 2;
	return slot_count;
}

static __u32 odd_inverse(__u32 odd)
{
	__u32 inverse = odd; /* right in the lowest 3 bits; each step doubles them */

	for (int bits = 3; bits < 32; bits *= 2)
		inverse *= 2 - odd * inverse;
	return inverse;
}

static inline __u64 arrival_key(__u32 log, __u64 weight_reciprocal, __u32 rank)
{
	return (log * weight_reciprocal & ~KEY_RANK_MASK) | rank;
}

/* Without branches: whether a key is among the best cannot be predicted. */
static inline void keep_best(__u64 best[CANDIDATES], __u64 key)
{
	__u64 a = best[0], b = best[1], c = best[2];

	c = key < c ? key : c;
	best[2] = c < b ? b : c;
	b = c < b ? c : b;
	best[1] = b < a ? a : b;
	best[0] = b < a ? b : a;
}

/* -ln(1 - 1 / 2M) = 1 / 2M + 1 / 2 (2M)^2 + 1 / 3 (2M)^3 + ... */
static __u64 first_log(__u64 slot_count)
{
	__u64 term = (1ull << LOG_SUM_SHIFT) / 2 / slot_count, sum = 0;

	for (__u32 power = 1; term; power++, term /= 2 * slot_count)
		sum += term / power;
	return sum;
}

/*
 * Fill in log[] up to the first entry that is over the limit for every racer. A step is
 * ln((n + 1/2) / (n - 1/2)) with n = slot_count - k - 1, which is 2 atanh(1 / 2n) =
 * 1/n + 1/(3 * 4 n^3) + 1/(5 * 16 n^5) + ...
 */
static void fill_log(struct race *race, __u64 key_limit)
{
	__u64 reciprocal_min = KEY_NEVER;

	for (__u32 rank = 0; rank < race->count; rank++)
		if (race->racers[rank].weight_reciprocal < reciprocal_min)
			reciprocal_min = race->racers[rank].weight_reciprocal;

	while (race->log_count < race->slot_count) {
		__u32 k = race->log_count++;
		__u64 n = race->slot_count - k - 1;
		__u64 term = n ? (1ull << LOG_SUM_SHIFT) / n : 0;

		race->log[k] = race->log_sum >> (LOG_SUM_SHIFT - LOG_SHIFT);
		for (__u32 odd = 1; term; odd += 2, term /= 4 * n * n)
			race->log_sum += term / odd;
		if (race->log[k] * reciprocal_min > key_limit)
			break;
	}
}

/* How many steps a racer takes within the limit. */
static __u32 steps_within(const struct race *race, const struct racer *racer, __u64 key_limit)
{
	__u32 low = 0, high = race->log_count;

	while (low < high) {
		__u32 middle = (low + high) / 2;

		if (race->log[middle] * racer->weight_reciprocal <= key_limit)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * One racer's way through the slots: round the ring in equal steps, stirred in a way that
 * step_of_slot() can undo.
 */
static void walk(const struct race *race, __u32 rank, __u64 key_limit)
{
	const struct racer racer = race->racers[rank];
	const __u32 mask = race->slot_count - 1, fold = race->fold;
	const __u32 steps = steps_within(race, &racer, key_limit);
	const __u32 *log = race->log;
	__u64(*best)[CANDIDATES] = race->best;

	for (__u32 k = 0, walked = racer.start; k < steps; k++, walked += racer.step) {
		__u32 slot = walked & mask;

		slot ^= slot >> fold;
		slot = slot * racer.spread & mask;
		slot ^= slot >> fold;
		keep_best(best[slot], arrival_key(log[k], racer.weight_reciprocal, rank));
	}
}

/* The same for the open slots alone, from the slot to the step. */
static void visit_open(const struct race *race, __u32 rank, __u64 key_limit)
{
	const struct racer racer = race->racers[rank];
	const __u32 mask = race->slot_count - 1, fold = race->fold;
	const __u32 steps = steps_within(race, &racer, key_limit);
	const __u32 unspread = odd_inverse(racer.spread), unstep = odd_inverse(racer.step);

	for (__u32 i = 0; i < race->open_count; i++) {
		__u32 slot = race->open[i];

		slot ^= slot >> fold;
		slot = slot * unspread & mask;
		slot ^= slot >> fold;
		__u32 k = (slot - racer.start) * unstep & mask;
		if (k < steps)
			keep_best(race->best[race->open[i]],
				  arrival_key(race->log[k], racer.weight_reciprocal, rank));
	}
}

/*
 * A time by which most slots have been reached by three: after ln N + 3 arrivals on the average, not
 * counting the two heaviest, which may come to every slot and still leave a place open. It decides
 * how fast the race is run, never how it ends.
 */
static __u64 walk_limit(const struct race *race)
{
	__u32 heaviest = 0, second = 0;
	__u64 weights = 0, arrivals = 3 * 64; /* in 64ths; ln 2 is 44 of them */

	for (__u32 rank = 0; rank < race->count; rank++) {
		__u32 weight = race->racers[rank].weight;

		weights += weight;
		if (weight > heaviest) {
			second = heaviest;
			heaviest = weight;
		} else if (weight > second) {
			second = weight;
		}
	}
	weights -= heaviest + second;
	if (!weights)
		return KEY_NEVER;

	for (__u32 count = race->count; count; count /= 2)
		arrivals += 44;
	/* 10 bits late, since arrivals have up to 11 bits and time 1 is at bit 60. */
	return (arrivals << (KEY_ONE_SHIFT - 6 - 10)) / weights << 10;
}

static void run(struct race *race)
{
	__u64 key_limit = walk_limit(race);

	fill_log(race, key_limit);
	for (__u32 rank = 0; rank < race->count; rank++)
		walk(race, rank, key_limit);

	for (__u32 slot = 0; slot < race->slot_count; slot++)
		if (race->best[slot][CANDIDATES - 1] == KEY_NEVER)
			race->open[race->open_count++] = slot;

	while (race->open_count && key_limit != KEY_NEVER) {
		__u32 still_open = 0;

		key_limit = key_limit < KEY_NEVER / 2 ? key_limit / 2 * 3 : KEY_NEVER;
		fill_log(race, key_limit);
		for (__u32 i = 0; i < race->open_count; i++)
			memset(race->best[race->open[i]], 0xff, sizeof(*race->best));
		for (__u32 rank = 0; rank < race->count; rank++)
			visit_open(race, rank, key_limit);
		for (__u32 i = 0; i < race->open_count; i++)
			if (race->best[race->open[i]][CANDIDATES - 1] == KEY_NEVER)
				race->open[still_open++] = race->open[i];
		race->open_count = still_open;
	}
}

/*
 * The lowest weight that counts: a sixteenth of the mean, taken down to a power of two so that it
 * stays the same, and with it every other backend's slots, when one backend comes or goes.
 */
static __u32 weight_floor(const struct contender *contenders, __u32 count)
{
	__u64 weights = 0, with_weight = 0, floor = 1;

	for (__u32 i = 0; i < count; i++) {
		weights += contenders[i].table_weight;
		with_weight += contenders[i].table_weight > 0;
	}
	while (with_weight && floor * 2 * 16 * with_weight <= weights)
		floor *= 2;
	return floor;
}

static int compare_identity(const void *a, const void *b)
{
	const struct racer *x = a, *y = b;

	return (x->identity > y->identity) - (x->identity < y->identity);
}

static int line_up(struct race *race, const struct contender *contenders, __u32 count)
{
	static const struct hash_key key = {
		{0x9e3779b97f4a7c15, 0xd1b54a32d192ed03, 0x8cb92ba72f3d8dd7, 0xaaaaaaaaaaaaaaab}};
	__u32 floor = weight_floor(contenders, count);

	for (__u32 i = 0; i < count; i++) {
		race->racers[i].identity = contenders[i].identity;
		race->racers[i].weight = contenders[i].table_weight;
		race->racers[i].index = i;
	}
	qsort(race->racers, count, sizeof(*race->racers), compare_identity);

	for (__u32 i = 0; i < count; i++) {
		struct racer racer = race->racers[i];
		__u64 walk_hash = hash_words(&key, racer.identity, 0, 0);

		if (i + 1 < count && racer.identity == race->racers[i + 1].identity)
			return -EINVAL;
		if (!racer.weight)
			continue;
		if (racer.weight < floor)
			racer.weight = floor;
		racer.weight_reciprocal = (1ull << 32) / racer.weight;
		racer.start = walk_hash >> 32;
		racer.step = walk_hash | 1;
		racer.spread = hash_words(&key, racer.identity, 1, 0) | 1;
		race->racers[race->count++] = racer;
	}
	return 0;
}

static void name_winners(const struct race *race, struct slot *slots)
{
	for (__u32 slot = 0; slot < race->slot_count; slot++) {
		slots[slot] = (struct slot){0};
		for (int i = 0; i < CANDIDATES; i++) {
			__u64 key = race->best[slot][i];

			slots[slot].candidate[i] =
				key == KEY_NEVER ? CANDIDATE_NONE
						 : race->racers[key & KEY_RANK_MASK].index;
		}
	}
}

int candidates_build(const struct contender *contenders, __u32 count, struct slot *slots,
		     __u32 slot_count)
{
	struct race race = {.slot_count = slot_count};
	int err = -ENOMEM;

	if (!slot_count || slot_count & (slot_count - 1) || slot_count > SLOT_COUNT_MAX ||
	    count >= CANDIDATE_NONE)
		return -EINVAL;

	race.racers = calloc(count + 1, sizeof(*race.racers));
	race.log = malloc(slot_count * sizeof(*race.log));
	race.best = malloc(slot_count * sizeof(*race.best));
	race.open = malloc(slot_count * sizeof(*race.open));
	if (!race.racers || !race.log || !race.best || !race.open)
		goto out;
	err = line_up(&race, contenders, count);
	if (err)
		goto out;

	race.fold = (__builtin_ctz(slot_count) + 1) / 2;
	race.log_sum = first_log(slot_count);
	memset(race.best, 0xff, slot_count * sizeof(*race.best));
	run(&race);
	name_winners(&race, slots);
out:
	free(race.open);
	free(race.best);
	free(race.log);
	free(race.racers);
	return err;
}
