/* SPDX-License-Identifier: GPL-2.0-only */
/* What a node answers when it is asked how it is. */
#ifndef SLUICE_CORE_PULLED_H
#define SLUICE_CORE_PULLED_H

#include <stddef.h>

#include "text_error.h"

/*
 * Make a report of @body: a JSON object as report.h has it, where node_id may lack (it is @node),
 * and cpu, mem may stand for cpu_percent, mem_percent. Another node_id than @node is refused: a
 * node speaks for itself. Returns 0 with *@report to be freed, -EINVAL or -ENOMEM with @error filled
 * in.
 */
int pulled_report(const char *body, size_t body_bytes, const char *node, char **report,
		  struct text_error *error);

#endif
