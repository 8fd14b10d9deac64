/* SPDX-License-Identifier: GPL-2.0-only */
#include "flips.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nodes.h"
#include "user/kernel/maps.h"

#define MILLI 1000.0

struct watched {
	__u32 backend;
	size_t node;
	__u64 sent;              /* sequence of its last report */
	__u64 in_force;          /* and of the one that its weight comes from; 0: none yet */
	int64_t sent_ns[LEVELS]; /* by sequence % LEVELS */
};

struct flips {
	struct maps maps;
	struct watched *watched;
	__u32 watched_count;
	__u32 *of_node; /* index in watched + 1; 0: nobody watches it */
	__u64 generation;
	__u64 begin_generation;
	int64_t begin_ns;
	double *delays_ms;
	size_t delay_count;
	size_t delay_room;
};

static __u32 find_service(const struct maps *maps, const char *name)
{
	unsigned int half = maps_live_half(maps);

	for (__u32 id = 1; id < SERVICES_MAX; id++) {
		if (!strcmp(maps->service_info[id].half[half].name, name))
			return id;
	}
	return 0;
}

static int watch(struct flips *flips, __u32 service, size_t node_count)
{
	unsigned int half = maps_live_half(&flips->maps);
	__u32 backends_max = flips->maps.settings->backends_max;

	flips->watched = calloc(backends_max, sizeof(*flips->watched));
	flips->of_node = calloc(node_count, sizeof(*flips->of_node));
	if (!flips->watched || !flips->of_node)
		return -ENOMEM;
	for (__u32 id = 1; id < backends_max; id++) {
		const struct backend_info *info = &flips->maps.backend_info[id].half[half];
		size_t node;

		if (info->service != service || sscanf(info->node, "node-%zu", &node) != 1 ||
		    node >= node_count)
			continue;
		flips->watched[flips->watched_count++] =
			(struct watched){.backend = id, .node = node};
		flips->of_node[node] = flips->watched_count;
	}
	return flips->watched_count ? 0 : -ENOENT;
}

struct flips *flips_open(const char *pin_dir, const char *service, size_t node_count,
			 struct text_error *error)
{
	struct flips *flips = calloc(1, sizeof(*flips));
	__u32 id;
	int err;

	if (!flips || maps_open(pin_dir, false, &flips->maps, error)) {
		free(flips);
		return NULL;
	}
	/* Looking takes no lock: the half that is live is not written before the next flip. */
	maps_lock(&flips->maps, MAPS_UNLOCKED);
	id = find_service(&flips->maps, service);
	err = id ? watch(flips, id, node_count) : -ENOENT;
	flips->generation = flips->maps.control->generation;
	if (!err)
		return flips;
	text_refuse(error, err, NULL, "%s has no service %s with nodes that report", pin_dir,
		    service);
	flips_close(flips);
	return NULL;
}

void flips_close(struct flips *flips)
{
	if (!flips)
		return;
	maps_close(&flips->maps);
	free(flips->watched);
	free(flips->of_node);
	free(flips->delays_ms);
	free(flips);
}

void flips_sent(struct flips *flips, size_t index, __u64 sequence, int64_t now_ns)
{
	struct watched *watched;

	if (!flips->of_node[index])
		return;
	watched = &flips->watched[flips->of_node[index] - 1];
	watched->sent = sequence;
	watched->sent_ns[sequence % LEVELS] = now_ns;
}

/* The level of load that a weight comes from, by the formula of the policy probe. */
static unsigned int level_of(const struct backend_info *info)
{
	double factor = info->weight_milli / MILLI / info->base_weight;
	double headroom = factor / exp(-NODE_LATENCY_MS / 100);

	return headroom > 0.8 ? 0 : headroom > 0.6 ? 1 : 2;
}

static void keep(struct flips *flips, int64_t delay_ns)
{
	if (flips->delay_count < flips->delay_room)
		flips->delays_ms[flips->delay_count++] = delay_ns / 1e6;
}

/* Of the last reports as many as there are levels; in force can only be the same or a later one. */
static void compare(struct flips *flips, struct watched *watched, unsigned int level,
		    int64_t now_ns)
{
	__u64 sequence = watched->sent, age;

	for (age = 0; age < LEVELS && sequence > watched->in_force; age++, sequence--) {
		if (sequence % LEVELS != level)
			continue;
		watched->in_force = sequence;
		keep(flips, now_ns - watched->sent_ns[level]);
		return;
	}
}

void flips_look(struct flips *flips, int64_t now_ns)
{
	__u64 generation = __atomic_load_n(&flips->maps.control->generation, __ATOMIC_ACQUIRE);

	if (generation == flips->generation)
		return;
	flips->generation = generation;
	for (__u32 i = 0; i < flips->watched_count; i++) {
		struct watched *watched = &flips->watched[i];
		const struct backend_info *info =
			&flips->maps.backend_info[watched->backend].half[generation & 1];

		compare(flips, watched, level_of(info), now_ns);
	}
}

int flips_begin(struct flips *flips, int64_t now_ns)
{
	const size_t room = 1 << 20;

	flips->begin_generation = flips->generation;
	flips->begin_ns = now_ns;
	flips->delay_count = 0;
	if (!flips->delays_ms)
		flips->delays_ms = calloc(room, sizeof(*flips->delays_ms));
	flips->delay_room = flips->delays_ms ? room : 0;
	return flips->delays_ms ? 0 : -ENOMEM;
}

static int by_size(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

static double percentile(const struct flips *flips, double percent)
{
	size_t count = flips->delay_count;

	return count ? flips->delays_ms[(size_t)((count - 1) * percent / 100)] : 0;
}

struct flips_result flips_result(struct flips *flips)
{
	qsort(flips->delays_ms, flips->delay_count, sizeof(*flips->delays_ms), by_size);
	return (struct flips_result){
		.count = flips->generation - flips->begin_generation,
		.reports = flips->delay_count,
		.p50_ms = percentile(flips, 50),
		.p99_ms = percentile(flips, 99),
		.max_ms = percentile(flips, 100),
	};
}
