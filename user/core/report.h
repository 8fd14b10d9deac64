/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports: what nodes say of themselves, read from JSON and checked field by field. */
#ifndef SLUICE_CORE_REPORT_H
#define SLUICE_CORE_REPORT_H

#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "../../maps/service.h"

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
};

struct report {
	char node[NAME_BYTES];
	char region[REGION_BYTES];
	__u32 fields; /* enum report_field */
	double cpu_percent;
	double mem_percent;
	double latency_ms;
	double rps;
	double inflight;
	double workers;
	double retransmit_percent;
	double p95_ms;
	int64_t last_seen_ms; /* Unix time */
};

/* Where and why a text was refused, ready to be printed behind the name of its source. */
struct text_error {
	int line; /* 0: not known */
	char what[256];
};

/*
 * Read one report or an array of them: a JSON object, or an array of objects. node_id is required;
 * unknown fields are ignored. Refused, with the field's name (and the report's index or node): wrong
 * types, NaN and infinities, negative numbers, percentages over 100, names too long for their
 * field, a last_seen that is no RFC 3339 date or more than @skew_ms after @now_ms, two reports of
 * one node in one text, trailing text.
 *
 * On success *@reports is an array of *@count (free it with free()). Returns 0, -EINVAL with
 * *@error filled in and nothing allocated, or -ENOMEM.
 */
int report_parse(const char *text, size_t text_bytes, int64_t now_ms, int64_t skew_ms,
		 struct report **reports, size_t *count, struct text_error *error);

#endif
