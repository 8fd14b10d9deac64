/* SPDX-License-Identifier: GPL-2.0-only */
#include "weight_policy.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define APPLICATION_PERCENT_MAX 1000.0

static const struct weight_config default_config = {
	.age = {.stale_s = 10, .forget_s = 30},
	.edge = {.latency_slow_ms = 50,
		 .latency_factor = 0.5,
		 .cpu_busy_percent = 65,
		 .cpu_factor = 0.7,
		 .region_bonus = 0.3,
		 .floor = 0.01,
		 .cpu_shut_percent = 85,
		 .stale_s = 10},
	.probe = {.latency_scale_ms = 100, .floor = 0.01},
	.score = {.geo_part = 0.40,
		  .rtt_part = 0.45,
		  .health_part = 0.15,
		  .rtt_scale_ms = 50,
		  .far_geo = 0,
		  .floor = 0.01},
	.memory = {.interval_ms = 2000,
		   .utilisation_part = 0.5,
		   .queue_part = 0.15,
		   .capacity_part = 0.3,
		   .full_part = 0.7,
		   .full_from = 0.98,
		   .noise = 0.25,
		   .noise_part = 0.2,
		   .queue_from = 0.9,
		   .queue_reports = 3,
		   .queue_sure = 3,
		   .error_penalty = 1,
		   .utilisation_min = 0.05,
		   .latency_requests = 100,
		   .latency_fade_ms = 10000},
	.adaptive = {.exponent = 0.5,
		     .floor = 0.25,
		     .ceiling = 1.5,
		     .capacity_span = 4,
		     .base_pull = 0.1,
		     .latency_slack = 1.75,
		     .latency_exponent = 5,
		     .latency_floor = 0.1,
		     .latency_doubt = 5,
		     .crowded_from = 0.9,
		     .crowded_until = 1},
	.decay = {.calm_alpha = 0.7,
		  .normal_alpha = 0.8,
		  .harsh_alpha = 0.95,
		  .calm_below = 0.5,
		  .normal_from = 0.6,
		  .harsh_above = 0.9,
		  .harsh_after_ms = 3000,
		  .floor = 0.1},
};

const struct weight_config *weight_config_default(void)
{
	return &default_config;
}

static const struct {
	const char *name;
	weight_factor *factor;
	bool judges_age; /* has a rule of its own for reports that are stale */
} policies[WEIGHT_POLICIES] = {
	[WEIGHT_EDGE] = {"edge", weight_edge_factor, true},
	[WEIGHT_PROBE] = {"probe", weight_probe_factor, false},
	[WEIGHT_SCORE] = {"score", weight_score_factor, false},
	[WEIGHT_ADAPTIVE] = {"adaptive", weight_adaptive_factor, false},
	[WEIGHT_DECAY] = {"decay", weight_decay_factor, false},
};

int weight_policy_parse(const char *name, enum weight_policy *policy)
{
	for (int i = 0; i < WEIGHT_POLICIES; i++) {
		if (!strcmp(name, policies[i].name)) {
			*policy = i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *weight_policy_name(enum weight_policy policy)
{
	return policies[policy].name;
}

static double report_age_s(const struct weight_input *input, int64_t now_ms)
{
	if (input->memory)
		return input->memory->age_ms / 1000.0;
	if (!(input->report->fields & REPORT_LAST_SEEN))
		return 0;
	return ((double)now_ms - (double)input->report->last_seen_ms) / 1000.0;
}

enum judged {
	JUDGED_BY_POLICY,
	JUDGED_BY_OTHERS, /* no base weight, no report, or a stale one */
};

static enum judged judge(enum weight_policy policy, const struct weight_config *config,
			 int64_t now_ms, const struct weight_input *input)
{
	if (!input->base_weight || !input->report)
		return JUDGED_BY_OTHERS;
	if (policies[policy].judges_age || report_age_s(input, now_ms) <= config->age.stale_s)
		return JUDGED_BY_POLICY;
	return JUDGED_BY_OTHERS;
}

static __u32 weight_of(__u16 base_weight, double factor)
{
	double milli = round(base_weight * factor * WEIGHT_MILLI);

	if (!base_weight || !(factor > 0))
		return 0;
	return fmin(fmax(milli, 1), UINT32_MAX);
}

static struct weight_pool survey(enum weight_policy policy, const struct weight_config *config,
				 const char *region, int64_t now_ms,
				 const struct weight_input *inputs, size_t count)
{
	struct weight_pool pool = {};
	struct weight_sums sums = {};
	struct weight_node node;

	if (policy != WEIGHT_ADAPTIVE)
		return pool;
	/* Who is slow can be told, and what is left without them, when all have been seen once. */
	for (enum weight_pass pass = 0; pass < WEIGHT_PASSES; pass++) {
		for (size_t i = 0; i < count; i++) {
			if (judge(policy, config, now_ms, &inputs[i]) != JUDGED_BY_POLICY)
				continue;
			node = weight_node_of(config, region, 0, &inputs[i]);
			weight_adaptive_survey(config, &pool, pass, &node, &sums);
		}
		weight_adaptive_pool(config, pass, &sums, &pool);
	}
	return pool;
}

static double factor_of(enum weight_policy policy, const struct weight_config *config,
			const struct weight_pool *pool, const struct weight_node *node,
			const struct report *report, struct reason *reason)
{
	bool outdated = node->age_s > config->age.stale_s;
	char text[NUMBER_BYTES];
	double percent;

	/* Of a stale report nothing counts, the application's wish neither. */
	if (outdated ||
	    !report_has(report, REPORT_APPLICATION_WEIGHT, report->application_weight_percent))
		return policies[policy].factor(config, pool, node, reason);
	percent = fmin(report->application_weight_percent, APPLICATION_PERCENT_MAX);
	reason_say(reason, "", "application asks for %s%%", reason_number(text, percent, 1));
	return percent / 100;
}

/* The mean of the factors of those whose reports are fresh. */
struct mean {
	double sum;
	size_t count;
};

/* The weight of a backend whose report is stale, by what the others' are worth. */
static __u32 decide_stale(const struct weight_config *config, const struct weight_input *input,
			  double age_s, const struct mean *others, struct reason *reason)
{
	struct weight_memory *memory = input->memory;
	char age[NUMBER_BYTES], times[NUMBER_BYTES];
	double factor;

	reason_say(reason, "", "report %s s old",
		   reason_compared(age, age_s, config->age.stale_s, config->age.forget_s));
	/* The age by a memory only grows while others report; one by the clock proves nothing. */
	if (age_s > config->age.forget_s && (memory || others->count)) {
		reason_say(reason, "", ": base weight");
		return weight_of(input->base_weight, 1);
	}
	if (memory && memory->frozen)
		factor = memory->frozen_factor;
	else if (others->count)
		factor = others->sum / others->count;
	else
		factor = (double)input->weight_milli / WEIGHT_MILLI / input->base_weight;
	if (memory) {
		memory->frozen = true;
		memory->frozen_factor = factor;
	}
	if (!others->count && !memory) {
		reason_say(reason, "", ", no fresh one: kept");
		return input->weight_milli;
	}
	reason_say(reason, "", ": frozen at x%s", reason_number(times, factor, 2));
	return weight_of(input->base_weight, factor);
}

static __u32 decide_silent(const struct weight_config *config, const struct weight_input *input,
			   struct reason *reason)
{
	const struct weight_memory *memory = input->memory;
	char age[NUMBER_BYTES];

	if (!input->base_weight) {
		reason_say(reason, "", "base weight 0");
		return 0;
	}
	if (!memory || memory->age_ms / 1000.0 <= config->age.forget_s) {
		reason_say(reason, "", "no report from its node");
		return input->weight_milli;
	}
	reason_say(reason, "", "no report for %s s: base weight",
		   reason_number(age, memory->age_ms / 1000, 0));
	return weight_of(input->base_weight, 1);
}

static void finish(const struct weight_input *input, __u32 weight_milli,
		   const struct reason *reason, struct weight_decision *decision)
{
	decision->weight_milli = weight_milli;
	decision->changed = weight_milli != input->weight_milli;
	reason_store(reason, decision->reason);
}

void weight_decide(enum weight_policy policy, const struct weight_config *config,
		   const char *region, int64_t now_ms, const struct weight_input *inputs,
		   size_t count, struct weight_decision *decisions)
{
	const struct weight_pool pool = survey(policy, config, region, now_ms, inputs, count);
	struct mean mean = {};

	for (size_t i = 0; i < count; i++) {
		const struct weight_input *input = &inputs[i];
		struct reason reason = {""};
		struct weight_node node;
		double factor;

		if (judge(policy, config, now_ms, input) != JUDGED_BY_POLICY)
			continue;
		node = weight_node_of(config, region, report_age_s(input, now_ms), input);
		factor = factor_of(policy, config, &pool, &node, input->report, &reason);
		if (input->memory)
			input->memory->frozen = false;
		mean.sum += factor;
		mean.count++;
		finish(input, weight_of(input->base_weight, factor), &reason, &decisions[i]);
	}
	for (size_t i = 0; i < count; i++) {
		const struct weight_input *input = &inputs[i];
		struct reason reason = {""};
		__u32 weight_milli;

		if (judge(policy, config, now_ms, input) == JUDGED_BY_POLICY)
			continue;
		if (!input->base_weight || !input->report)
			weight_milli = decide_silent(config, input, &reason);
		else
			weight_milli = decide_stale(config, input, report_age_s(input, now_ms),
						    &mean, &reason);
		finish(input, weight_milli, &reason, &decisions[i]);
	}
}
