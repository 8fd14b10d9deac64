/* SPDX-License-Identifier: GPL-2.0-only */
/* One row of the packet path: send, check that the right thing happened, time. */
#ifndef SLUICE_TESTS_BENCH_MEASURE_H
#define SLUICE_TESTS_BENCH_MEASURE_H

#include "scenario.h"
#include "summary.h"
#include "world.h"

struct measure;

/* NULL with errno set. */
struct measure *measure_open(struct world *world);
void measure_close(struct measure *measure);

/* What goes wrong with one row is said in @result->error. */
void measure_row(struct measure *measure, const struct scenario *scenario, unsigned int rounds,
		 struct result *result);

#endif
