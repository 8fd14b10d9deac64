/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Comparing without branches: such as would be guessed wrong too often, or whose ways a loop would
 * multiply for the verifier.
 */
#ifndef SLUICE_BPF_BRANCHLESS_H
#define SLUICE_BPF_BRANCHLESS_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

/* All ones where a < b, else 0, for a and b below 2^63. */
static __always_inline __u64 less_mask(__u64 a, __u64 b)
{
	__u64 mask = (__s64)(a - b) >> 63;

	/* Else the compiler makes a branch of it. */
	asm volatile("" : "+r"(mask));
	return mask;
}

static __always_inline __u64 smaller(__u64 a, __u64 b)
{
	return b + ((a - b) & less_mask(a, b));
}

#endif
