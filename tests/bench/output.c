/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <jansson.h>

#include "output.h"

#define NAME_WIDTH 34

static bool missed(const struct result *result)
{
	return result->goal > 0 && result->cost.median > result->goal;
}

void output_progress(const char *name, size_t done, size_t all)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (name)
		fprintf(stderr, "\r\033[K[%zu/%zu] %s", done + 1, all, name);
	else
		fputs("\r\033[K", stderr);
	fflush(stderr);
}

static void print_heading(const struct result *result)
{
	printf("\n%-*s %9s  %17s  %8s  %8s  %6s\n", NAME_WIDTH, result->section, result->unit,
	       "min..max", "goal", "null", "new");
}

void output_row(const struct result *result, bool begins_section)
{
	char range[40];

	if (begins_section)
		print_heading(result);
	printf("%-*s ", NAME_WIDTH, result->name);
	if (result->error[0]) {
		printf("FAILED: %s\n", result->error);
		fflush(stdout);
		return;
	}
	snprintf(range, sizeof(range), "%.1f..%.1f", result->cost.min, result->cost.max);
	printf("%9.1f  %17s  ", result->cost.median, range);
	if (result->goal > 0)
		printf("%8.0f  ", result->goal);
	else
		printf("%8s  ", "-");
	if (result->null_cost > 0)
		printf("%8.1f  ", result->null_cost);
	else
		printf("%8s  ", "-");
	if (result->new_percent >= 0)
		printf("%4.*f %%", result->new_percent >= 10 ? 0 : 2, result->new_percent);
	else
		printf("%6s", "-");
	printf("%s%s\n", missed(result) ? "  goal missed" : "", result->busy ? "  host busy" : "");
	fflush(stdout);
}

static json_t *row_json(const struct result *result)
{
	json_t *row = json_pack("{s:s, s:s, s:s}", "section", result->section, "name", result->name,
				"unit", result->unit);

	if (result->error[0]) {
		json_object_set_new(row, "error", json_string(result->error));
		return row;
	}
	json_object_set_new(row, "median", json_real(result->cost.median));
	json_object_set_new(row, "min", json_real(result->cost.min));
	json_object_set_new(row, "max", json_real(result->cost.max));
	if (result->goal > 0) {
		json_object_set_new(row, "goal", json_real(result->goal));
		json_object_set_new(row, "goal_missed", json_boolean(missed(result)));
	}
	if (result->null_cost > 0)
		json_object_set_new(row, "null", json_real(result->null_cost));
	json_object_set_new(row, "host_busy", json_boolean(result->busy));
	if (result->new_percent >= 0)
		json_object_set_new(row, "new_flows_percent", json_real(result->new_percent));
	return row;
}

int output_json(const struct result *results, size_t count)
{
	json_t *rows = json_array();
	int err = 0;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(rows, row_json(&results[i]));
	if (!rows || json_dumpf(rows, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)))
		err = -EIO;
	puts("");
	json_decref(rows);
	return err;
}
