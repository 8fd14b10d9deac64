/* SPDX-License-Identifier: GPL-2.0-only */
/* What an agent writes, as report_parse() reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/measure_report.h"
#include "user/core/report_json.h"
#include "user/core/report_number.h"

#define NOW_MS    1795165200123LL /* 2026-11-20T09:00:00.123Z */
#define SECOND_NS 1000000000ULL

static struct report round_trip(const struct report *report)
{
	json_t *root = report_json(report);
	char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(10));
	struct report *parsed, copy;
	struct text_error error;
	size_t count;

	assert_non_null(text);
	if (report_parse(text, strlen(text), NOW_MS, 0, &parsed, &count, &error))
		fail_msg("%s refused: %s", text, error.what);
	assert_int_equal(count, 1);
	copy = *parsed;
	free(parsed);
	free(text);
	json_decref(root);
	return copy;
}

static void literally(void **state)
{
	struct report report = {
		.node = "edge-1",
		.region = "cn-shanghai-1",
		.fields = REPORT_REGION | REPORT_CPU | REPORT_P99 | REPORT_LOAD | REPORT_LAST_SEEN,
		.cpu_percent = 42.12349,
		.p99_ms = 12,
		.mem_percent = 77, /* which is not known */
		.last_seen_ms = NOW_MS,
	};
	json_t *root = report_json(&report);
	char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(10));

	(void)state;
	assert_string_equal(text, "{\"node_id\":\"edge-1\",\"region\":\"cn-shanghai-1\","
				  "\"cpu_percent\":42.123,\"load\":0.0,\"p99_ms\":12.0,"
				  "\"last_seen\":\"2026-11-20T09:00:00.123Z\"}");
	free(text);
	json_decref(root);
}

static void every_field(void **state)
{
	struct report report = {.node = "a \"b\" \\ \xe4\xb8\x8a", .fields = REPORT_LAST_SEEN};
	struct report parsed;
	size_t i;

	(void)state;
	for (i = 0; i < REPORT_NUMBERS; i++)
		report_number_set(&report, &report_numbers[i], 1.125 * (i + 1));
	report.last_seen_ms = NOW_MS;
	parsed = round_trip(&report);
	assert_int_equal(parsed.fields, report.fields);
	assert_string_equal(parsed.node, report.node);
	assert_int_equal(parsed.last_seen_ms, NOW_MS);
	for (i = 0; i < REPORT_NUMBERS; i++)
		assert_true(report_number_get(&parsed, &report_numbers[i]) == 1.125 * (i + 1));
}

/* Whatever was measured, what comes out of it is accepted. */
static void bounds(void **state)
{
	static const double values[] = {-INFINITY, -1e300,   -5,       -0.0,   1e-320,
					0.00049,   99.99999, 100,      100.01, 3600000,
					1e9,       1e300,    INFINITY, NAN};

	(void)state;
	for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
		struct report report = {.node = "n"}, parsed;

		for (size_t i = 0; i < REPORT_NUMBERS; i++)
			report_measured(&report, report_numbers[i].field, values[v]);
		assert_int_equal(report.fields != 0, isfinite(values[v]));
		parsed = round_trip(&report);
		assert_int_equal(parsed.fields, report.fields);
	}
}

static void times(void **state)
{
	static const int64_t times_ms[] = {0, 1, 999, 1000, -1, -1000, -1001, 951782400000, NOW_MS};

	(void)state;
	for (size_t i = 0; i < sizeof(times_ms) / sizeof(times_ms[0]); i++) {
		struct report report = {
			.node = "n", .fields = REPORT_LAST_SEEN, .last_seen_ms = times_ms[i]};

		assert_true(round_trip(&report).last_seen_ms == times_ms[i]);
	}
}

static void no_utf8(void **state)
{
	struct report report = {.node = "a\xff"};

	(void)state;
	assert_null(report_json(&report));
}

static void measured(void **state)
{
	struct measure_window window = {
		.segments_per_s = 100,
		.retransmit_percent = 7.5,
		.requests_per_s = 40,
		.rtt = {.count = 9, .mean_us = 2500, .deviation_us = 500},
		.response = {.count = 80,
			     .mean_us = 50000,
			     .p50_us = 40000,
			     .p95_us = 90000,
			     .p99_us = 120000},
	};
	struct report report = {.node = "n"}, parsed;

	(void)state;
	measure_report(&window, 2 * SECOND_NS, true, &report);
	parsed = round_trip(&report);
	assert_int_equal(parsed.fields, REPORT_RPS | REPORT_INFLIGHT | REPORT_LATENCY | REPORT_P50 |
						REPORT_P95 | REPORT_P99 | REPORT_RTT |
						REPORT_RTT_DEVIATION | REPORT_RETRANSMIT);
	assert_true(parsed.rps == 40);
	assert_true(parsed.inflight == 2); /* 40 a second that take 50 ms each */
	assert_true(parsed.latency_ms == 50);
	assert_true(parsed.p50_ms == 40);
	assert_true(parsed.p95_ms == 90);
	assert_true(parsed.p99_ms == 120);
	assert_true(parsed.rtt_ms == 2.5);
	assert_true(parsed.rtt_deviation_ms == 0.5);
	assert_true(parsed.retransmit_percent == 7.5);
}

static void measured_nothing(void **state)
{
	struct measure_window window = {.segments_per_s = 9.5, .retransmit_percent = 50};
	struct report report = {.node = "n"};

	(void)state;
	measure_report(&window, 2 * SECOND_NS, true, &report);
	assert_int_equal(report.fields, REPORT_RPS);
	assert_true(report.rps == 0);
	report.fields = 0;
	measure_report(&window, 0, true, &report);
	assert_int_equal(report.fields, 0);
	window.segments_per_s = 10; /* NODE_SEGMENTS_MIN in 2 s */
	measure_report(&window, 2 * SECOND_NS, true, &report);
	assert_int_equal(report.fields, REPORT_RPS | REPORT_RETRANSMIT);
	report.fields = 0;
	measure_report(&window, 2 * SECOND_NS, false, &report);
	assert_int_equal(report.fields, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literally),        cmocka_unit_test(every_field),
		cmocka_unit_test(bounds),           cmocka_unit_test(times),
		cmocka_unit_test(no_utf8),          cmocka_unit_test(measured),
		cmocka_unit_test(measured_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
