/* SPDX-License-Identifier: GPL-2.0-only */
/* Contenders with made-up identities, and tables of them. */
#ifndef SLUICE_TESTS_CONTENDERS_H
#define SLUICE_TESTS_CONTENDERS_H

#include <stdlib.h>

#include "../../user/core/candidates.h"
#include "../bench/random.h"

#define CONTENDERS_WEIGHT 100

/* @count of them, of equal weight; the first are the same for every @count. */
static inline struct contender *contenders_draw(__u32 count, __u64 seed)
{
	struct contender *contenders = calloc(count + 1, sizeof(*contenders));

	for (__u32 i = 0; i < count; i++) {
		contenders[i].identity = random_next(&seed);
		contenders[i].table_weight = CONTENDERS_WEIGHT;
	}
	return contenders;
}

/* NULL when they are refused. */
static inline struct slot *contenders_table(const struct contender *contenders, __u32 count,
					    __u32 slot_count)
{
	struct slot *slots = calloc(slot_count, sizeof(*slots));

	if (candidates_build(contenders, count, slots, slot_count)) {
		free(slots);
		return NULL;
	}
	return slots;
}

static inline int slot_holds(const struct slot *slot, __u32 index)
{
	return slot->candidate[0] == index || slot->candidate[1] == index ||
	       slot->candidate[2] == index;
}

#endif
