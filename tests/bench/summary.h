/* SPDX-License-Identifier: GPL-2.0-only */
/* What is kept of the samples of one row. */
#ifndef SLUICE_TESTS_BENCH_SUMMARY_H
#define SLUICE_TESTS_BENCH_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>

#define ROUNDS_MAX 100 /* and so of samples */

struct summary {
	double median;
	double min;
	double max;
};

/* Sorts @samples, of which there is at least one. */
struct summary summarize(double *samples, size_t count);

#define RESULT_ERROR_BYTES 128

/* One row of the output. */
struct result {
	const char *section;
	const char *name;
	const char *unit;
	struct summary cost;
	double goal;                    /* 0: none */
	double null_cost;               /* of the harness alone, already subtracted; 0: none */
	bool busy;                      /* the harness alone was slower than it can be */
	double new_percent;             /* packets that opened a flow; below 0: does not apply */
	char error[RESULT_ERROR_BYTES]; /* empty: the row did what it was to do */
};

#endif
