/* SPDX-License-Identifier: GPL-2.0-only */
#include "coin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define S_SHIFT          31 /* bits behind the point of s = x / largest x in the slot */
#define S_ONE            (1ull << S_SHIFT)
#define RECIPROCAL_SHIFT 47

int coin_init(struct coin *coin, __u32 slot_count, __u32 count)
{
	coin->count = count;
	coin->entry = calloc(count + 1, sizeof(*coin->entry));
	coin->reciprocal = calloc(count + 1, sizeof(*coin->reciprocal));
	coin->won = calloc(count + 1, sizeof(*coin->won));
	coin->held = calloc(count + 1, sizeof(*coin->held));
	coin->slots = malloc(slot_count * sizeof(*coin->slots));
	return coin->entry && coin->reciprocal && coin->won && coin->held && coin->slots ? 0
											 : -ENOMEM;
}

void coin_free(struct coin *coin)
{
	free(coin->entry);
	free(coin->reciprocal);
	free(coin->won);
	free(coin->held);
	free(coin->slots);
}

void coin_load(struct coin *coin, const __u16 *bias)
{
	for (__u32 i = 0; i < coin->count; i++) {
		coin->entry[i] = (__u64)bias[i] << 16 | i;
		/* Rounded up, so that the largest x itself has s = 1 whichever of equals it is. */
		coin->reciprocal[i] =
			bias[i] ? ((1ull << RECIPROCAL_SHIFT) + bias[i] - 1) / bias[i] : 0;
	}
	coin->entry[coin->count] = coin->count;
}

/* Which entry a candidate has. */
static inline __u32 known(struct coin *coin, __u16 candidate)
{
	if (candidate < coin->count)
		return candidate;
	coin->invalid |= candidate != CANDIDATE_NONE;
	return coin->count;
}

/* Returns whether one of the candidates of @slot has a bias. */
static inline bool slot_read(struct coin *coin, const struct slot *slot, struct slot *copy)
{
	__u32 a = known(coin, slot->candidate[0]);
	__u32 b = known(coin, slot->candidate[1]);
	__u32 c = known(coin, slot->candidate[2]);

	copy->candidate[0] = a;
	copy->candidate[1] = b;
	copy->candidate[2] = c;
	return (coin->entry[a] | coin->entry[b] | coin->entry[c]) >> 16;
}

int coin_aim(struct coin *coin, const struct slot *slots, __u32 slot_count)
{
	struct slot *end = coin->slots;
	__u32 *held = coin->held;

	for (__u32 s = 0; s < slot_count; s++) {
		bool live = slot_read(coin, &slots[s], end);

		for (__u32 probe = 1; !live && probe <= SLOT_PROBES; probe++)
			live = slot_read(coin, &slots[(s + probe) & (slot_count - 1)], end);
		if (!live)
			continue;
		held[end->candidate[0]]++;
		held[end->candidate[1]]++;
		held[end->candidate[2]]++;
		end++;
	}
	coin->served = end - coin->slots;
	return coin->invalid ? -EINVAL : 0;
}

/*
 * What each backend wins. With x_p <= x_q <= x_top, P of p is s_p / 2 - s_p s_q / 6, that of q the
 * same the other way round, and top has the rest. Counted in sixths, so that nothing is divided, and
 * ordered by comparisons that compile to moves: branches would be mispredicted in every other slot.
 */
void coin_toss(struct coin *coin)
{
	const __u64 *entry = coin->entry, *reciprocal = coin->reciprocal;
	const struct slot *slot = coin->slots, *end = slot + coin->served;
	__u64 *won = coin->won;

	memset(won, 0, (coin->count + 1) * sizeof(*won));
	for (; slot < end; slot++) {
		__u64 a = entry[slot->candidate[0]], b = entry[slot->candidate[1]];
		__u64 c = entry[slot->candidate[2]];
		__u64 p = a < b ? a : b, high = a < b ? b : a;
		__u64 q = high < c ? high : c, top = high < c ? c : high;
		__u64 one = reciprocal[(__u16)top];
		__u64 s_p = (p >> 16) * one >> (RECIPROCAL_SHIFT - S_SHIFT);
		__u64 s_q = (q >> 16) * one >> (RECIPROCAL_SHIFT - S_SHIFT);
		__u64 both = s_p * s_q >> S_SHIFT;

		won[(__u16)p] += 3 * s_p - both;
		won[(__u16)q] += 3 * s_q - both;
		won[(__u16)top] += 6 * S_ONE - 3 * s_p - 3 * s_q + 2 * both;
	}
}

__u64 coin_won(const struct coin *coin, __u32 index)
{
	return coin->won[index] / (6 << (S_SHIFT - PART_SHIFT));
}
