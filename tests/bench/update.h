/* SPDX-License-Identifier: GPL-2.0-only */
/* From reports that have been read to the moment when packets follow the new weights. */
#ifndef SLUICE_TESTS_BENCH_UPDATE_H
#define SLUICE_TESTS_BENCH_UPDATE_H

#include "summary.h"
#include "world.h"

#define SECTION_UPDATE "userspace: reports to flip"

struct update {
	const char *name;
	__u16 backends;
};

extern const struct update updates[];
extern const size_t update_count;

void update_row(struct world *world, const struct update *update, unsigned int rounds,
		struct result *result);

#endif
