/* SPDX-License-Identifier: GPL-2.0-only */
#include "weight_policy.h"

/* The reason why a node gets nothing, if there is one. */
static bool edge_shuts(const struct weight_config *config, const struct weight_node *node,
		       struct reason *reason)
{
	const typeof(config->edge) *edge = &config->edge;
	char got[NUMBER_BYTES], limit[NUMBER_BYTES];

	/* First: what a stale report says of the CPU is stale as well. */
	if (node->age_s > edge->stale_s)
		reason_say(reason, "", "report %s s old > %s: weight 0",
			   reason_compared(got, node->age_s, edge->stale_s, edge->stale_s),
			   reason_number(limit, edge->stale_s, 3));
	else if (node->cpu_percent >= edge->cpu_shut_percent)
		reason_say(reason, "", "%s %s%% >= %s: weight 0", node->cpu_name,
			   reason_compared(got, node->cpu_percent, edge->cpu_shut_percent,
					   edge->cpu_shut_percent),
			   reason_number(limit, edge->cpu_shut_percent, 3));
	else
		return false;
	return true;
}

static double edge_penalties(const struct weight_config *config, const struct weight_node *node,
			     struct reason *reason)
{
	char got[NUMBER_BYTES], limit[NUMBER_BYTES], times[NUMBER_BYTES];
	const typeof(config->edge) *edge = &config->edge;
	double factor = 1;

	if (node->latency_ms > edge->latency_slow_ms) {
		factor *= edge->latency_factor;
		reason_say(reason, ", ", "latency %s ms > %s: x%s",
			   reason_compared(got, node->latency_ms, edge->latency_slow_ms,
					   edge->latency_slow_ms),
			   reason_number(limit, edge->latency_slow_ms, 3),
			   reason_number(times, edge->latency_factor, 3));
	}
	if (node->cpu_percent >= edge->cpu_busy_percent) {
		factor *= edge->cpu_factor;
		reason_say(reason, ", ", "%s %s%% >= %s: x%s", node->cpu_name,
			   reason_compared(got, node->cpu_percent, edge->cpu_busy_percent,
					   edge->cpu_shut_percent),
			   reason_number(limit, edge->cpu_busy_percent, 3),
			   reason_number(times, edge->cpu_factor, 3));
	}
	return factor;
}

double weight_edge_factor(const struct weight_config *config, const struct weight_pool *pool,
			  const struct weight_node *node, struct reason *reason)
{
	const __u32 wanted = REPORT_LATENCY | REPORT_CPU | REPORT_LAST_SEEN;
	bool own = node->place == WEIGHT_PLACE_OWN;
	char text[NUMBER_BYTES];
	double factor;
	bool penalised;

	(void)pool;
	if (edge_shuts(config, node, reason))
		return 0;
	factor = edge_penalties(config, node, reason);
	penalised = reason->text[0];
	if (own)
		factor += config->edge.region_bonus;

	if (penalised && own)
		reason_say(reason, ", ", "region +%s",
			   reason_number(text, config->edge.region_bonus, 3));
	if (!penalised && !(node->missing & wanted))
		reason_say(reason, "", "healthy");
	weight_say_missing(reason, node, wanted);
	if (!penalised)
		reason_say(reason, "", "%s: x%s", own ? ", own region" : "",
			   reason_number(text, factor, 3));
	if (!(factor >= config->edge.floor))
		reason_say(reason, ", ", "floor x%s",
			   reason_number(text, config->edge.floor, DECIMALS_MAX));
	return weight_at_least(factor, config->edge.floor);
}
