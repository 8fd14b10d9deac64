/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Congestion on the way to a node: what is lost and comes late makes its weight a half, and another
 * half while it lasts; each clean while doubles it again. Times are CLOCK_MONOTONIC.
 */
#ifndef SLUICE_CORE_CONGESTION_H
#define SLUICE_CORE_CONGESTION_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#include "report.h"

struct congestion_config {
	double retransmit_percent; /* both are reached */
	double rtt_deviation;      /* over the mean RTT */
	int64_t degrade_ms;        /* after so long without a break it is halved */
	int64_t again_ms;          /* and after so long once more */
	int64_t recover_ms;        /* after so long without congestion it is doubled */
	int64_t sample_ms;         /* longer than this no report speaks for */
	__u32 halvings_max;
};

const struct congestion_config *congestion_config_default(void);

/* All 0: a clean path of which nothing is known. */
struct congestion {
	__u32 halvings;
	bool sampled;
	bool congested; /* by the last report that had the numbers */
	int64_t sampled_ms;
	int64_t since_ms; /* when this stretch of congestion, or the lack of it, began to count */
	double retransmit_percent;
};

/* Take a report's numbers; one that lacks retransmissions or RTT changes nothing. */
void congestion_observe(struct congestion *congestion, const struct congestion_config *config,
			const struct report *report, int64_t now_ms);

/* Let time pass. Returns whether the factor is another one now. */
bool congestion_pass_time(struct congestion *congestion, const struct congestion_config *config,
			  int64_t now_ms);

/* 1, 0.5, 0.25, ... */
double congestion_factor(const struct congestion *congestion);

#endif
