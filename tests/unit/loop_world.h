/* SPDX-License-Identifier: GPL-2.0-only */
/* A loop with one service and a few backends, for the tests. */
#ifndef SLUICE_TESTS_UNIT_LOOP_WORLD_H
#define SLUICE_TESTS_UNIT_LOOP_WORLD_H

#include <stdio.h>
#include <string.h>

#include "user/core/loop.h"

#define WORLD_BACKENDS_MAX 8
#define WORLD_SERVICE      7
#define UNIX_MS            1795165200000LL

struct world {
	struct loop *loop;
	struct loop_config config;
	struct loop_service service;
	struct loop_backend backends[WORLD_BACKENDS_MAX];
	char nodes[WORLD_BACKENDS_MAX][32];
	size_t count;
	int64_t now_ms;
	unsigned int publications;
};

/* Backend @i has the id 100 + i, and lives on the node "node-i". */
static inline __u16 id_of(size_t i)
{
	return 100 + i;
}

static inline int world_reload(struct world *world)
{
	return loop_reload(world->loop, &world->config, "", &world->service, 1, world->backends,
			   world->count, world->now_ms);
}

static inline void world_add(struct world *world)
{
	size_t i = world->count++;

	snprintf(world->nodes[i], sizeof(world->nodes[i]), "node-%zu", i);
	world->backends[i] = (struct loop_backend){
		.id = id_of(i),
		.service = WORLD_SERVICE,
		.node = world->nodes[i],
		.base_weight = 100,
		.weight_milli = 100000,
		.state = BACKEND_UP,
		.reachable = true,
	};
}

/* To be fitted before the first world_reload(). */
static inline void world_init(struct world *world, enum weight_policy policy, size_t count)
{
	*world = (struct world){
		.loop = loop_new(),
		.config = loop_config_default(),
		.service = {.id = WORLD_SERVICE,
			    .policy = policy,
			    .slow_start_ms = LOOP_SLOW_START_DEFAULT_MS,
			    .health = *health_config_default()},
		.now_ms = 1000000,
	};
	world->service.health.checks = 1 << HEALTH_TCP | 1 << HEALTH_HTTP | 1 << HEALTH_PASSIVE;
	while (world->count < count)
		world_add(world);
}

static inline void world_free(struct world *world)
{
	loop_free(world->loop);
}

/* Whether it was worth a publication, which is then made. */
static inline bool world_tick(struct world *world)
{
	bool publish = loop_tick(world->loop, world->now_ms);

	if (publish) {
		for (size_t i = 0; i < world->count; i++)
			world->backends[i].weight_milli =
				loop_decision(world->loop, world->backends[i].id)->weight_milli;
		loop_published(world->loop);
		world->publications++;
	}
	return publish;
}

static inline const struct loop_decision *decision(const struct world *world, size_t i)
{
	return loop_decision(world->loop, id_of(i));
}

/* A report of the CPU alone, seen just now by a clock that agrees. */
static inline struct report cpu_report(const struct world *world, size_t i, double cpu_percent)
{
	struct report report = {
		.fields = REPORT_CPU | REPORT_LAST_SEEN,
		.cpu_percent = cpu_percent,
		.last_seen_ms = UNIX_MS + world->now_ms,
	};

	strcpy(report.node, world->nodes[i]);
	return report;
}

static inline enum latest_verdict world_report(struct world *world, const struct report *report)
{
	return loop_report(world->loop, report, world->now_ms, UNIX_MS + world->now_ms);
}

static inline void world_start(struct world *world, enum weight_policy policy, size_t count)
{
	world_init(world, policy, count);
	assert_int_equal(world_reload(world), 0);
}

/* Every node reports its CPU. */
static inline void world_report_all(struct world *world, const double *cpu_percent)
{
	for (size_t i = 0; i < world->count; i++) {
		struct report report = cpu_report(world, i, cpu_percent[i]);

		assert_int_equal(world_report(world, &report), LATEST_TAKEN);
	}
}

/* Reports each 2 s and a tick each second, but for the nodes of @silent (bits). */
static inline void world_run(struct world *world, int seconds, const double *cpu_percent,
			     unsigned int silent)
{
	for (int second = 0; second < seconds; second++) {
		world->now_ms += 1000;
		for (size_t i = 0; i < world->count; i++) {
			struct report report = cpu_report(world, i, cpu_percent[i]);

			if (second % 2 == 0 && !(silent & 1u << i))
				world_report(world, &report);
		}
		world_tick(world);
	}
}

static inline void world_check(struct world *world, size_t i, enum health_check kind, bool success)
{
	loop_check(world->loop, id_of(i), kind, success, world->now_ms);
}

static inline void world_check_all(struct world *world, size_t i, bool success, int times)
{
	for (int time = 0; time < times; time++) {
		world_check(world, i, HEALTH_TCP, success);
		world_check(world, i, HEALTH_HTTP, success);
	}
}

static inline void world_expect(const struct world *world, size_t i, __u32 milli,
				enum backend_state state, const char *reason)
{
	const struct loop_decision *got = decision(world, i);

	if (got->weight_milli != milli || got->state != state || strcmp(got->reason, reason))
		fail_msg("%zu: %u, state %d, \"%s\", expected %u, %d, \"%s\"", i, got->weight_milli,
			 got->state, got->reason, milli, state, reason);
}

#endif
