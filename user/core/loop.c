/* SPDX-License-Identifier: GPL-2.0-only */
/* What a loop knows, and the events that change it. */
#include "loop_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elapsed.h"

struct loop_config loop_config_default(void)
{
	return (struct loop_config){
		.weight = *weight_config_default(),
		.congestion = *congestion_config_default(),
		.latest = *latest_config_default(),
		.health = *health_config_default(),
		.deadband_percent = 5,
		.publish_interval_ms = 1000,
		.slow_start_floor = 0.05,
		.half_open_factor = 0.02,
		.step_max_ms = 5000,
	};
}

struct loop *loop_new(void)
{
	return calloc(1, sizeof(struct loop));
}

static void release(struct loop *loop)
{
	latest_free(&loop->latest);
	free(loop->services);
	free(loop->entries);
	free(loop->first_on_node);
	free(loop->by_id);
	free(loop->scratch.inputs);
	free(loop->scratch.decisions);
	free(loop->scratch.fallback);
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	release(loop);
	free(loop);
}

int64_t loop_advance(struct loop *loop, int64_t now_ms)
{
	int64_t step_ms = loop->running ? elapsed_ms(now_ms, loop->seen_ms) : 0;

	loop->running = true;
	loop->seen_ms = now_ms;
	loop->now_ms += step_ms < loop->config.step_max_ms ? step_ms : loop->config.step_max_ms;
	return loop->now_ms;
}

void loop_start_slowly(struct loop_entry *entry, int64_t now_ms)
{
	entry->starting = entry->service->slow_start_ms > 0;
	entry->start_ms = now_ms;
}

static struct loop_entry *entry_of(const struct loop *loop, __u16 id)
{
	__u32 index = loop->by_id ? loop->by_id[id] : 0;

	return index ? &loop->entries[index - 1] : NULL;
}

/* Room for as many, on a loop of zeros. */
static int allocate(struct loop *loop, size_t service_count, size_t backend_count)
{
	loop->services = calloc(service_count + 1, sizeof(*loop->services));
	loop->entries = calloc(backend_count + 1, sizeof(*loop->entries));
	loop->first_on_node = calloc(backend_count + 1, sizeof(*loop->first_on_node));
	loop->by_id = calloc(LOOP_IDS, sizeof(*loop->by_id));
	loop->scratch.inputs = calloc(backend_count + 1, sizeof(*loop->scratch.inputs));
	loop->scratch.decisions = calloc(backend_count + 1, sizeof(*loop->scratch.decisions));
	loop->scratch.fallback = calloc(backend_count + 1, sizeof(*loop->scratch.fallback));
	if (!loop->services || !loop->entries || !loop->first_on_node || !loop->by_id ||
	    !loop->scratch.inputs || !loop->scratch.decisions || !loop->scratch.fallback)
		return -ENOMEM;
	return latest_init(&loop->latest, backend_count);
}

static int by_id(const void *a, const void *b)
{
	const struct loop_service *one = a, *other = b;

	return (int)one->id - (int)other->id;
}

static const struct loop_service *service_of(const struct loop *loop, __u16 id)
{
	const struct loop_service wanted = {.id = id};

	return bsearch(&wanted, loop->services, loop->service_count, sizeof(wanted), by_id);
}

/* What @old knew of the backend. */
static void take_over(struct loop_entry *entry, const struct loop_entry *old,
		      const struct loop_backend *backend, int64_t now_ms)
{
	entry->health = old->health;
	entry->congestion = old->congestion;
	entry->memory = old->memory;
	entry->starting = old->starting;
	entry->start_ms = old->start_ms;
	entry->good_milli = old->good_milli;
	entry->decision = old->decision;
	entry->published_state = old->published_state;
	entry->published_regime = old->published_regime;
	if (old->base_weight == backend->base_weight)
		entry->policy_milli = old->policy_milli;
	if (old->state != BACKEND_UP && backend->state == BACKEND_UP)
		loop_start_slowly(entry, now_ms);
}

static int add_backend(struct loop *loop, const struct loop *old,
		       const struct loop_backend *backend)
{
	struct loop_entry *entry = &loop->entries[loop->entry_count];
	const struct loop_entry *known = entry_of(old, backend->id);

	entry->service = service_of(loop, backend->service);
	if (!entry->service)
		return -ENOENT;
	if (!backend->id || entry_of(loop, backend->id))
		return -EINVAL;
	entry->id = backend->id;
	entry->base_weight = backend->base_weight;
	entry->state = backend->state;
	entry->reachable = backend->reachable;
	if (backend->region)
		strncpy(entry->region, backend->region, sizeof(entry->region) - 1);
	entry->policy_milli = backend->weight_milli;
	entry->published_milli = backend->weight_milli;
	entry->published_state = backend->state;
	entry->decision.weight_milli = backend->weight_milli;
	entry->decision.state = backend->state;

	entry->node = latest_add(&loop->latest, &old->latest, backend->node);
	entry->next_on_node = loop->first_on_node[entry->node];
	loop->first_on_node[entry->node] = ++loop->entry_count;
	loop->by_id[backend->id] = loop->entry_count;

	if (known && known->service->id == backend->service &&
	    !strcmp(old->latest.nodes[known->node].name, backend->node))
		take_over(entry, known, backend, loop->now_ms);
	else if (old->entries)
		loop_start_slowly(entry, loop->now_ms);
	return 0;
}

int loop_reload(struct loop *loop, const struct loop_config *config, const char *region,
		const struct loop_service *services, size_t service_count,
		const struct loop_backend *backends, size_t backend_count, int64_t now_ms)
{
	struct loop next = {
		.config = *config,
		.running = loop->running,
		.seen_ms = loop->seen_ms,
		.now_ms = loop->now_ms,
		.has_published = loop->has_published,
		.published_ms = loop->published_ms,
	};
	int err = allocate(&next, service_count, backend_count);

	if (err)
		goto out;
	loop_advance(&next, now_ms);
	strncpy(next.region, region, sizeof(next.region) - 1);
	if (service_count)
		memcpy(next.services, services, service_count * sizeof(*services));
	next.service_count = service_count;
	qsort(next.services, service_count, sizeof(*next.services), by_id);
	latest_inherit(&next.latest, &loop->latest);
	for (size_t i = 0; i < backend_count && !err; i++)
		err = add_backend(&next, loop, &backends[i]);
out:
	if (err) {
		release(&next);
		return err;
	}
	release(loop);
	*loop = next;
	return 0;
}

enum latest_verdict loop_report(struct loop *loop, const struct report *report, int64_t now_ms,
				int64_t unix_ms)
{
	int64_t own_ms = loop_advance(loop, now_ms), clock_ms;
	enum latest_verdict verdict;
	size_t node;
	__u32 next;

	if (!loop->entry_count)
		return LATEST_STRANGER;
	verdict = latest_put(&loop->latest, &loop->config.latest, report, own_ms, unix_ms, &node);
	if (verdict != LATEST_TAKEN)
		return verdict;
	/* By the clock of reports, so that memories stand still when the control side is gone. */
	clock_ms = loop->latest.report_clock_ms;
	for (next = loop->first_on_node[node]; next; next = loop->entries[next - 1].next_on_node) {
		struct loop_entry *entry = &loop->entries[next - 1];

		weight_observe(&loop->config.weight, report, clock_ms, &entry->memory);
		congestion_observe(&entry->congestion, &loop->config.congestion, report, clock_ms);
	}
	return LATEST_TAKEN;
}

void loop_check(struct loop *loop, __u16 backend, enum health_check check, bool success,
		int64_t now_ms)
{
	int64_t own_ms = loop_advance(loop, now_ms);
	struct loop_entry *entry = entry_of(loop, backend);

	if (entry &&
	    health_result(&entry->health, &entry->service->health, check, success, own_ms) &&
	    entry->health.state == HEALTH_UP)
		loop_start_slowly(entry, own_ms);
}

void loop_flows(struct loop *loop, __u16 backend, const struct health_flows *flows, int64_t now_ms)
{
	int64_t own_ms = loop_advance(loop, now_ms);
	struct loop_entry *entry = entry_of(loop, backend);

	if (entry && health_passive(&entry->health, &entry->service->health, flows, own_ms) &&
	    entry->health.state == HEALTH_UP)
		loop_start_slowly(entry, own_ms);
}

const struct loop_decision *loop_decision(const struct loop *loop, __u16 backend)
{
	const struct loop_entry *entry = entry_of(loop, backend);

	return entry ? &entry->decision : NULL;
}

double loop_utilisation(const struct loop *loop, __u16 service)
{
	double base = 0, used = 0;

	for (size_t i = 0; i < loop->entry_count; i++) {
		const struct loop_entry *entry = &loop->entries[i];
		struct loop_node node = loop_node(loop, entry->node);

		if (entry->service->id != service || !entry->memory.has_utilisation ||
		    entry->decision.state != BACKEND_UP || !node.reported ||
		    node.heard_ms > loop->config.weight.age.stale_s * 1000)
			continue;
		base += entry->base_weight;
		used += entry->base_weight * entry->memory.last_utilisation;
	}
	return base > 0 ? used / base : NAN;
}

size_t loop_node_count(const struct loop *loop)
{
	return loop->latest.count;
}

struct loop_node loop_node(const struct loop *loop, size_t index)
{
	const struct latest_node *node = &loop->latest.nodes[index];

	return (struct loop_node){
		.name = node->name,
		.reported = node->reported,
		.heard_ms = node->reported ? elapsed_ms(loop->now_ms, node->arrived_ms) : 0,
	};
}

void loop_published(struct loop *loop)
{
	for (size_t i = 0; i < loop->entry_count; i++) {
		struct loop_entry *entry = &loop->entries[i];

		entry->published_milli = entry->decision.weight_milli;
		entry->published_state = entry->decision.state;
		entry->published_regime = entry->regime;
	}
	loop->has_published = true;
	loop->published_ms = loop->now_ms;
}
