/* SPDX-License-Identifier: GPL-2.0-only */
/* What was measured of a service, or of all of a node's, as numbers of a report. */
#ifndef SLUICE_CORE_MEASURE_REPORT_H
#define SLUICE_CORE_MEASURE_REPORT_H

#include <stdbool.h>

#include "measure.h"
#include "report.h"

/*
 * Put rps, inflight, latency_ms, p50_ms, p95_ms, p99_ms, retransmit_percent, rtt_ms and
 * rtt_deviation_ms into @report. latency_ms is the mean time to the first byte of a response, and
 * the percentiles are of the same. inflight is what follows from it (Little's law): rps times
 * latency. Of what there was nothing to measure, nothing is said, so that a node which answers
 * nobody still has the inflight of node_load_report(), the connections that wait there. There is no
 * retransmit_percent of less than NODE_SEGMENTS_MIN segments. Requests are of TCP: without @tcp
 * there is nothing to say.
 */
void measure_report(const struct measure_window *window, __u64 elapsed_ns, bool tcp,
		    struct report *report);

#endif
