/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a packet costs, and what a change of weights costs. Nothing is asserted about times: a goal
 * that is missed is marked, and only a row that did not do its work fails.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compute.h"
#include "measure.h"
#include "options.h"
#include "output.h"
#include "update.h"

enum exit_status {
	STATUS_OK,
	STATUS_FAILED,
	STATUS_USAGE,
};

struct bench {
	struct options options;
	/* Opened by the first row that needs them. */
	bool world_is_open;
	struct world world;
	struct measure *measure;
};

struct row {
	const char *section;
	const char *name;
	int (*run)(struct bench *bench, const void *item, struct result *result);
	const void *item;
};

static int need_world(struct bench *bench)
{
	int err;

	if (bench->world_is_open)
		return 0;
	err = world_open(&bench->world, bench->options.sluice);
	bench->world_is_open = !err;
	return err;
}

static int run_scenario(struct bench *bench, const void *item, struct result *result)
{
	int err = need_world(bench);

	if (err)
		return err;
	if (!bench->measure)
		bench->measure = measure_open(&bench->world);
	if (!bench->measure)
		return -errno;
	measure_row(bench->measure, item, bench->options.rounds, result);
	return 0;
}

static int run_compute(struct bench *bench, const void *item, struct result *result)
{
	compute_row(item, bench->options.rounds, result);
	return 0;
}

static int run_update(struct bench *bench, const void *item, struct result *result)
{
	int err = need_world(bench);

	if (err)
		return err;
	update_row(&bench->world, item, bench->options.rounds, result);
	return 0;
}

static bool is_wanted(const struct options *options, const struct row *row)
{
	return !options->only || strstr(row->name, options->only) ||
	       strstr(row->section, options->only);
}

static size_t add_row(struct row *rows, size_t count, struct row row, const struct options *options)
{
	if (!is_wanted(options, &row))
		return count;
	rows[count] = row;
	return count + 1;
}

/* All rows that are wanted. Returns how many, or -ENOMEM; free(*@rows). */
static ssize_t make_rows(const struct options *options, struct row **made)
{
	struct row *rows = calloc(scenario_count + compute_count + update_count, sizeof(*rows));
	size_t count = 0;

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < scenario_count; i++) {
		const struct scenario *scenario = &scenarios[i];
		const char *section = scenario->floor ? SECTION_FLOOR : SECTION_PATH;

		count = add_row(rows, count,
				(struct row){section, scenario->name, run_scenario, scenario},
				options);
	}
	for (size_t i = 0; i < compute_count; i++)
		count = add_row(
			rows, count,
			(struct row){SECTION_COMPUTE, computes[i].name, run_compute, &computes[i]},
			options);
	for (size_t i = 0; i < update_count; i++)
		count = add_row(
			rows, count,
			(struct row){SECTION_UPDATE, updates[i].name, run_update, &updates[i]},
			options);
	*made = rows;
	return count;
}

/* The flow table is per CPU, and so are caches: stay on one. The last gets fewest interrupts. */
static int stay_on_cpu(int cpu)
{
	cpu_set_t set;

	if (cpu < 0) {
		if (sched_getaffinity(0, sizeof(set), &set))
			return -errno;
		cpu = CPU_SETSIZE - 1;
		while (cpu > 0 && !CPU_ISSET(cpu, &set))
			cpu--;
	}
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

static void list(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("%s: %s\n", rows[i].section, rows[i].name);
}

/* Returns 0, -EIO when a row failed, or negative errno when none can be measured. */
static int run_rows(struct bench *bench, const struct row *rows, size_t count,
		    struct result *results)
{
	const char *section = "";
	int failed = 0;

	for (size_t i = 0; i < count; i++) {
		int err;

		output_progress(rows[i].name, i, count);
		results[i] = (struct result){
			.section = rows[i].section,
			.name = rows[i].name,
			.new_percent = -1,
		};
		err = rows[i].run(bench, rows[i].item, &results[i]);
		output_progress(NULL, 0, 0);
		if (err)
			return err;
		if (results[i].error[0])
			failed = -EIO;
		if (bench->options.json)
			continue;
		output_row(&results[i], section != rows[i].section);
		section = rows[i].section;
	}
	return failed;
}

static int run_bench(struct bench *bench)
{
	struct result *results = NULL;
	struct row *rows = NULL;
	ssize_t count = make_rows(&bench->options, &rows);
	int err;

	if (count < 0)
		return count;
	if (!count) {
		free(rows);
		return -ENODATA;
	}
	if (bench->options.list) {
		list(rows, count);
		free(rows);
		return 0;
	}
	err = stay_on_cpu(bench->options.cpu);
	results = calloc(count, sizeof(*results));
	if (!results)
		err = -ENOMEM;
	if (!err)
		err = run_rows(bench, rows, count, results);
	if (bench->options.json && (!err || err == -EIO))
		err = output_json(results, count) ?: err;
	measure_close(bench->measure);
	free(results);
	free(rows);
	return err;
}

static const char *reason(int err)
{
	switch (err) {
	case -EIO:
		return "a row failed";
	case -ENODATA:
		return "no row has that in its name";
	default:
		return strerror(-err);
	}
}

int main(int argc, char **argv)
{
	struct bench bench = {};
	int err;

	if (options_parse(argc, argv, &bench.options))
		return STATUS_USAGE;
	if (bench.options.help) {
		fputs(options_usage, stdout);
		return STATUS_OK;
	}
	err = run_bench(&bench);
	if (err)
		fprintf(stderr, "bench: %s\n", reason(err));
	return err ? STATUS_FAILED : STATUS_OK;
}
