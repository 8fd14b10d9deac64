/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure_report.h"

#include "node_load.h"
#include "report_number.h"

#define US_PER_MS 1000.0
#define US_PER_S  1e6
#define NS_PER_S  1e9

void measure_report(const struct measure_window *window, __u64 elapsed_ns, bool tcp,
		    struct report *report)
{
	const struct measure_times *response = &window->response, *rtt = &window->rtt;

	if (!tcp)
		return;
	if (elapsed_ns)
		report_measured(report, REPORT_RPS, window->requests_per_s);
	if (response->count) {
		report_measured(report, REPORT_INFLIGHT,
				window->requests_per_s * response->mean_us / US_PER_S);
		report_measured(report, REPORT_LATENCY, response->mean_us / US_PER_MS);
		report_measured(report, REPORT_P50, response->p50_us / US_PER_MS);
		report_measured(report, REPORT_P95, response->p95_us / US_PER_MS);
		report_measured(report, REPORT_P99, response->p99_us / US_PER_MS);
	}
	if (rtt->count) {
		report_measured(report, REPORT_RTT, rtt->mean_us / US_PER_MS);
		report_measured(report, REPORT_RTT_DEVIATION, rtt->deviation_us / US_PER_MS);
	}
	if (window->segments_per_s * (elapsed_ns / NS_PER_S) >= NODE_SEGMENTS_MIN)
		report_measured(report, REPORT_RETRANSMIT, window->retransmit_percent);
}
