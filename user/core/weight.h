/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Weights: a pure function from what nodes report, now and until now, to what each backend's weight
 * should be, with the reason in words.
 */
#ifndef SLUICE_CORE_WEIGHT_H
#define SLUICE_CORE_WEIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "report.h"

/* Weights are thousandths on the scale of base weights, so that base 1 can still be halved. */
#define WEIGHT_MILLI 1000u

/*
 * What each makes of a backend; the numbers are the defaults of struct weight_config. Percentages
 * are 0 to 100, cpu is the application's own utilization where it reports one, load = max(cpu, mem)
 * / 100. A region is own when backend and balancer have the same.
 *
 *	edge	f = 1; x0.5 if latency > 50 ms; x0.7 if cpu >= 65 %; +0.3 in the own region; in this
 *		order, and at least 0.01. 0 if cpu >= 85 % or the report is older than 10 s.
 *	probe	(1 - load) x exp(-latency / 100 ms), at least 0.01.
 *	score	0.40 x geo + 0.45 x 50 ms / (50 ms + latency) + 0.15 x (1 - load), at least 0.01.
 *		geo is 1 in the own region and where either side has none, 0 in another.
 *	adaptive C x (U / u)^0.5, the root within 0.25 to 1.5. u is the utilisation: the cpu, or
 *		inflight / workers up to 1 if that is larger and stays above 0.9, plus the part of
 *		the requests that fail; averaged over reports (EWMA 0.5). U is its mean over the
 *		service, weighted by C. C is what the backend can do, beside 1 for its base weight:
 *		requests a second / u (EWMA 0.3, 0.7 when full), the sum of a service's scaled to
 *		that of its base weights, within 1/4 to 4 and drawn to 1 a little; 1 where
 *		throughput is not reported. All that x (1.75 x median / latency)^5, at least 0.1, of
 *		one whose latency is more than 1.75 times the service's median, as long as the
 *		others can do without it: less of it when they would be over 90 % full then,
 *		nothing from 100 %. Latency is that of a report's requests, of 100 at least, and
 *		of 5 more at the median; by the mean and by the p50, whichever blames less.
 *	decay	1 - a x load, load averaged (EWMA 0.5), at least 0.1. a = 0.7 when calm, 0.8 from
 *		load 0.6 on until it is under 0.5, 0.95 after 3 s above 0.9.
 *
 * weight = base weight x that factor. An application's own weight goes before any of them. Of a
 * report older than 10 s all but edge use nothing: the factor freezes at the mean of the service's
 * fresh ones, and from 30 s on it is 1. Where nobody's report is fresh, weights stay.
 */
enum weight_policy {
	WEIGHT_EDGE,     /* steps by latency and CPU, prefers the balancer's region */
	WEIGHT_PROBE,    /* headroom, damped by latency */
	WEIGHT_SCORE,    /* weighted sum of place, latency and headroom */
	WEIGHT_ADAPTIVE, /* evens out utilisation; needs a memory */
	WEIGHT_DECAY,    /* headroom, steeper when it has been short for a while; needs a memory */
	WEIGHT_POLICIES
};

/* The constants of every policy; weight_config_default() has those of the design. */
struct weight_config {
	struct {
		double stale_s;  /* a report older than this says nothing any more */
		double forget_s; /* from this age on the base weight is what counts */
	} age;
	struct {
		double latency_slow_ms; /* above it the factor is x latency_factor */
		double latency_factor;
		double cpu_busy_percent; /* from it on it is x cpu_factor */
		double cpu_factor;
		double region_bonus;     /* added in the balancer's own region */
		double floor;            /* smallest factor of a node that is not shut out */
		double cpu_shut_percent; /* from it on the weight is 0 */
		double stale_s;          /* a report older than this means weight 0 */
	} edge;
	struct {
		double latency_scale_ms;
		double floor; /* so that a node at 100 % gets the flows that show when it is over */
	} probe;
	struct {
		double geo_part;
		double rtt_part;
		double health_part;
		double rtt_scale_ms; /* latency at which its score is 0.5 */
		double far_geo;      /* geo score of another region */
		double floor;
	} score;
	struct {
		double interval_ms; /* between reports, that the averages' parts are meant for */
		double utilisation_part; /* of a new report in the averages */
		double queue_part; /* the same, of a utilisation that is a queue's length alone */
		double capacity_part;
		double full_part; /* the same, of a node that is full: utilisation of full_from */
		double full_from;
		double noise; /* relative difference from which on these parts count in full, */
		double noise_part;       /* and the least part of them that counts */
		double queue_from;       /* inflight / workers that count as utilisation, */
		__u32 queue_reports;     /* in so many reports in a row */
		double queue_sure;       /* and that do in one */
		double error_penalty;    /* utilisation added when all requests fail */
		double utilisation_min;  /* under it throughput / u is noise */
		double latency_requests; /* as many, or as a report has, stand against a new one's */
		double latency_fade_ms;  /* until a third of them is left when there are no more */
	} memory;
	struct {
		double exponent;
		double floor; /* of the root */
		double ceiling;
		double capacity_span; /* how far from its base weight a backend's C can be */
		/*
		 * How strongly C is drawn to the base weight. Where u does not follow throughput
		 * (nodes that share a machine), throughput / u repeats the weight, and C would walk.
		 */
		double base_pull;
		/*
		 * From latency_slack times the service's median latency on, a backend gets (slack x
		 * median / its own)^exponent of its weight, at least latency_floor: what it answers
		 * late would make the p99 as soon as it is 1 % of all. In full while the others,
		 * taking its flows, were no fuller than crowded_from; not at all from crowded_until.
		 */
		double latency_slack;
		double latency_exponent;
		double latency_floor;
		double latency_doubt; /* requests at the median, that everybody is credited with */
		double crowded_from;
		double crowded_until;
	} adaptive;
	struct {
		double calm_alpha;
		double normal_alpha;
		double harsh_alpha;
		double calm_below;
		double normal_from;
		double harsh_above;
		double harsh_after_ms;
		double floor;
	} decay;
};

const struct weight_config *weight_config_default(void);

enum weight_source {
	WEIGHT_SOURCE_CPU,
	WEIGHT_SOURCE_APPLICATION,
	WEIGHT_SOURCE_QUEUE,
};

enum weight_load_state {
	WEIGHT_CALM,
	WEIGHT_NORMAL,
	WEIGHT_HARSH,
};

/* What tells how long requests take. Mean and median, for one of them alone may be chance. */
enum weight_latency_kind { WEIGHT_LATENCY_MEAN, WEIGHT_LATENCY_MEDIAN, WEIGHT_LATENCY_KINDS };

struct weight_latency {
	double ms;        /* averaged */
	double requests;  /* that this is of, as far as they are remembered; 0: not known */
	int64_t heard_ms; /* of the last report that had one */
	int64_t age_ms;   /* of that now */
};

/* What is remembered of a backend from report to report. All 0: nothing yet. */
struct weight_memory {
	int64_t heard_ms; /* of the last report, CLOCK_MONOTONIC */
	int64_t age_ms;   /* of that report now, or of the silence if there was none */
	bool has_utilisation;
	bool has_capacity;
	bool has_load;
	enum weight_source source; /* of the utilisation */
	double utilisation;        /* averaged; 1: full */
	double last_utilisation;   /* as the last report had it */
	__u32 queued_reports;      /* in a row, of a queue above queue_from */
	double capacity;           /* averaged; requests a second when full */
	double load;               /* averaged; 0 to 1 */
	struct weight_latency latencies[WEIGHT_LATENCY_KINDS];
	bool hot; /* the last load was above harsh_above, since */
	int64_t hot_since_ms;
	enum weight_load_state load_state;
	bool frozen; /* at a factor, because the report is stale */
	double frozen_factor;
};

/* One backend as the policies see it. */
struct weight_input {
	__u16 base_weight;
	__u32 weight_milli;           /* the weight now, kept when there is no report */
	const char *region;           /* as configured, NULL or "": none; the report's goes first */
	const struct report *report;  /* NULL: its node has not reported */
	struct weight_memory *memory; /* NULL: the report is all there is, as for a command */
};

struct weight_decision {
	__u32 weight_milli;
	bool changed;              /* differs from the weight now */
	char reason[REASON_BYTES]; /* e.g. "latency 62 ms > 50: x0.5, cpu 71% >= 65: x0.7" */
};

/* "edge", "adaptive", ... to the policy and back. Returns 0 or -EINVAL. */
int weight_policy_parse(const char *name, enum weight_policy *policy);
const char *weight_policy_name(enum weight_policy policy);

/* Take a new report into the memory. @now_ms: CLOCK_MONOTONIC. */
void weight_observe(const struct weight_config *config, const struct report *report, int64_t now_ms,
		    struct weight_memory *memory);

/*
 * Let time pass in the memory. @age_ms is how old the backend's report is, by whoever received it,
 * or for how long none came.
 */
void weight_pass_time(const struct weight_config *config, int64_t now_ms, int64_t age_ms,
		      struct weight_memory *memory);

/*
 * Decide the weights of one service's backends. @region is the balancer's own ("" when it has
 * none). The age of a report is its memory's; without one, that by its last_seen and @now_ms, which
 * is Unix time. A backend without a report keeps its weight, and the reason says so. A number a
 * policy needs and the report lacks, or that no report can have, is taken as the best case (a
 * last_seen as just now), and the reason says so. Base weight 0 stays 0; any other weight is 0 only
 * if the factor is, and else at least a thousandth. A reason too long ends at a word, with " ..."
 * behind it.
 */
void weight_decide(enum weight_policy policy, const struct weight_config *config,
		   const char *region, int64_t now_ms, const struct weight_input *inputs,
		   size_t count, struct weight_decision *decisions);

#endif
