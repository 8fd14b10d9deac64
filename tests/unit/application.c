/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "user/core/application.h"

static int parse(const char *text, struct report *own, struct text_error *error)
{
	memset(error, 0, sizeof(*error));
	memset(own, 0xee, sizeof(*own));
	return application_parse(text, strlen(text), own, error);
}

static struct report parse_good(const char *text)
{
	struct text_error error;
	struct report own;

	if (parse(text, &own, &error))
		fail_msg("%s refused: %s", text, error.what);
	return own;
}

static void own_numbers(void **state)
{
	struct report own = parse_good(
		"{\"application_utilization\": 1.25, \"application_weight_percent\": 150,"
		"\"inflight\": 12, \"workers\": 8, \"latency_ms\": 31.5, \"rps\": null}");

	(void)state;
	assert_int_equal(own.fields, REPORT_APPLICATION_UTILIZATION | REPORT_APPLICATION_WEIGHT |
					     REPORT_INFLIGHT | REPORT_WORKERS | REPORT_LATENCY);
	assert_true(own.application_utilization == 1.25);
	assert_true(own.application_weight_percent == 150);
	assert_true(own.inflight == 12);
	assert_true(own.workers == 8);
	assert_true(own.latency_ms == 31.5);
}

/* xds.data.orca.v3.OrcaLoadReport in JSON, with everything that it may have. */
static void orca(void **state)
{
	struct report own = parse_good(
		"{\"cpu_utilization\": 0.3, \"mem_utilization\": 0.8, \"rps\": 12,"
		"\"rps_fractional\": 11.5, \"eps\": 0.25, \"application_utilization\": 0.6,"
		"\"request_cost\": {\"a\": 1.5}, \"utilization\": {\"disk\": 0.1},"
		"\"named_metrics\": {\"custom\": 3}}");

	(void)state;
	assert_int_equal(own.fields, REPORT_CPU | REPORT_MEM | REPORT_RPS | REPORT_RPS_FRACTIONAL |
					     REPORT_EPS | REPORT_APPLICATION_UTILIZATION);
	assert_true(own.cpu_percent == 30);
	assert_true(own.mem_percent == 80);
	assert_true(own.rps == 12);
	assert_true(own.rps_fractional == 11.5);
	assert_true(own.eps == 0.25);
	assert_true(own.application_utilization == 0.6);
	assert_true(parse_good("{\"cpu_utilization\": 1.7}").cpu_percent == 100);
}

static void nothing_said(void **state)
{
	(void)state;
	assert_int_equal(parse_good("{}").fields, 0);
	assert_int_equal(parse_good("{\"cpu_utilization\": null, \"note\": \"x\\u0000\"}").fields,
			 0);
}

static const struct {
	const char *text;
	int line;
	const char *what;
} bad[] = {
	{"[]", 0, "expected a JSON object"},
	{"7", 1, "bad JSON: '[' or '{' expected near '7' (column 1)"},
	{"{\"eps\": \"x\"}", 0, "eps is not a number"},
	{"{\"eps\": -1}", 0, "eps is -1, expected 0 to 1000000000"},
	{"{\"inflight\": 1000000001}", 0, "inflight is 1000000001, expected 0 to 1000000000"},
	{"{\"cpu_utilization\": 1001}", 0, "cpu_utilization is 1001, expected 0 to 1000"},
	{"{\"application_weight_percent\": 1000.5}", 0,
	 "application_weight_percent is 1000.5, expected 0 to 1000"},
	{"{\"mem_utilization\": true, \"eps\": 1}", 0, "mem_utilization is not a number"},
	{"{\"eps\": 1, \"eps\": 2}", 1,
	 "bad JSON: duplicate object key near '\"eps\"' (column 16)"},
};

static void refused(void **state)
{
	struct text_error error;
	struct report own;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i].text, &own, &error), -EINVAL);
		assert_string_equal(error.what, bad[i].what);
		assert_int_equal(error.line, bad[i].line);
		assert_int_equal(own.fields, 0);
	}
	/* Cut off anywhere. */
	for (size_t bytes = 0; bytes < strlen(bad[3].text); bytes++)
		assert_int_equal(application_parse(bad[3].text, bytes, &own, &error), -EINVAL);
}

static void goes_before_what_was_measured(void **state)
{
	struct report own = parse_good("{\"inflight\": 3, \"cpu_utilization\": 0.5}");
	struct report report = {.node = "n",
				.fields = REPORT_CPU | REPORT_MEM,
				.cpu_percent = 99,
				.mem_percent = 20};

	(void)state;
	application_merge(&own, &report);
	assert_string_equal(report.node, "n");
	assert_int_equal(report.fields, REPORT_CPU | REPORT_MEM | REPORT_INFLIGHT);
	assert_true(report.cpu_percent == 50);
	assert_true(report.mem_percent == 20);
	assert_true(report.inflight == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_numbers),
		cmocka_unit_test(orca),
		cmocka_unit_test(nothing_said),
		cmocka_unit_test(refused),
		cmocka_unit_test(goes_before_what_was_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
