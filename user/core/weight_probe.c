/* SPDX-License-Identifier: GPL-2.0-only */
/* The policies probe and score, which see a node's headroom and latency at one moment. */
#include <math.h>

#include "weight_policy.h"

double weight_probe_factor(const struct weight_config *config, const struct weight_pool *pool,
			   const struct weight_node *node, struct reason *reason)
{
	double factor =
		weight_headroom(node) * exp(-node->latency_ms / config->probe.latency_scale_ms);

	(void)pool;
	weight_say_measured(reason, node, factor, config->probe.floor);
	return weight_at_least(factor, config->probe.floor);
}

double weight_score_factor(const struct weight_config *config, const struct weight_pool *pool,
			   const struct weight_node *node, struct reason *reason)
{
	static const char *const places[] = {
		[WEIGHT_PLACE_UNKNOWN] = "no region",
		[WEIGHT_PLACE_OWN] = "own region",
		[WEIGHT_PLACE_OTHER] = "other region",
	};
	const typeof(config->score) *score = &config->score;
	double geo = node->place == WEIGHT_PLACE_OTHER ? score->far_geo : 1;
	double rtt = score->rtt_scale_ms / (score->rtt_scale_ms + node->latency_ms);
	double factor = score->geo_part * geo + score->rtt_part * rtt +
			score->health_part * weight_headroom(node);

	(void)pool;
	reason_say(reason, "", "%s", places[node->place]);
	weight_say_measured(reason, node, factor, score->floor);
	return weight_at_least(factor, score->floor);
}
