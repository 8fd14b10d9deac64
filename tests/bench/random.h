/* SPDX-License-Identifier: GPL-2.0-only */
/* The same "random" inputs in every run. */
#ifndef SLUICE_TESTS_BENCH_RANDOM_H
#define SLUICE_TESTS_BENCH_RANDOM_H

#include <linux/types.h>

/* Steele, Lea & Flood, "Fast splittable pseudorandom number generators". */
static inline __u64 random_next(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline __u64 random_below(__u64 *state, __u64 bound)
{
	return random_next(state) % bound;
}

#endif
