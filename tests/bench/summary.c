/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>

#include "summary.h"

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left;
	double b = *(const double *)right;

	return (a > b) - (a < b);
}

struct summary summarize(double *samples, size_t count)
{
	struct summary summary;

	qsort(samples, count, sizeof(*samples), compare);
	summary.min = samples[0];
	summary.max = samples[count - 1];
	summary.median = (samples[(count - 1) / 2] + samples[count / 2]) / 2;
	return summary;
}
