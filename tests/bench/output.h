/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SLUICE_TESTS_BENCH_OUTPUT_H
#define SLUICE_TESTS_BENCH_OUTPUT_H

#include <stddef.h>

#include "summary.h"

/* Which row is being measured, where standard error is a terminal; NULL: none any more. */
void output_progress(const char *name, size_t done, size_t all);

/* One row, under a heading where its section begins. */
void output_row(const struct result *result, bool begins_section);

/* All rows. Returns 0 or negative errno. */
int output_json(const struct result *results, size_t count);

#endif
