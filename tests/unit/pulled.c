/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/pulled.h"
#include "user/core/report.h"

/* What becomes of an answer of node edge-1, all the way to a report. */
static int pull(const char *body, struct report *report)
{
	struct text_error error = {};
	struct report *reports;
	size_t count;
	char *text;
	int err = pulled_report(body, strlen(body), "edge-1", &text, &error);

	if (err) {
		assert_null(text);
		assert_true(*error.what);
		return err;
	}
	assert_int_equal(report_parse(text, strlen(text), 0, 0, &reports, &count, &error), 0);
	assert_int_equal(count, 1);
	*report = reports[0];
	free(reports);
	free(text);
	return 0;
}

static void short_names(void **state)
{
	struct report report;

	(void)state;
	assert_int_equal(pull("{\"cpu\": 42.5, \"mem\": 7}", &report), 0);
	assert_string_equal(report.node, "edge-1");
	assert_int_equal(report.fields, REPORT_CPU | REPORT_MEM);
	assert_true(report.cpu_percent == 42.5);
	assert_true(report.mem_percent == 7);
}

static void long_names_go_first(void **state)
{
	struct report report;

	(void)state;
	assert_int_equal(pull("{\"cpu\": 1, \"cpu_percent\": 2, \"latency_ms\": 3, "
			      "\"node_id\": \"edge-1\"}",
			      &report),
			 0);
	assert_int_equal(report.fields, REPORT_CPU | REPORT_LATENCY);
	assert_true(report.cpu_percent == 2);
	assert_true(report.latency_ms == 3);
}

static void refuses(void **state)
{
	static const char *const bodies[] = {
		"",
		"ok",
		"[]",
		"[{\"cpu\": 1}]",
		"1",
		"{\"cpu\": 1",
		"{\"node_id\": \"edge-2\"}",
		"{\"node_id\": 1}",
		"{\"cpu\": 1, \"cpu\": 2}",
	};
	struct report report;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		if (pull(bodies[i], &report) != -EINVAL)
			fail_msg("\"%s\" is taken", bodies[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_names),
		cmocka_unit_test(long_names_go_first),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
