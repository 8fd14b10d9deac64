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

enum weight_policy {
	WEIGHT_EDGE,  /* steps by latency and CPU, prefers the balancer's region */
	WEIGHT_PROBE, /* base x (1 - max(cpu, mem)) x exp(-latency / 100 ms) */
	WEIGHT_SCORE, /* 0.40 geo + 0.45 RTT + 0.15 health, each 0..1 */
	WEIGHT_POLICIES
};

/* The constants of every policy; weight_config_default() has those of the design. */
struct weight_config {
	struct {
		double latency_slow_ms;	    /* above it the factor is multiplied by latency_factor */
		double latency_factor;
		double cpu_busy_percent;    /* from it on, by cpu_factor */
		double cpu_factor;
		double region_bonus;	    /* added in the balancer's own region */
		double floor;		    /* smallest factor of a node that is not shut out */
		double cpu_shut_percent;    /* from it on the weight is 0 */
		double stale_s;		    /* a report older than this means weight 0 */
	} edge;
	struct {
		double latency_scale_ms;
		double floor;
	} probe;
	struct {
		double geo_part;
		double rtt_part;
		double health_part;
		double rtt_scale_ms; /* RTT at which its score is 0.5 */
		double far_geo;	     /* geo score of another region */
		double floor;
	} score;
};

const struct weight_config *weight_config_default(void);

/* One backend as the policies see it. */
struct weight_input {
	__u16 base_weight;
	__u32 weight_milli;	     /* the weight now, kept when there is no report */
	const char *region;	     /* of the backend as configured; the report's own goes first */
	const struct report *report; /* NULL: its node has not reported */
};

struct weight_decision {
	__u32 weight_milli;
	bool changed;		   /* differs from the weight now */
	char reason[REASON_BYTES]; /* e.g. "latency 62 ms > 50 ms: x0.5; cpu 71 % >= 65 %: x0.7" */
};

/* "edge", "probe", "score" to the policy and back. Returns 0 or -EINVAL. */
int weight_policy_parse(const char *name, enum weight_policy *policy);
const char *weight_policy_name(enum weight_policy policy);

/*
 * Decide the weights of one service's backends. @region is the balancer's own ("" when it has
 * none), @now_ms Unix time. A backend without a report keeps its weight, and the reason says so.
 * A field a policy needs and the report lacks is taken as the best case, and the reason says so.
 */
void weight_decide(enum weight_policy policy, const struct weight_config *config,
		   const char *region, int64_t now_ms, const struct weight_input *inputs,
		   size_t count, struct weight_decision *decisions);

#endif
