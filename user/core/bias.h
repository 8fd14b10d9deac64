/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bias: what loads the coin so that the shares come out as the weights say.
 *
 * The coin takes candidate i of a slot with s = x / max x in that slot with probability
 *	P_i = s_i (1 - (s_j + s_k) / 2 + s_j s_k / 3)
 * (the smallest of three uniforms, each divided by its x). The solver turns that round.
 */
#ifndef SLUICE_CORE_BIAS_H
#define SLUICE_CORE_BIAS_H

#include <stdbool.h>
#include <linux/types.h>

#include "../../maps/slot.h"

#define BIAS_MAX 65535

/* How well the biases do. */
struct bias_fit {
	__u32 error_max_ppm; /* largest |share - wanted share| / wanted share of a wanted backend */
	__u32 unserved_ppm;  /* slots from which no probe finds a live candidate */
	bool saturated;      /* a wanted share is more than a backend's slots can give */
};

/*
 * Solve for @bias[0..@count) from the weights @wanted (any unit, only their ratios count).
 * @slots hold indices below @count or CANDIDATE_NONE. Shares are of the flows that find a live
 * candidate.
 *
 * wanted 0 gets bias 0; wanted > 0 never gets 0. All wanted 0: every bias is 0. One left: BIAS_MAX.
 * Integers only; another order of backends gives the same biases in that order. @fit may be NULL.
 * Returns 0, -EINVAL (a candidate out of range, slot_count not a power of two or over
 * SLOT_COUNT_MAX) or -ENOMEM; @bias is then untouched.
 */
int bias_solve(const struct slot *slots, __u32 slot_count, const __u32 *wanted, __u32 count,
	       __u16 *bias, struct bias_fit *fit);

/*
 * The share (parts per 2^30 of all new flows) that each backend gets with these biases, probes of
 * empty slots included, into @share[0..@count); into *@unserved the part that finds no candidate.
 * Returns 0, -EINVAL (as above) or -ENOMEM.
 */
int bias_shares(const struct slot *slots, __u32 slot_count, const __u16 *bias, __u32 count,
		__u32 *share, __u32 *unserved);

#endif
