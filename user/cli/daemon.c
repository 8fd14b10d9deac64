/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon.h"

#include <stdio.h>
#include <time.h>

#include "output.h"

static long long integer_in(const json_t *root, const char *key)
{
	return json_integer_value(json_object_get(root, key));
}

static double real_in(const json_t *root, const char *key)
{
	return json_number_value(json_object_get(root, key));
}

static const char *time_text(long long unix_ms, char text[32])
{
	time_t seconds = unix_ms / 1000;

	strftime(text, 32, "%F %T", localtime(&seconds));
	return text;
}

static void print_sources(const json_t *sources)
{
	static const struct column columns[] = {
		{"source", "SOURCE", NULL, 0},       {"reports", "REPORTS", NULL, 0},
		{"malformed", "MALFORMED", NULL, 0}, {"forged", "FORGED", NULL, 0},
		{"replayed", "REPLAYED", NULL, 0},   {"untimely", "UNTIMELY", NULL, 0},
		{"failed", "FAILED", NULL, 0},       {"strangers", "STRANGERS", NULL, 0},
	};
	json_t *rows = json_array(), *counters;
	const char *name;

	json_object_foreach((json_t *)sources, name, counters)
	{
		json_t *row = json_copy(counters);

		json_object_set_new(row, "source", json_string(name));
		json_array_append_new(rows, row);
	}
	output_rows(false, rows, columns, sizeof(columns) / sizeof(columns[0]), "");
}

static void print_nodes(const json_t *nodes)
{
	static const struct column columns[] = {
		{"node", "NODE", NULL, 0},
		{"age_s", "LAST-REPORT", " s ago", 1},
	};
	json_t *rows = json_array(), *node;
	size_t index;

	json_array_foreach(nodes, index, node)
	{
		json_t *row = json_copy(node);
		json_t *age = json_object_get(row, "age_ms");

		json_object_set_new(row, "age_s",
				    json_is_integer(age)
					    ? json_real(json_integer_value(age) / 1000.0)
					    : json_null());
		json_array_append_new(rows, row);
	}
	output_rows(false, rows, columns, 2, "no nodes");
}

static void print_check(const json_t *check)
{
	static const struct column columns[] = {
		{"found", "FOUND", NULL, 0},
		{"repair", "REPAIR", NULL, 0},
	};
	const json_t *findings = json_object_get(check, "findings");
	char text[32];

	printf("\nself-check at %s: ", time_text(integer_in(check, "unix_ms"), text));
	if (json_array_size(findings))
		putchar('\n');
	output_table(findings, columns, 2, "nothing amiss");
}

void daemon_print(const json_t *daemon)
{
	const char *error = json_string_value(json_object_get(daemon, "reload_error"));
	const json_t *weights = json_object_get(daemon, "weights");
	const json_t *check = json_object_get(daemon, "check");
	char text[32];

	printf("\ndaemon      pid %lld since %s, of %s\n", integer_in(daemon, "pid"),
	       time_text(integer_in(daemon, "since_unix_ms"), text),
	       json_string_value(json_object_get(daemon, "config")));
	printf("loop        late by %.2f ms on average, %.1f ms at most in the last minute\n",
	       real_in(daemon, "loop_mean_ms"), real_in(daemon, "loop_max_ms"));
	printf("weights     published %lld times, the last in %.2f ms, settled in %.1f ms\n",
	       integer_in(weights, "publications"), real_in(weights, "publish_ms"),
	       real_in(weights, "settle_ms"));
	if (error)
		printf("reload      failed: %s\n", error);
	printf("reports     %.1f a second\n\n", real_in(daemon, "reports_per_second"));
	print_sources(json_object_get(daemon, "sources"));
	putchar('\n');
	print_nodes(json_object_get(daemon, "nodes"));
	if (check)
		print_check(check);
}
