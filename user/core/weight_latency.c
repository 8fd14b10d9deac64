/* SPDX-License-Identifier: GPL-2.0-only */
/* Who answers so late, beside the others, that it is better asked less. */
#include <math.h>

#include "weight_policy.h"

#define LATENCY_MIN_MS 0.001
#define OCTAVE_FIRST   (-9) /* as frexp() has it: from 2^-10 to 2^-9 */

double weight_latency_requests(const struct weight_config *config, int64_t age_ms,
			       const struct weight_latency *latency)
{
	return latency->requests * exp(-age_ms / config->memory.latency_fade_ms);
}

static double requests_now(const struct weight_config *config, const struct weight_latency *latency)
{
	return weight_latency_requests(config, latency->age_ms, latency);
}

static void count(double ms, double base_weight, struct weight_octaves *octaves)
{
	int octave;

	frexp(ms, &octave);
	octave = fmin(fmax(octave - OCTAVE_FIRST, 0), WEIGHT_OCTAVES - 1);
	octaves->base[octave] += base_weight;
	octaves->base_ms[octave] += base_weight * ms;
}

void weight_latency_survey(const struct weight_config *config, const struct weight_node *node,
			   struct weight_octaves octaves[WEIGHT_LATENCY_KINDS])
{
	for (int kind = 0; kind < WEIGHT_LATENCY_KINDS; kind++) {
		const struct weight_latency *latency = &node->memory.latencies[kind];

		if (requests_now(config, latency) >= 1)
			count(fmax(latency->ms, LATENCY_MIN_MS), node->base_weight, &octaves[kind]);
	}
}

double weight_latency_median(const struct weight_octaves *octaves)
{
	double all = 0, sum = 0;
	int octave;

	for (octave = 0; octave < WEIGHT_OCTAVES; octave++)
		all += octaves->base[octave];
	if (!(all > 0))
		return 0;
	for (octave = 0; octave < WEIGHT_OCTAVES - 1; octave++) {
		sum += octaves->base[octave];
		if (sum >= all / 2)
			break;
	}
	return octaves->base_ms[octave] / octaves->base[octave];
}

/*
 * What it is taken for. One that gets so few flows that none tells of it comes near the others by
 * and by, gets more, and so is found out again, or found well.
 */
static double credited_ms(const struct weight_config *config, double median_ms,
			  const struct weight_latency *latency)
{
	double requests = requests_now(config, latency), doubt = config->adaptive.latency_doubt;

	return (latency->ms * requests + median_ms * doubt) / (requests + doubt);
}

static double factor_by(const struct weight_config *config, double median_ms,
			const struct weight_latency *latency)
{
	const typeof(config->adaptive) *adaptive = &config->adaptive;
	double slack_ms = median_ms * adaptive->latency_slack, ms, factor;

	if (!latency->requests || !(slack_ms > 0))
		return 1;
	ms = credited_ms(config, median_ms, latency);
	if (!(ms > slack_ms))
		return 1;
	factor = pow(slack_ms / ms, adaptive->latency_exponent);
	return fmin(weight_at_least(factor, adaptive->latency_floor), 1);
}

/*
 * Of mean and median, where both are known, the one that blames less: among requests that differ a
 * lot, the mean is made by a few of them, and among two kinds of requests the median is that of one
 * kind now and of the other then. A node that is slow is slow by both.
 */
double weight_latency_factor(const struct weight_config *config, const struct weight_pool *pool,
			     const struct weight_node *node, enum weight_latency_kind *by)
{
	const struct weight_latency *mean = &node->memory.latencies[WEIGHT_LATENCY_MEAN];
	const struct weight_latency *median = &node->memory.latencies[WEIGHT_LATENCY_MEDIAN];
	double by_mean = factor_by(config, pool->median_ms[WEIGHT_LATENCY_MEAN], mean);
	double by_median = factor_by(config, pool->median_ms[WEIGHT_LATENCY_MEDIAN], median);

	*by = !mean->requests || (median->requests && by_median > by_mean) ? WEIGHT_LATENCY_MEDIAN
									   : WEIGHT_LATENCY_MEAN;
	return *by == WEIGHT_LATENCY_MEAN ? by_mean : by_median;
}
