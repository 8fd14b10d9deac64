/* SPDX-License-Identifier: GPL-2.0-only */
#include "weight_policy.h"

double weight_decay_factor(const struct weight_config *config, const struct weight_pool *pool,
			   const struct weight_node *node, struct reason *reason)
{
	static const char *const states[] = {
		[WEIGHT_CALM] = "calm",
		[WEIGHT_NORMAL] = "normal",
		[WEIGHT_HARSH] = "harsh",
	};
	const typeof(config->decay) *decay = &config->decay;
	const double alphas[] = {
		[WEIGHT_CALM] = decay->calm_alpha,
		[WEIGHT_NORMAL] = decay->normal_alpha,
		[WEIGHT_HARSH] = decay->harsh_alpha,
	};
	const struct weight_memory *memory = &node->memory;
	char percent[NUMBER_BYTES], times[NUMBER_BYTES];
	double factor;

	(void)pool;
	if (!memory->has_load) {
		reason_say(reason, "", "no cpu/mem/utilization given: x1");
		return 1;
	}
	factor = 1 - alphas[memory->load_state] * memory->load;
	reason_say(reason, "", "load %s%%, %s: x%s%s",
		   reason_number(percent, memory->load * 100, 0), states[memory->load_state],
		   reason_number(times, weight_at_least(factor, decay->floor), 3),
		   factor >= decay->floor ? "" : " (floor)");
	if (!node->remembered)
		reason_say(reason, "", ", not averaged, never harsh");
	return weight_at_least(factor, decay->floor);
}
