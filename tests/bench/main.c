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

/* By how much the harness alone is slower where somebody else has a part of the core. */
#define BUSY_FACTOR 1.08

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
		const char *section = scenario->floor    ? SECTION_FLOOR
				      : scenario->policy ? SECTION_POLICY
							 : SECTION_PATH;

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

static int run_row(struct bench *bench, const struct row *row, struct result *result)
{
	*result = (struct result){
		.section = row->section,
		.name = row->name,
		.new_percent = -1,
	};
	return row->run(bench, row->item, result);
}

/* The harness alone, in the quietest row: what it costs while nobody else has this core. */
static double quiet_null(const struct result *results, size_t count)
{
	double least = 0;

	for (size_t i = 0; i < count; i++) {
		if (results[i].null_cost > 0 && (!least || results[i].null_cost < least))
			least = results[i].null_cost;
	}
	return least;
}

static void mark_busy(struct result *results, size_t count)
{
	double busy_from = quiet_null(results, count) * BUSY_FACTOR;

	for (size_t i = 0; i < count; i++)
		results[i].busy = results[i].null_cost > busy_from;
}

/*
 * Once more all rows during which the harness alone was slow. Which of the two results stays is
 * decided by the harness, not by the row. Returns 0 or negative errno.
 */
static int run_busy_rows(struct bench *bench, const struct row *rows, size_t count,
			 struct result *results)
{
	struct result again;
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		if (!results[i].busy)
			continue;
		output_progress(rows[i].name, i, count);
		err = run_row(bench, &rows[i], &again);
		if (!err && (again.error[0] || again.null_cost < results[i].null_cost))
			results[i] = again;
	}
	return err;
}

/* Returns 0, -EIO when a row failed, or negative errno when none can be measured. */
static int run_rows(struct bench *bench, const struct row *rows, size_t count,
		    struct result *results)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		output_progress(rows[i].name, i, count);
		err = run_row(bench, &rows[i], &results[i]);
	}
	mark_busy(results, count);
	for (unsigned int i = 0; i < bench->options.again && !err; i++) {
		err = run_busy_rows(bench, rows, count, results);
		mark_busy(results, count);
	}
	output_progress(NULL, 0, 0);
	for (size_t i = 0; i < count && !err; i++) {
		if (results[i].error[0])
			err = -EIO;
	}
	return err;
}

static void print_rows(const struct result *results, size_t count)
{
	const char *section = "";

	for (size_t i = 0; i < count; i++) {
		output_row(&results[i], section != results[i].section);
		section = results[i].section;
	}
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
	else if (!err || err == -EIO)
		print_rows(results, count);
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
