/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an application says of itself, for its node's report: a JSON object with any of
 *
 *	application_utilization     1 is full, more is overloaded; weights go by it before cpu_percent
 *	application_weight_percent  of its base weight, that it wishes for; 0 to 1000
 *	inflight, workers           requests that it has, and can work on at once
 *	rps_fractional, eps         requests a second, and how many of them failed
 *	cpu_utilization, mem_utilization   0 to 1, instead of the machine's cpu_percent, mem_percent
 *	latency_ms, p50_ms, p95_ms, p99_ms, rps, ...  every other number of a report (report.h)
 *
 * application_utilization, rps_fractional, eps, cpu_utilization and mem_utilization are named and
 * measured as in ORCA, the load reports of Envoy and gRPC (xds.data.orca.v3.OrcaLoadReport), so
 * that its JSON form can be written into the file as it is. Everything else is ignored.
 */
#ifndef SLUICE_CORE_APPLICATION_H
#define SLUICE_CORE_APPLICATION_H

#include <stddef.h>

#include "report.h"

/*
 * Read @text into @own, a report without a node. Returns 0, -EINVAL with a sentence in @error, or
 * -ENOMEM; @own is then empty.
 */
int application_parse(const char *text, size_t text_bytes, struct report *own,
		      struct text_error *error);

/* What the application says goes before what was measured. */
void application_merge(const struct report *own, struct report *report);

#endif
