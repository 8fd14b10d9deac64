/* SPDX-License-Identifier: GPL-2.0-only */
/* From what a loop knows to decisions, service by service. */
#include "loop_private.h"

#include <math.h>
#include <string.h>

#include "elapsed.h"
#include "reason.h"

/* A service's backends, and the scratch of as many. */
struct pool {
	struct loop *loop;
	const struct loop_service *service;
	struct loop_entry *entries;
	size_t count;
	struct weight_input *inputs;
	struct weight_decision *decisions;
	struct fallback_backend *fallback;
};

static void pass_time(const struct loop *loop, struct loop_entry *entry)
{
	int64_t clock_ms = loop->latest.report_clock_ms;

	if (health_pass_time(&entry->health, &entry->service->health, loop->now_ms) &&
	    entry->health.state == HEALTH_UP)
		loop_start_slowly(entry, loop->now_ms);
	if (entry->starting &&
	    elapsed_ms(loop->now_ms, entry->start_ms) >= entry->service->slow_start_ms)
		entry->starting = false;
	weight_pass_time(&loop->config.weight, clock_ms, latest_age_ms(&loop->latest, entry->node),
			 &entry->memory);
	congestion_pass_time(&entry->congestion, &loop->config.congestion, clock_ms);
}

static void decide_policy(const struct pool *pool)
{
	struct loop *loop = pool->loop;

	for (size_t i = 0; i < pool->count; i++) {
		struct loop_entry *entry = &pool->entries[i];

		pass_time(loop, entry);
		pool->inputs[i] = (struct weight_input){
			.base_weight = entry->base_weight,
			.weight_milli = entry->policy_milli,
			.region = entry->region,
			.report = latest_report(&loop->latest, entry->node),
			.memory = &entry->memory,
		};
	}
	weight_decide(pool->service->policy, &loop->config.weight, loop->region, 0, pool->inputs,
		      pool->count, pool->decisions);
	for (size_t i = 0; i < pool->count; i++)
		pool->entries[i].policy_milli = pool->decisions[i].weight_milli;
}

/* The part of its weight that a backend gets for now, and why. */
static double part_of(const struct loop *loop, struct loop_entry *entry, struct reason *why)
{
	bool half_open = entry->health.state == HEALTH_HALF_OPEN;
	double part = congestion_factor(&entry->congestion), start;
	char text[NUMBER_BYTES], percent[NUMBER_BYTES];

	if (entry->congestion.halvings)
		reason_say(why, "; ", "congested, %s%% resent: x%s",
			   reason_number(percent, entry->congestion.retransmit_percent, 0),
			   reason_number(text, part, 3));
	if (half_open) {
		part *= loop->config.half_open_factor;
		reason_say(why, "; ", "on trial: x%s",
			   reason_number(text, loop->config.half_open_factor, 3));
	} else if (entry->starting) {
		start = (double)elapsed_ms(loop->now_ms, entry->start_ms) /
			entry->service->slow_start_ms;
		start = fmin(fmax(start, loop->config.slow_start_floor), 1);
		part *= start;
		reason_say(why, "; ", "slow start %s%%", reason_number(text, start * 100, 0));
	}
	entry->regime = (struct loop_regime){
		.starting = entry->starting,
		.half_open = half_open,
		.frozen = entry->memory.frozen,
		.halvings = entry->congestion.halvings,
	};
	return part;
}

/* A weight that was not 0 stays so. */
static __u32 scale(__u32 milli, double part)
{
	double scaled = round(milli * part);

	return milli ? fmin(fmax(scaled, 1), UINT32_MAX) : 0;
}

static void decide_one(const struct loop *loop, struct loop_entry *entry,
		       const struct weight_decision *policy)
{
	struct loop_decision *decision = &entry->decision;
	int64_t silence_ms = latest_silence_ms(&loop->latest, loop->now_ms);
	double part;
	struct reason why = {""};
	bool down = entry->state == BACKEND_UP && entry->health.state == HEALTH_DOWN;

	part = part_of(loop, entry, &why);
	decision->weight_milli = scale(policy->weight_milli, part);
	decision->state = entry->state;
	if (silence_ms / 1000.0 > loop->config.weight.age.stale_s)
		reason_say(&why, "; ", "no report from anyone for %lld s: kept",
			   (long long)(silence_ms / 1000));
	if (entry->state != BACKEND_UP) {
		reason_say(&why, "; ", "%s by hand",
			   entry->state == BACKEND_DRAIN ? "drained" : "down");
	} else if (down) {
		decision->state = BACKEND_DOWN;
		why = (struct reason){""};
		reason_say(&why, "", "down: %s failed %ux", health_cause(&entry->health),
			   entry->service->health.fall);
	}
	reason_store_both(down ? "" : policy->reason, &why, decision->reason);
}

static double latency_of(const struct report *report)
{
	if (report && report_has(report, REPORT_LATENCY, report->latency_ms))
		return report->latency_ms;
	if (report && report_has(report, REPORT_RTT, report->rtt_ms))
		return report->rtt_ms;
	return -1;
}

static const char *region_of(const struct loop_entry *entry, const struct report *report)
{
	return report && report->fields & REPORT_REGION ? report->region : entry->region;
}

/* Keep the service alive when what was decided leaves nobody. */
static void fall_back(const struct pool *pool)
{
	static const char *const reasons[] = {
		[FALLBACK_NEAREST] = "nobody has a weight: nearest region takes all",
		[FALLBACK_LAST_GOOD] = "none is healthy: those that last were",
	};
	enum fallback_rung rung;

	for (size_t i = 0; i < pool->count; i++) {
		struct loop_entry *entry = &pool->entries[i];

		pool->fallback[i] = (struct fallback_backend){
			.usable = entry->state == BACKEND_UP && entry->reachable &&
				  entry->base_weight,
			.region = region_of(entry, pool->inputs[i].report),
			.latency_ms = latency_of(pool->inputs[i].report),
			.base_milli = entry->base_weight * WEIGHT_MILLI,
			.good_milli = entry->good_milli,
			.healthy = entry->health.state != HEALTH_DOWN,
			.weight_milli = entry->decision.weight_milli,
		};
	}
	rung = fallback_choose(pool->loop->region, pool->fallback, pool->count);
	for (size_t i = 0; i < pool->count; i++) {
		const struct fallback_backend *fallback = &pool->fallback[i];
		struct loop_entry *entry = &pool->entries[i];

		if (rung == FALLBACK_NONE)
			entry->good_milli = fallback->usable && fallback->healthy
						    ? entry->decision.weight_milli
						    : 0;
		if (!fallback->chosen)
			continue;
		entry->regime.chosen = true;
		entry->decision.weight_milli = fallback->weight_milli;
		entry->decision.state = BACKEND_UP;
		strncpy(entry->decision.reason, reasons[rung], REASON_BYTES - 1);
		entry->decision.reason[REASON_BYTES - 1] = '\0';
	}
}

static bool same_regime(const struct loop_regime *a, const struct loop_regime *b)
{
	return a->starting == b->starting && a->half_open == b->half_open &&
	       a->frozen == b->frozen && a->chosen == b->chosen && a->halvings == b->halvings;
}

enum change {
	CHANGE_NONE,
	CHANGE_WEIGHT,
	CHANGE_FAILURE,
};

/* Keep what is published unless it is worth a change. */
static enum change hold(const struct loop *loop, struct loop_entry *entry)
{
	struct loop_decision *decision = &entry->decision;
	__u32 old = entry->published_milli, new = decision->weight_milli;
	double deadband = old * loop->config.deadband_percent / 100;

	if (decision->state != entry->published_state)
		return CHANGE_FAILURE;
	if (!old != !new)
		return decision->state == BACKEND_UP ? CHANGE_FAILURE : CHANGE_WEIGHT;
	/* Of one that takes no new flows, the weight can wait for the next publication. */
	if (new == old || decision->state != BACKEND_UP)
		return CHANGE_NONE;
	if (fabs((double)new - old) >= deadband ||
	    !same_regime(&entry->regime, &entry->published_regime))
		return CHANGE_WEIGHT;
	decision->weight_milli = old;
	return CHANGE_NONE;
}

static enum change decide_service(const struct pool *pool)
{
	enum change change = CHANGE_NONE, one;

	decide_policy(pool);
	for (size_t i = 0; i < pool->count; i++)
		decide_one(pool->loop, &pool->entries[i], &pool->decisions[i]);
	fall_back(pool);
	for (size_t i = 0; i < pool->count; i++) {
		one = hold(pool->loop, &pool->entries[i]);
		if (one > change)
			change = one;
	}
	return change;
}

/*
 * Ticks are not on time to the millisecond. The one that is due may come a moment early, and the
 * next would be late by all of a tick: the closest counts.
 */
static bool is_time(const struct loop *loop)
{
	int64_t interval_ms = loop->config.publish_interval_ms;
	int64_t tick_ms = interval_ms < LOOP_TICK_MS ? interval_ms : LOOP_TICK_MS;

	return elapsed_ms(loop->now_ms, loop->published_ms) >= interval_ms - tick_ms / 2;
}

bool loop_tick(struct loop *loop, int64_t now_ms)
{
	enum change change = CHANGE_NONE, one;
	size_t first, count;

	loop_advance(loop, now_ms);
	for (first = 0; first < loop->entry_count; first += count) {
		const struct loop_service *service = loop->entries[first].service;

		for (count = 1; first + count < loop->entry_count; count++) {
			if (loop->entries[first + count].service != service)
				break;
		}
		one = decide_service(&(struct pool){loop, service, loop->entries + first, count,
						    loop->scratch.inputs, loop->scratch.decisions,
						    loop->scratch.fallback});
		if (one > change)
			change = one;
	}
	if (change == CHANGE_WEIGHT && loop->has_published)
		return is_time(loop);
	return change != CHANGE_NONE;
}
