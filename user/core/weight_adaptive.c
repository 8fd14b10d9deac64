/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>

#include "weight_policy.h"

/* What there is to share out, in base weights. */
static double capacity_of(const struct weight_pool *pool, const struct weight_node *node)
{
	return node->memory.has_capacity ? node->memory.capacity * pool->capacity_scale
					 : node->base_weight;
}

static void survey_all(const struct weight_config *config, const struct weight_node *node,
		       struct weight_sums *sums)
{
	const struct weight_memory *memory = &node->memory;

	weight_latency_survey(config, node, sums->octaves);
	if (!memory->has_utilisation)
		return;
	if (memory->has_capacity) {
		sums->rated_base += node->base_weight;
		sums->rated_capacity += memory->capacity;
		sums->rated_used += memory->capacity * memory->utilisation;
	} else {
		sums->plain_base += node->base_weight;
		sums->plain_used += node->base_weight * memory->utilisation;
	}
}

void weight_adaptive_survey(const struct weight_config *config, const struct weight_pool *pool,
			    enum weight_pass pass, const struct weight_node *node,
			    struct weight_sums *sums)
{
	enum weight_latency_kind by;

	if (pass == WEIGHT_PASS_ALL)
		survey_all(config, node, sums);
	else if (node->memory.has_utilisation)
		sums->capacity_left +=
			capacity_of(pool, node) * weight_latency_factor(config, pool, node, &by);
}

/* By how full those that are not slow would be. */
static double spare_of(const struct weight_config *config, double used, double left)
{
	const typeof(config->adaptive) *adaptive = &config->adaptive;
	double full = used / left, span = adaptive->crowded_until - adaptive->crowded_from;

	if (full <= adaptive->crowded_from)
		return 1;
	return full < adaptive->crowded_until ? (adaptive->crowded_until - full) / span : 0;
}

void weight_adaptive_pool(const struct weight_config *config, enum weight_pass pass,
			  const struct weight_sums *sums, struct weight_pool *pool)
{
	double capacity = sums->rated_base + sums->plain_base, used;

	if (pass == WEIGHT_PASS_ALL && sums->rated_capacity > 0)
		pool->capacity_scale = sums->rated_base / sums->rated_capacity;
	used = sums->rated_used * pool->capacity_scale + sums->plain_used;
	if (pass == WEIGHT_PASS_SLOW) {
		pool->spare = spare_of(config, used, sums->capacity_left);
		return;
	}
	if (capacity > 0)
		pool->mean_utilisation = used / capacity;
	for (int kind = 0; kind < WEIGHT_LATENCY_KINDS; kind++)
		pool->median_ms[kind] = weight_latency_median(&sums->octaves[kind]);
}

/* What the backend can do, beside what its base weight says. */
static double relative_capacity(const struct weight_config *config, const struct weight_pool *pool,
				const struct weight_node *node)
{
	double span = config->adaptive.capacity_span, relative;

	if (!node->memory.has_capacity)
		return 1;
	relative = node->memory.capacity * pool->capacity_scale / node->base_weight;
	return pow(fmin(fmax(relative, 1 / span), span), 1 - config->adaptive.base_pull);
}

double weight_adaptive_factor(const struct weight_config *config, const struct weight_pool *pool,
			      const struct weight_node *node, struct reason *reason)
{
	static const char *const sources[] = {
		[WEIGHT_SOURCE_CPU] = "cpu",
		[WEIGHT_SOURCE_APPLICATION] = "util",
		[WEIGHT_SOURCE_QUEUE] = "queue",
	};
	const typeof(config->adaptive) *adaptive = &config->adaptive;
	double utilisation = node->memory.utilisation, mean = pool->mean_utilisation;
	double capacity, root, prompt, factor;
	char percent[NUMBER_BYTES], of[NUMBER_BYTES], times[NUMBER_BYTES];
	enum weight_latency_kind by;

	if (!node->memory.has_utilisation) {
		reason_say(reason, "", "no cpu/utilization given: x1");
		return 1;
	}
	capacity = relative_capacity(config, pool, node);
	/* Two idle nodes are alike, whatever the quotient of their noise. */
	root = pow(fmax(mean, config->memory.utilisation_min) /
			   fmax(utilisation, config->memory.utilisation_min),
		   adaptive->exponent);
	root = fmin(weight_at_least(root, adaptive->floor), adaptive->ceiling);
	prompt = 1 - (1 - weight_latency_factor(config, pool, node, &by)) * pool->spare;
	factor = capacity * root * prompt;

	reason_say(reason, "", "%s %s%%, mean %s%%", sources[node->memory.source],
		   reason_number(percent, utilisation * 100, 0), reason_number(of, mean * 100, 0));
	if (node->memory.has_capacity)
		reason_say(reason, "", ", capacity x%s", reason_number(times, capacity, 2));
	if (prompt < 1)
		reason_say(reason, "", ", %s ms > %s x%s",
			   reason_number(percent, node->memory.latencies[by].ms, 0),
			   reason_number(of, pool->median_ms[by], 0),
			   reason_number(times, prompt, 2));
	reason_say(reason, "", ": x%s%s", reason_number(times, factor, 2),
		   node->remembered ? "" : ", not averaged");
	return factor;
}
