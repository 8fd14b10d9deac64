/* SPDX-License-Identifier: GPL-2.0-only */
/* What userspace computes when backends or weights change: candidates and biases. */
#ifndef SLUICE_TESTS_BENCH_COMPUTE_H
#define SLUICE_TESTS_BENCH_COMPUTE_H

#include <linux/types.h>

#include "summary.h"

#define SECTION_COMPUTE "userspace: computation"

enum compute_kind {
	COMPUTE_CANDIDATES,
	COMPUTE_BIAS,
};

struct compute {
	const char *name;
	enum compute_kind kind;
	__u32 backends;
	__u32 slots;
	double goal_us; /* 0: none was measured */
};

extern const struct compute computes[];
extern const size_t compute_count;

void compute_row(const struct compute *compute, unsigned int rounds, struct result *result);

#endif
