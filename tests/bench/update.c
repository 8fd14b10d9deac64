/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "random.h"
#include "update.h"
#include "user/core/model.h"
#include "user/core/weight.h"
#include "user/kernel/apply.h"
#include "user/kernel/maps.h"
#include "user/kernel/state.h"

const struct update updates[] = {
	{"100 backends", 100},
	{"1000 backends", 1000},
};

const size_t update_count = sizeof(updates) / sizeof(updates[0]);

struct fleet {
	struct maps maps;
	struct model model;
	struct report *reports;
	struct weight_input *inputs;
	struct weight_decision *decisions;
};

static double clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void fleet_close(struct fleet *fleet)
{
	free(fleet->reports);
	free(fleet->inputs);
	free(fleet->decisions);
	model_free(&fleet->model);
	maps_close(&fleet->maps);
}

static int fleet_open(const struct world *world, struct fleet *fleet, struct text_error *error)
{
	int err = maps_open(world->pin, true, &fleet->maps, error);

	if (err)
		return err;
	err = state_read(&fleet->maps, &fleet->model);
	if (err) {
		maps_close(&fleet->maps);
		return text_refuse(error, err, NULL, "%s", strerror(-err));
	}
	fleet->reports = calloc(fleet->model.backend_count, sizeof(*fleet->reports));
	fleet->inputs = calloc(fleet->model.backend_count, sizeof(*fleet->inputs));
	fleet->decisions = calloc(fleet->model.backend_count, sizeof(*fleet->decisions));
	if (fleet->reports && fleet->inputs && fleet->decisions)
		return 0;
	fleet_close(fleet);
	return text_refuse(error, -ENOMEM, NULL, "out of memory");
}

static void draw_reports(struct fleet *fleet, __u64 *random)
{
	for (size_t i = 0; i < fleet->model.backend_count; i++) {
		struct report *report = &fleet->reports[i];

		snprintf(report->node, sizeof(report->node), "%s", fleet->model.backends[i].node);
		report->fields = REPORT_CPU | REPORT_MEM | REPORT_LATENCY;
		report->cpu_percent = 20 + random_below(random, 40);
		report->mem_percent = 30;
		report->latency_ms = 5 + random_below(random, 20);
	}
}

static int update_weights(struct fleet *fleet, struct text_error *error)
{
	struct model *model = &fleet->model;

	for (size_t i = 0; i < model->backend_count; i++)
		fleet->inputs[i] = (struct weight_input){
			.base_weight = model->backends[i].base_weight,
			.weight_milli = model->backends[i].weight_milli,
			.report = &fleet->reports[i],
		};
	weight_decide(WEIGHT_PROBE, weight_config_default(), "", 0, fleet->inputs,
		      model->backend_count, fleet->decisions);
	for (size_t i = 0; i < model->backend_count; i++) {
		model->backends[i].weight_milli = fleet->decisions[i].weight_milli;
		memcpy(model->backends[i].reason, fleet->decisions[i].reason, REASON_BYTES);
	}
	return apply_publish(&fleet->maps, model, error);
}

/* The wait for packets that still read the old half comes after the flip, and delays none. */
static int time_updates(struct fleet *fleet, unsigned int rounds, struct result *result,
			struct text_error *error)
{
	double samples_us[ROUNDS_MAX];
	__u64 random = 3;

	for (unsigned int i = 0; i < rounds; i++) {
		__u64 generation = fleet->maps.control->generation;
		int err;

		draw_reports(fleet, &random);
		samples_us[i] = clock_us();
		err = update_weights(fleet, error);
		samples_us[i] = clock_us() - samples_us[i];
		if (err)
			return err;
		if (fleet->maps.control->generation != generation + 1)
			return text_refuse(error, -EIO, NULL, "the generation was not flipped");
		apply_settle(&fleet->maps);
	}
	result->cost = summarize(samples_us, rounds);
	return 0;
}

void update_row(struct world *world, const struct update *update, unsigned int rounds,
		struct result *result)
{
	const struct bench_service service = {
		.name = "web",
		.vip = "192.0.2.1",
		.port = 80,
		.protocol = IPPROTO_TCP,
		.forward = "ipip",
		.backends = update->backends,
	};
	struct text_error error;
	struct fleet fleet = {};
	int err;

	result->unit = "us";
	if (world_load(world, &service, 1, NULL)) {
		snprintf(result->error, sizeof(result->error), "not loaded");
		return;
	}
	err = fleet_open(world, &fleet, &error);
	if (!err) {
		if (fleet.model.backend_count != update->backends)
			err = text_refuse(&error, -EIO, NULL, "%zu backends, not %u",
					  fleet.model.backend_count, update->backends);
		err = err ?: time_updates(&fleet, rounds, result, &error);
		fleet_close(&fleet);
	}
	if (err)
		snprintf(result->error, sizeof(result->error), "%.100s", error.what);
	world_unload(world);
}
