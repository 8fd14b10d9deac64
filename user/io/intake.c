/* SPDX-License-Identifier: GPL-2.0-only */
#include "intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

const char *source_name(enum source source)
{
	static const char *const names[SOURCES] = {
		[SOURCE_UDP] = "udp",   [SOURCE_UNIX] = "unix", [SOURCE_HTTP] = "http",
		[SOURCE_FILE] = "file", [SOURCE_PULL] = "pull",
	};

	return names[source];
}

void intake_refuse(struct intake *intake, enum source source, __u64 *counter, const char *from,
		   const char *why)
{
	++*counter;
	log_limited(&intake->limits[source], LOG_WARNING, "%s: from %s: refused: %s",
		    source_name(source), from, why);
}

int intake_text(struct intake *intake, enum source source, const char *from, const char *text,
		size_t text_bytes, struct text_error *error)
{
	struct source_counters *counters = &intake->counters[source];
	struct report *reports;
	size_t count, i;
	int err = report_parse(text, text_bytes, clock_wall_ms(), intake->skew_ms, &reports, &count,
			       error);

	if (err) {
		intake_refuse(intake, source, &counters->malformed, from, error->what);
		return err;
	}
	counters->texts++;
	counters->reports += count;
	if (intake->on_text)
		intake->on_text(intake->context, source, text, text_bytes);
	for (i = 0; i < count; i++)
		intake->on_report(intake->context, source, &reports[i]);
	free(reports);
	return count;
}

void intake_stranger(struct intake *intake, enum source source, const char *node)
{
	unsigned int count = intake->stranger_count;

	intake->counters[source].strangers++;
	for (unsigned int i = 0; i < count; i++) {
		if (!strcmp(intake->strangers[i], node))
			return;
	}
	if (count == STRANGERS_NAMED)
		return;
	snprintf(intake->strangers[count], NAME_BYTES, "%s", node);
	intake->stranger_count++;
	log_say(LOG_WARNING, "%s: no backend lives on node %s%s", source_name(source), node,
		count + 1 == STRANGERS_NAMED ? "; further ones are only counted" : "");
}

json_t *intake_json(const struct intake *intake)
{
	json_t *all = json_object();
	enum source source;

	for (source = 0; source < SOURCES; source++) {
		const struct source_counters *of = &intake->counters[source];

		json_object_set_new(
			all, source_name(source),
			json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "texts",
				  (json_int_t)of->texts, "reports", (json_int_t)of->reports,
				  "malformed", (json_int_t)of->malformed, "forged",
				  (json_int_t)of->forged, "replayed", (json_int_t)of->replayed,
				  "untimely", (json_int_t)of->untimely, "failed",
				  (json_int_t)of->failed, "strangers", (json_int_t)of->strangers));
	}
	return all;
}
