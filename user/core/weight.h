/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Weights: a pure function from what nodes report to what each backend's weight should be now,
 * with the reason in words.
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
 * are 0 to 100, load = max(cpu, mem) / 100. A region is own when backend and balancer have the same.
 *
 *	edge	f = 1; x0.5 if latency > 50 ms; x0.7 if cpu >= 65 %; +0.3 in the own region; in this
 *		order, and at least 0.01. 0 if cpu >= 85 % or the report is older than 10 s.
 *	probe	(1 - load) x exp(-latency / 100 ms), at least 0.01.
 *	score	0.40 x geo + 0.45 x 50 ms / (50 ms + latency) + 0.15 x (1 - load), at least 0.01.
 *		geo is 1 in the own region and where either side has none, 0 in another.
 *
 * weight = base weight x that factor.
 */
enum weight_policy {
	WEIGHT_EDGE,  /* steps by latency and CPU, prefers the balancer's region */
	WEIGHT_PROBE, /* headroom, damped by latency */
	WEIGHT_SCORE, /* weighted sum of place, latency and headroom */
	WEIGHT_POLICIES
};

/* The constants of every policy; weight_config_default() has those of the design. */
struct weight_config {
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
};

const struct weight_config *weight_config_default(void);

/* One backend as the policies see it. */
struct weight_input {
	__u16 base_weight;
	__u32 weight_milli;          /* the weight now, kept when there is no report */
	const char *region;          /* as configured, NULL or "": none; the report's goes first */
	const struct report *report; /* NULL: its node has not reported */
};

struct weight_decision {
	__u32 weight_milli;
	bool changed;              /* differs from the weight now */
	char reason[REASON_BYTES]; /* e.g. "latency 62 ms > 50: x0.5, cpu 71% >= 65: x0.7" */
};

/* "edge", "probe", "score" to the policy and back. Returns 0 or -EINVAL. */
int weight_policy_parse(const char *name, enum weight_policy *policy);
const char *weight_policy_name(enum weight_policy policy);

/*
 * Decide the weights of one service's backends. @region is the balancer's own ("" when it has
 * none), @now_ms Unix time. A backend without a report keeps its weight, and the reason says so.
 * A number a policy needs and the report lacks is taken as the best case (a last_seen as just now),
 * and the reason says so. Base weight 0 stays 0; any other weight is 0 only if the factor is, and
 * else at least a thousandth. A reason too long ends at a word, with " ..." behind it.
 */
void weight_decide(enum weight_policy policy, const struct weight_config *config,
		   const char *region, int64_t now_ms, const struct weight_input *inputs,
		   size_t count, struct weight_decision *decisions);

#endif
