/* SPDX-License-Identifier: GPL-2.0-only */
/* What reports leave behind: averages, and since when a node is hot. */
#include <math.h>

#include "elapsed.h"
#include "weight_policy.h"

/*
 * Small differences are noise more often than not, of requests that come by chance: they count less,
 * and the weights of equal nodes stay put. Large ones count in full, so that a node in need is seen.
 */
static double part_of_noise(const struct weight_config *config, double old, double value)
{
	double difference = fabs(value - old) / (config->memory.noise * fabs(old));

	return fmin(fmax(difference, config->memory.noise_part), 1);
}

/*
 * @part is that of a new value after one interval. Reports that come twice as often count half as
 * much each, so that two sources of the same reports do not make the averages nervous.
 */
static void average(const struct weight_config *config, double *average, bool *has, double value,
		    double part, int64_t gap_ms)
{
	double intervals = fmin(gap_ms / config->memory.interval_ms, 64);

	if (!isfinite(value))
		return;
	if (*has) {
		part *= part_of_noise(config, *average, value);
		value = *average + (value - *average) * (1 - pow(1 - part, intervals));
	}
	*average = value;
	*has = true;
}

/* The application's word, or the machine's. */
static bool busy_of(const struct report *report, double *busy, enum weight_source *source)
{
	bool own =
		report_has(report, REPORT_APPLICATION_UTILIZATION, report->application_utilization);

	*source = own ? WEIGHT_SOURCE_APPLICATION : WEIGHT_SOURCE_CPU;
	*busy = own ? report->application_utilization : report->cpu_percent / 100;
	return own || report_has(report, REPORT_CPU, report->cpu_percent);
}

static bool requests_of(const struct report *report, double *requests_per_s)
{
	bool own = report_has(report, REPORT_RPS_FRACTIONAL, report->rps_fractional);

	*requests_per_s = own ? report->rps_fractional : report->rps;
	return own || report_has(report, REPORT_RPS, report->rps);
}

/* The part of the requests that fail. A node that fails fast looks idle, and must not seem good. */
static double failing_part(const struct report *report)
{
	double requests;

	if (!requests_of(report, &requests) || !(requests > 0) ||
	    !report_has(report, REPORT_EPS, report->eps))
		return 0;
	return fmin(report->eps / requests, 1);
}

/* What a report says of how full the node is. */
struct fullness {
	bool known;
	bool momentary;     /* by a count at one moment alone */
	double utilisation; /* the busy part, or the queue's word if that goes before it */
	double in_use;      /* of its capacity; at most 1 */
};

/*
 * The queue is inflight / workers. Requests come in bunches, and a count at one moment may find one:
 * it takes some in a row, or one that is no bunch, to say that the node is full.
 */
static void add_queue(const struct weight_config *config, const struct report *report,
		      struct weight_memory *memory, struct fullness *fullness)
{
	double queue;
	bool sure;

	if (!report_has(report, REPORT_INFLIGHT, report->inflight) ||
	    !report_has(report, REPORT_WORKERS, report->workers) || !(report->workers > 0))
		return;
	queue = report->inflight / report->workers;
	sure = queue >= config->memory.queue_sure;
	if (queue <= config->memory.queue_from)
		memory->queued_reports = 0;
	else if (memory->queued_reports < config->memory.queue_reports)
		memory->queued_reports++;

	queue = fmin(queue, 1);
	if (sure)
		fullness->in_use = 1;
	fullness->momentary = !fullness->known && !sure;
	if (!fullness->known ||
	    (queue > fullness->utilisation &&
	     (sure || memory->queued_reports >= config->memory.queue_reports))) {
		fullness->utilisation = queue;
		memory->source = WEIGHT_SOURCE_QUEUE;
	}
	fullness->known = true;
}

static void observe_utilisation(const struct weight_config *config, const struct report *report,
				int64_t gap_ms, struct weight_memory *memory)
{
	double failing = failing_part(report), requests, part = config->memory.capacity_part;
	struct fullness fullness = {};
	double utilisation_part;

	fullness.known = busy_of(report, &fullness.utilisation, &memory->source);
	fullness.in_use = fmin(fullness.utilisation, 1);
	add_queue(config, report, memory, &fullness);
	if (!fullness.known)
		return;
	memory->last_utilisation = fullness.utilisation;
	utilisation_part =
		fullness.momentary ? config->memory.queue_part : config->memory.utilisation_part;
	average(config, &memory->utilisation, &memory->has_utilisation,
		fullness.utilisation + config->memory.error_penalty * failing, utilisation_part,
		gap_ms);
	if (fullness.momentary)
		fullness.in_use = fmin(memory->utilisation, 1);

	if (!requests_of(report, &requests))
		return;
	/*
	 * A quotient of two that are next to nothing says nothing, unless it is that all fails; nor
	 * does a node that is busy with something else than requests, unless it is full of it.
	 */
	if ((fullness.in_use < config->memory.utilisation_min ||
	     (!(requests > 0) && fullness.in_use < config->memory.full_from)) &&
	    !failing)
		return;
	/* What a full node does is all that it can do: no estimate, so there is less to average. */
	if (fullness.in_use >= config->memory.full_from)
		part = config->memory.full_part;
	average(config, &memory->capacity, &memory->has_capacity,
		requests * (1 - failing) / fmax(fullness.in_use, config->memory.utilisation_min),
		part, gap_ms);
}

static void observe_load(const struct weight_config *config, const struct report *report,
			 int64_t gap_ms, int64_t now_ms, struct weight_memory *memory)
{
	const typeof(config->decay) *decay = &config->decay;
	enum weight_source source;
	bool hot, known;
	double load;

	known = busy_of(report, &load, &source);
	if (report_has(report, REPORT_MEM, report->mem_percent)) {
		load = fmax(known ? load : 0, report->mem_percent / 100);
		known = true;
	}
	if (!known)
		return;
	load = fmin(load, 1);
	average(config, &memory->load, &memory->has_load, load, config->memory.utilisation_part,
		gap_ms);

	hot = load > decay->harsh_above;
	if (hot && !memory->hot)
		memory->hot_since_ms = now_ms;
	memory->hot = hot;
	if (memory->load_state == WEIGHT_HARSH && !hot)
		memory->load_state = WEIGHT_NORMAL;
	if (memory->load_state == WEIGHT_CALM && memory->load >= decay->normal_from)
		memory->load_state = WEIGHT_NORMAL;
	if (memory->load_state == WEIGHT_NORMAL && memory->load < decay->calm_below)
		memory->load_state = WEIGHT_CALM;
}

/* How many requests a report is about; as many as are remembered where it does not say. */
static double requests_in(const struct weight_config *config, const struct report *report,
			  int64_t gap_ms)
{
	double requests_per_s;

	if (!requests_of(report, &requests_per_s))
		return config->memory.latency_requests * gap_ms / config->memory.interval_ms;
	return requests_per_s * gap_ms / 1000;
}

/*
 * Averaged by requests, not by reports: what a node with many does in this report is certain, and of
 * one with few it takes some reports.
 */
static void observe_latency(const struct weight_config *config, const struct report *report,
			    double ms, int64_t gap_ms, int64_t now_ms,
			    struct weight_latency *latency)
{
	double old, new;

	/* A report is about its interval, also after a longer silence. */
	if (!latency->requests || gap_ms > config->memory.interval_ms)
		gap_ms = config->memory.interval_ms;
	old = weight_latency_requests(config, elapsed_ms(now_ms, latency->heard_ms), latency);
	new = requests_in(config, report, gap_ms);
	if (!(new > 0))
		return;
	old = fmin(old, fmax(new, config->memory.latency_requests));
	latency->ms = (latency->ms * old + ms * new) / (old + new);
	latency->requests = old + new;
	latency->heard_ms = now_ms;
	latency->age_ms = 0;
}

static void observe_latencies(const struct weight_config *config, const struct report *report,
			      int64_t gap_ms, int64_t now_ms, struct weight_memory *memory)
{
	if (report_has(report, REPORT_LATENCY, report->latency_ms))
		observe_latency(config, report, report->latency_ms, gap_ms, now_ms,
				&memory->latencies[WEIGHT_LATENCY_MEAN]);
	if (report_has(report, REPORT_P50, report->p50_ms))
		observe_latency(config, report, report->p50_ms, gap_ms, now_ms,
				&memory->latencies[WEIGHT_LATENCY_MEDIAN]);
}

void weight_observe(const struct weight_config *config, const struct report *report, int64_t now_ms,
		    struct weight_memory *memory)
{
	int64_t gap_ms = elapsed_ms(now_ms, memory->heard_ms);

	observe_utilisation(config, report, gap_ms, memory);
	observe_load(config, report, gap_ms, now_ms, memory);
	observe_latencies(config, report, gap_ms, now_ms, memory);
	memory->heard_ms = now_ms;
	memory->age_ms = 0;
}

static void pass_latency(int64_t now_ms, struct weight_latency *latency)
{
	if (latency->heard_ms > now_ms)
		latency->heard_ms = now_ms;
	latency->age_ms = elapsed_ms(now_ms, latency->heard_ms);
}

void weight_pass_time(const struct weight_config *config, int64_t now_ms, int64_t age_ms,
		      struct weight_memory *memory)
{
	memory->age_ms = age_ms;
	for (int kind = 0; kind < WEIGHT_LATENCY_KINDS; kind++)
		pass_latency(now_ms, &memory->latencies[kind]);
	/* A clock that was put back must not make the heat last longer. */
	if (memory->hot_since_ms > now_ms)
		memory->hot_since_ms = now_ms;
	if (memory->hot && elapsed_ms(now_ms, memory->hot_since_ms) >= config->decay.harsh_after_ms)
		memory->load_state = WEIGHT_HARSH;
}
