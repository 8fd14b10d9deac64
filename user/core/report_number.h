/* SPDX-License-Identifier: GPL-2.0-only */
/* The numbers of a report: their names in JSON, their bounds, and where they are kept. */
#ifndef SLUICE_CORE_REPORT_NUMBER_H
#define SLUICE_CORE_REPORT_NUMBER_H

#include <stddef.h>

#include "report.h"

#define REPORT_NUMBERS 17

struct report_number {
	const char *name;
	size_t offset; /* of a double in struct report */
	double max;    /* the least is 0 */
	enum report_field field;
};

extern const struct report_number report_numbers[REPORT_NUMBERS];

static inline double report_number_get(const struct report *report,
				       const struct report_number *number)
{
	return *(const double *)((const char *)report + number->offset);
}

static inline void report_number_set(struct report *report, const struct report_number *number,
				     double value)
{
	*(double *)((char *)report + number->offset) = value;
	report->fields |= number->field;
}

/*
 * Put what was measured into @report, brought within its bounds. What is not finite leaves the
 * report as it was. @field is that of a number.
 */
void report_measured(struct report *report, enum report_field field, double value);

#endif
