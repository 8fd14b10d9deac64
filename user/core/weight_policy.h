/* SPDX-License-Identifier: GPL-2.0-only */
/* What the policies of weight.h share, a file each; for weight*.c only. */
#ifndef SLUICE_CORE_WEIGHT_POLICY_H
#define SLUICE_CORE_WEIGHT_POLICY_H

#include "reason.h"
#include "weight.h"

enum weight_place {
	WEIGHT_PLACE_UNKNOWN,
	WEIGHT_PLACE_OWN,
	WEIGHT_PLACE_OTHER,
};

/* A node as its report has it, what is missing taken as the best case. */
struct weight_node {
	enum weight_place place;
	__u32 missing;        /* enum report_field */
	const char *cpu_name; /* "cpu", or "util" for what the application said instead */
	double cpu_percent;
	double mem_percent;
	double latency_ms;
	double age_s;
	double base_weight;
	bool remembered;             /* else the memory is of this report alone */
	struct weight_memory memory; /* as the policy finds it */
};

struct weight_node weight_node_of(const struct weight_config *config, const char *region,
				  double age_s, const struct weight_input *input);

/* What a policy has to know of all of a service's backends. */
struct weight_pool {
	double capacity_scale;                  /* base weights a request a second */
	double mean_utilisation;                /* weighted by capacity; 0: nobody has one */
	double median_ms[WEIGHT_LATENCY_KINDS]; /* weighted by base weight; 0: nobody has one */
	double spare; /* 1: the others can take the slow ones' flows; 0: they cannot */
};

/* The factor of the base weight; 0 shuts the node out. */
typedef double weight_factor(const struct weight_config *config, const struct weight_pool *pool,
			     const struct weight_node *node, struct reason *reason);

weight_factor weight_edge_factor, weight_probe_factor, weight_score_factor, weight_adaptive_factor,
	weight_decay_factor;

/*
 * Latencies by their power of two, from a thousandth of a ms to an hour. The mean of those that share it with the median is
 * taken for the median: near enough, without sorting, and as deaf to those that are far off.
 */
#define WEIGHT_OCTAVES 32

struct weight_octaves {
	double base[WEIGHT_OCTAVES];
	double base_ms[WEIGHT_OCTAVES];
};

/* Sums over a service's backends, that make its pool. */
struct weight_sums {
	double rated_base; /* those with a capacity */
	double rated_capacity;
	double rated_used; /* capacity x utilisation */
	double plain_base; /* those without */
	double plain_used;
	struct weight_octaves octaves[WEIGHT_LATENCY_KINDS];
	double capacity_left; /* base weights, without what slow ones lose */
};

/* Two looks at all of a service's backends, and what follows for the pool after each. */
enum weight_pass { WEIGHT_PASS_ALL, WEIGHT_PASS_SLOW, WEIGHT_PASSES };

void weight_adaptive_survey(const struct weight_config *config, const struct weight_pool *pool,
			    enum weight_pass pass, const struct weight_node *node,
			    struct weight_sums *sums);
void weight_adaptive_pool(const struct weight_config *config, enum weight_pass pass,
			  const struct weight_sums *sums, struct weight_pool *pool);

void weight_latency_survey(const struct weight_config *config, const struct weight_node *node,
			   struct weight_octaves octaves[WEIGHT_LATENCY_KINDS]);
double weight_latency_median(const struct weight_octaves *octaves);

/* The requests that a latency is of, those remembered @age_ms after the last of them. */
double weight_latency_requests(const struct weight_config *config, int64_t age_ms,
			       const struct weight_latency *latency);

/* What being slow leaves of a backend's weight; 1: all. The kind of latency that says so in *@by. */
double weight_latency_factor(const struct weight_config *config, const struct weight_pool *pool,
			     const struct weight_node *node, enum weight_latency_kind *by);

/* @factor, or @floor when that is more; also for one that a strange configuration made NaN. */
double weight_at_least(double factor, double floor);

/* "no cpu/last_seen given", for those of @wanted that are missing. */
void weight_say_missing(struct reason *reason, const struct weight_node *node, __u32 wanted);

/* The part of the node that is free; under 0 when it is overloaded. */
double weight_headroom(const struct weight_node *node);

/* What was measured, then the factor that came out, then what was not measured. */
void weight_say_measured(struct reason *reason, const struct weight_node *node, double factor,
			 double floor);

#endif
