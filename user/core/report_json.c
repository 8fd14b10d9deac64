/* SPDX-License-Identifier: GPL-2.0-only */
#include "report_json.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "report_number.h"

#define TIME_BYTES 48

/* RFC 3339, to the millisecond, in UTC. */
static void format_time(int64_t unix_ms, char text[TIME_BYTES])
{
	unsigned int ms = (unix_ms % 1000 + 1000) % 1000;
	time_t seconds = (unix_ms - ms) / 1000;
	struct tm utc;
	size_t used;

	gmtime_r(&seconds, &utc);
	used = strftime(text, TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + used, TIME_BYTES - used, ".%03uZ", ms);
}

static bool put_numbers(json_t *root, const struct report *report)
{
	for (size_t i = 0; i < REPORT_NUMBERS; i++) {
		const struct report_number *number = &report_numbers[i];
		double value = report_number_get(report, number);

		if (report->fields & number->field &&
		    json_object_set_new(root, number->name, json_real(round(value * 1000) / 1000)))
			return false;
	}
	return true;
}

json_t *report_json_numbers(const struct report *report)
{
	json_t *root = json_object();

	if (root && put_numbers(root, report))
		return root;
	json_decref(root);
	return NULL;
}

json_t *report_json(const struct report *report)
{
	json_t *root = json_pack("{s:s}", "node_id", report->node);
	char last_seen[TIME_BYTES];

	if (!root)
		return NULL;
	if (report->fields & REPORT_REGION &&
	    json_object_set_new(root, "region", json_string(report->region)))
		goto fail;
	if (!put_numbers(root, report))
		goto fail;
	if (report->fields & REPORT_LAST_SEEN) {
		format_time(report->last_seen_ms, last_seen);
		if (json_object_set_new(root, "last_seen", json_string(last_seen)))
			goto fail;
	}
	return root;
fail:
	json_decref(root);
	return NULL;
}
