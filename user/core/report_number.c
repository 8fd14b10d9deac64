/* SPDX-License-Identifier: GPL-2.0-only */
#include "report_number.h"

#include <math.h>

#define MS_PER_HOUR 3600000.0
#define BILLION     1000000000.0

const struct report_number report_numbers[REPORT_NUMBERS] = {
	{"cpu_percent", offsetof(struct report, cpu_percent), 100, REPORT_CPU},
	{"mem_percent", offsetof(struct report, mem_percent), 100, REPORT_MEM},
	{"load", offsetof(struct report, load), BILLION, REPORT_LOAD},
	{"rps", offsetof(struct report, rps), BILLION, REPORT_RPS},
	{"inflight", offsetof(struct report, inflight), BILLION, REPORT_INFLIGHT},
	{"workers", offsetof(struct report, workers), BILLION, REPORT_WORKERS},
	{"retransmit_percent", offsetof(struct report, retransmit_percent), 100, REPORT_RETRANSMIT},
	{"rtt_ms", offsetof(struct report, rtt_ms), MS_PER_HOUR, REPORT_RTT},
	{"rtt_deviation_ms", offsetof(struct report, rtt_deviation_ms), MS_PER_HOUR,
	 REPORT_RTT_DEVIATION},
	{"latency_ms", offsetof(struct report, latency_ms), MS_PER_HOUR, REPORT_LATENCY},
	{"p50_ms", offsetof(struct report, p50_ms), MS_PER_HOUR, REPORT_P50},
	{"p95_ms", offsetof(struct report, p95_ms), MS_PER_HOUR, REPORT_P95},
	{"p99_ms", offsetof(struct report, p99_ms), MS_PER_HOUR, REPORT_P99},
	{"application_utilization", offsetof(struct report, application_utilization), 1000,
	 REPORT_APPLICATION_UTILIZATION},
	{"application_weight_percent", offsetof(struct report, application_weight_percent), 1000,
	 REPORT_APPLICATION_WEIGHT},
	{"rps_fractional", offsetof(struct report, rps_fractional), BILLION, REPORT_RPS_FRACTIONAL},
	{"eps", offsetof(struct report, eps), BILLION, REPORT_EPS},
};

void report_measured(struct report *report, enum report_field field, double value)
{
	if (!isfinite(value))
		return;
	for (size_t i = 0; i < REPORT_NUMBERS; i++) {
		if (report_numbers[i].field == field)
			report_number_set(report, &report_numbers[i],
					  fmin(fmax(value, 0), report_numbers[i].max));
	}
}
