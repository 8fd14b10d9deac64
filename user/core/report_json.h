/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports as JSON, the other way round than report_parse(). */
#ifndef SLUICE_CORE_REPORT_JSON_H
#define SLUICE_CORE_REPORT_JSON_H

#include <jansson.h>

#include "report.h"

/* The numbers that @report has, to a thousandth. NULL: no memory. */
json_t *report_json_numbers(const struct report *report);

/*
 * All of @report; last_seen is of the years 1000 to 9999. NULL: no memory, or a
 * name is no UTF-8.
 */
json_t *report_json(const struct report *report);

#endif
