/* SPDX-License-Identifier: GPL-2.0-only */
#include "congestion.h"

#include <math.h>

#include "elapsed.h"

static const struct congestion_config default_config = {
	.retransmit_percent = 5,
	.rtt_deviation = 0.8,
	.degrade_ms = 3000,
	.again_ms = 10000,
	.recover_ms = 10000,
	.sample_ms = 6000,
	.halvings_max = 3,
};

const struct congestion_config *congestion_config_default(void)
{
	return &default_config;
}

static bool is_congested(const struct congestion_config *config, const struct report *report)
{
	return report->retransmit_percent >= config->retransmit_percent && report->rtt_ms > 0 &&
	       report->rtt_deviation_ms / report->rtt_ms >= config->rtt_deviation;
}

/* Retransmissions under the limit are clean whatever the RTT; over it, the RTT has to tell. */
static bool is_sample(const struct congestion_config *config, const struct report *report)
{
	const __u32 rtt = REPORT_RTT | REPORT_RTT_DEVIATION;

	if (!(report->fields & REPORT_RETRANSMIT) || !isfinite(report->retransmit_percent))
		return false;
	if (report->retransmit_percent < config->retransmit_percent)
		return true;
	return (report->fields & rtt) == rtt && isfinite(report->rtt_ms) &&
	       isfinite(report->rtt_deviation_ms);
}

void congestion_observe(struct congestion *congestion, const struct congestion_config *config,
			const struct report *report, int64_t now_ms)
{
	bool congested;

	if (!is_sample(config, report))
		return;
	congestion_pass_time(congestion, config, now_ms);
	congested = is_congested(config, report);
	/* Nothing is known of a gap, so no stretch goes on across it. */
	if (!congestion->sampled || congested != congestion->congested ||
	    elapsed_ms(now_ms, congestion->sampled_ms) > config->sample_ms)
		congestion->since_ms = now_ms;
	congestion->sampled = true;
	congestion->sampled_ms = now_ms;
	congestion->congested = congested;
	congestion->retransmit_percent = report->retransmit_percent;
}

bool congestion_pass_time(struct congestion *congestion, const struct congestion_config *config,
			  int64_t now_ms)
{
	int64_t wait_ms = config->recover_ms;

	if (congestion->sampled_ms > now_ms)
		congestion->sampled_ms = now_ms;
	if (congestion->since_ms > now_ms)
		congestion->since_ms = now_ms;
	if (!congestion->sampled || elapsed_ms(now_ms, congestion->sampled_ms) > config->sample_ms)
		return false;
	if (congestion->congested)
		wait_ms = congestion->halvings ? config->again_ms : config->degrade_ms;
	if (elapsed_ms(now_ms, congestion->since_ms) < wait_ms)
		return false;

	if (congestion->congested && congestion->halvings < config->halvings_max)
		congestion->halvings++;
	else if (!congestion->congested && congestion->halvings)
		congestion->halvings--;
	else
		return false;
	congestion->since_ms = now_ms;
	return true;
}

double congestion_factor(const struct congestion *congestion)
{
	return ldexp(1, -(int)congestion->halvings);
}
