/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports: what nodes say of themselves, read from JSON and checked field by field. */
#ifndef SLUICE_CORE_REPORT_H
#define SLUICE_CORE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "../../maps/service.h"
#include "text_error.h"

/* Which optional fields a report has. */
enum report_field {
	REPORT_CPU = 1 << 0,
	REPORT_MEM = 1 << 1,
	REPORT_LATENCY = 1 << 2,
	REPORT_RPS = 1 << 3,
	REPORT_INFLIGHT = 1 << 4,
	REPORT_WORKERS = 1 << 5,
	REPORT_RETRANSMIT = 1 << 6,
	REPORT_P95 = 1 << 7,
	REPORT_REGION = 1 << 8,
	REPORT_LAST_SEEN = 1 << 9,
	REPORT_LOAD = 1 << 10,
	REPORT_RTT = 1 << 11,
	REPORT_RTT_DEVIATION = 1 << 12,
	REPORT_P50 = 1 << 13,
	REPORT_P99 = 1 << 14,
	REPORT_APPLICATION_UTILIZATION = 1 << 15,
	REPORT_APPLICATION_WEIGHT = 1 << 16,
	REPORT_RPS_FRACTIONAL = 1 << 17,
	REPORT_EPS = 1 << 18,
};

struct report {
	char node[NAME_BYTES];
	char region[REGION_BYTES];
	__u32 fields; /* enum report_field; what is absent is 0 */
	double cpu_percent;
	double mem_percent;
	double latency_ms;
	double rps;
	double inflight;
	double workers;
	double retransmit_percent;
	double p95_ms;
	double load; /* processes that want a CPU, averaged, over the CPUs: 1 is full */
	double rtt_ms;
	double rtt_deviation_ms; /* mean deviation of the RTT, as TCP keeps it (RFC 6298) */
	double p50_ms;
	double p99_ms;
	/* What the application says of itself goes before what its machine looks like. */
	double application_utilization; /* 1: full; more: overloaded */
	double application_weight_percent; /* of its base weight, that it wishes for */
	double rps_fractional;
	double eps; /* errors a second, of the requests */
	int64_t last_seen_ms; /* Unix time */
};

/*
 * Read one report or an array of them: a JSON object, or an array of objects, such as
 *
 *	{"node_id": "edge-1", "region": "cn-shanghai-1", "cpu_percent": 42.5, "latency_ms": 12.0,
 *	 "last_seen": "2026-11-20T09:00:00Z"}
 *
 * and optionally mem_percent, load, rps, inflight, workers, retransmit_percent, rtt_ms,
 * rtt_deviation_ms, p50_ms, p95_ms, p99_ms, and of the application itself, by ORCA's names where it
 * has them, application_utilization, application_weight_percent, rps_fractional, eps. Only node_id is
 * required. A field that is null is as good as absent, so is an empty region. Unknown fields are
 * ignored.
 *
 * Refused, with the field's name and the report's number (from 1) and node: wrong types, numbers
 * out of bounds (percentages 0 to 100, that of a weight 0 to 1000, an application's utilization 0 to
 * 1000, times 0 to an hour, everything else 0 to a billion), names
 * that are empty, too long for their field or have control characters, a last_seen that is no RFC
 * 3339 time, names no real one or is more than @skew_ms after @now_ms, two reports of one node in
 * one text. Refused as JSON, with the line: syntax errors, text behind the end, a field given
 * twice, bytes that are not UTF-8, nesting beyond 2048, numbers that no double can hold.
 *
 * On success *@reports is an array of *@count (free it with free()), NULL for none. Returns 0,
 * -EINVAL or -ENOMEM, then with *@error filled in, nothing allocated and *@count 0.
 */
int report_parse(const char *text, size_t text_bytes, int64_t now_ms, int64_t skew_ms,
		 struct report **reports, size_t *count, struct text_error *error);

/* Does it have this field, with a @value that is a number of 0 or more? */
bool report_has(const struct report *report, enum report_field field, double value);

#endif
