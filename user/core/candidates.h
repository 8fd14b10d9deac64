/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Candidates: which three backends may take the new flows of a slot.
 *
 * The top three of a weighted rendezvous (highest random weight, Thaler & Ravishankar 1998), run as
 * a race: each backend walks its own permutation of the slots and reaches its k-th slot at time
 * -ln(1 - (k + 1/2) / M) / w; the three smallest times win a slot. Integers only: every machine
 * gets the same table from the same set of backends, in whatever order it is given.
 */
#ifndef SLUICE_CORE_CANDIDATES_H
#define SLUICE_CORE_CANDIDATES_H

#include <linux/types.h>

#include "../../maps/slot.h"

#define SLOT_COUNT_MIN 4096u
#define SLOT_COUNT_MAX 1048576u

struct contender {
	__u64 identity;     /* well mixed, unlike any other's in the service */
	__u16 table_weight; /* 0: wins no slot */
};

/* The next power of two from 128 slots a backend, within SLOT_COUNT_MIN..SLOT_COUNT_MAX. */
__u32 slot_count_default(__u32 backend_count);

/*
 * Fill @slots[0..@slot_count) with indices into @contenders, the winner first; CANDIDATE_NONE where
 * there are fewer than three with a weight. @count is at most 65535 - 1. Weights under a sixteenth
 * of the mean (taken down to a power of two) count as that, so that each backend wins slots and the
 * bias can do the rest.
 *
 * A backend that is added, removed or changed in weight changes the slots that it wins or loses and
 * no other, unless it moves that floor from one power of two to another.
 *
 * Returns 0, -EINVAL (slot_count not a power of two or over SLOT_COUNT_MAX, two equal identities) or
 * -ENOMEM.
 */
int candidates_build(const struct contender *contenders, __u32 count, struct slot *slots,
		     __u32 slot_count);

#endif
