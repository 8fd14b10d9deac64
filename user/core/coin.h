/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The coin: what the packet path's choice among three candidates gives each backend, counted over
 * all slots of a service. See bias.h for the formula.
 */
#ifndef SLUICE_CORE_COIN_H
#define SLUICE_CORE_COIN_H

#include <stdbool.h>
#include <linux/types.h>

#include "../../maps/slot.h"

/* Bits behind the point of parts of slots, and of numbers of slots that are won. */
#define PART_SHIFT 30
#define PART_ONE   (1ull << PART_SHIFT)

/* Entry @count of each array stands for CANDIDATE_NONE. */
struct coin {
	__u32 count;
	__u64 *entry;      /* bias << 16 | index, so that one comparison orders both */
	__u64 *reciprocal; /* of the bias */
	__u64 *won;        /* see coin_won() */
	__u32 *held;       /* slots that it stands in */
	struct slot
		*slots; /* where the flows of each slot end up; without those that end nowhere */
	__u32 served;   /* number of them */
	bool invalid;   /* a candidate is neither a backend nor CANDIDATE_NONE */
};

/* All zero before. Returns 0 or -ENOMEM; coin_free() in either case. */
int coin_init(struct coin *coin, __u32 slot_count, __u32 count);
void coin_free(struct coin *coin);

void coin_load(struct coin *coin, const __u16 *bias);

/*
 * Take over the slots, following the probes from empty ones. Who has a bias must stay the same from
 * here on, not how much. @slot_count as in coin_init(), a power of two. Returns 0 or -EINVAL.
 */
int coin_aim(struct coin *coin, const struct slot *slots, __u32 slot_count);

/* Count what each backend wins with the biases that are loaded. */
void coin_toss(struct coin *coin);

/* Number of slots that a backend has won, PART_SHIFT. */
__u64 coin_won(const struct coin *coin, __u32 index);

#endif
