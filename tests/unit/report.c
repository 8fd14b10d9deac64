/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/report.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NOW_MS  1795165200000LL /* 2026-11-20T09:00:00Z */
#define SKEW_MS 5000

#define TEN(text)    text text text text text text text text text text
#define BYTES_31     TEN("r") TEN("r") TEN("r") "r"
#define BYTES_63     TEN("n") TEN("n") TEN("n") TEN("n") TEN("n") TEN("n") "nnn"
#define NODE(fields) "{\"node_id\": \"edge-7\", " fields "}"
#define SEEN(time)   NODE("\"last_seen\": \"" time "\"")

static int parse(const char *text, struct report **reports, size_t *count, struct text_error *error)
{
	return report_parse(text, strlen(text), NOW_MS, SKEW_MS, reports, count, error);
}

/* The one report in @text, to be freed. */
static struct report *parse_one(const char *text)
{
	struct report *reports;
	struct text_error error;
	size_t count;

	if (parse(text, &reports, &count, &error))
		fail_msg("%s refused: %s", text, error.what);
	assert_int_equal(count, 1);
	return reports;
}

static void every_field(void **state)
{
	struct report *report = parse_one(
		"{\"node_id\": \"edge-1\", \"region\": \"cn-shanghai-1\", \"cpu_percent\": 42.5,"
		"\"mem_percent\": 61, \"latency_ms\": 12.0, \"rps\": 1500, \"inflight\": 12,"
		"\"workers\": 8, \"retransmit_percent\": 0.25, \"p95_ms\": 31.5,"
		"\"load\": 0.75, \"rtt_ms\": 2.5, \"rtt_deviation_ms\": 1.5, \"p50_ms\": 9.5,"
		"\"p99_ms\": 70.5, \"application_utilization\": 1.25,"
		"\"application_weight_percent\": 80, \"rps_fractional\": 99.5, \"eps\": 0.5,"
		"\"last_seen\": \"2026-11-20T09:00:00Z\"}");

	(void)state;
	assert_string_equal(report->node, "edge-1");
	assert_string_equal(report->region, "cn-shanghai-1");
	assert_int_equal(report->fields, 0x7ffff);
	assert_true(report->cpu_percent == 42.5);
	assert_true(report->mem_percent == 61);
	assert_true(report->latency_ms == 12);
	assert_true(report->rps == 1500);
	assert_true(report->inflight == 12);
	assert_true(report->workers == 8);
	assert_true(report->retransmit_percent == 0.25);
	assert_true(report->p95_ms == 31.5);
	assert_true(report->load == 0.75);
	assert_true(report->rtt_ms == 2.5);
	assert_true(report->rtt_deviation_ms == 1.5);
	assert_true(report->p50_ms == 9.5);
	assert_true(report->p99_ms == 70.5);
	assert_true(report->application_utilization == 1.25);
	assert_true(report->application_weight_percent == 80);
	assert_true(report->rps_fractional == 99.5);
	assert_true(report->eps == 0.5);
	assert_int_equal(report->last_seen_ms, NOW_MS);
	free(report);
}

/* Each of these texts is one good report; @fields are those it has besides the node. */
static const struct {
	const char *name;
	const char *text;
	__u32 fields;
} good[] = {
	{"only a node", "{\"node_id\": \"n\"}", 0},
	{"an array of one", "[{\"node_id\": \"n\"}]", 0},
	{"white space around", " \r\n\t{\"node_id\": \"n\"}\n ", 0},
	{"node of 63 bytes", "{\"node_id\": \"" BYTES_63 "\"}", 0},
	{"node in UTF-8", "{\"node_id\": \"\xe4\xb8\x8a\xe6\xb5\xb7-1\"}", 0},
	{"no-break space is no control character", "{\"node_id\": \"a\\u00a0b\"}", 0},
	{"region of 31 bytes", NODE("\"region\": \"" BYTES_31 "\""), REPORT_REGION},
	{"empty region", NODE("\"region\": \"\""), 0},
	{"null is absent",
	 NODE("\"cpu_percent\": null, \"region\": null, \"last_seen\": null, \"p95_ms\": null"), 0},
	{"lower bounds",
	 NODE("\"cpu_percent\": 0, \"mem_percent\": 0, \"latency_ms\": 0, \"rps\": 0,"
	      "\"inflight\": 0, \"workers\": 0, \"retransmit_percent\": 0, \"p95_ms\": 0"),
	 0xff},
	{"upper bounds",
	 NODE("\"cpu_percent\": 100, \"mem_percent\": 100, \"latency_ms\": 3600000, \"rps\": 1e9,"
	      "\"inflight\": 1e9, \"workers\": 1e9, \"retransmit_percent\": 100,"
	      "\"p95_ms\": 3600000.0"),
	 0xff},
	{"underflow is 0", NODE("\"cpu_percent\": 1e-999"), REPORT_CPU},
	{"unknown field", NODE("\"CPU_percent\": \"x\", \"gpu\": {\"a\": [1, null]}"), 0},
	{"unknown field with a large integer",
	 NODE("\"uptime\": 123456789012345678901234567890, \"cpu_percent\": 1"), REPORT_CPU},
	{"unknown field with NUL", NODE("\"note\": \"a\\u0000b\""), 0},
	{"as far ahead as allowed", SEEN("2026-11-20T09:00:05Z"), REPORT_LAST_SEEN},
};

static void good_reports(void **state)
{
	struct report *reports;
	struct text_error error;
	size_t count;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		if (parse(good[i].text, &reports, &count, &error))
			fail_msg("%s: refused: %s", good[i].name, error.what);
		if (count != 1 || reports->fields != good[i].fields)
			fail_msg("%s: %zu reports, fields %#x", good[i].name, count,
				 reports->fields);
		free(reports);
	}
}

static void arrays(void **state)
{
	struct report *reports;
	struct text_error error;
	size_t count;

	(void)state;
	assert_int_equal(parse("[]", &reports, &count, &error), 0);
	assert_int_equal(count, 0);
	assert_null(reports);

	assert_int_equal(parse("[{\"node_id\": \"a\", \"cpu_percent\": 1}, {\"node_id\": \"b\"},"
			       " {\"node_id\": \"A\", \"mem_percent\": 3}]",
			       &reports, &count, &error),
			 0);
	assert_int_equal(count, 3);
	assert_string_equal(reports[0].node, "a");
	assert_true(reports[0].cpu_percent == 1);
	assert_string_equal(reports[1].node, "b");
	assert_int_equal(reports[1].fields, 0);
	assert_string_equal(reports[2].node, "A");
	assert_int_equal(reports[2].fields, REPORT_MEM);
	free(reports);
}

/* What GNU date makes of them; RFC 3339's own examples (5.8) are the first five. */
static const struct {
	const char *time;
	int64_t unix_ms;
} times[] = {
	{"1985-04-12T23:20:50.52Z", 482196050520},
	{"1996-12-19T16:39:57-08:00", 851042397000},
	{"1990-12-31T23:59:60Z", 662688000000},
	{"1990-12-31T15:59:60-08:00", 662688000000},
	{"1937-01-01T12:00:27.87+00:20", -1041337172130},
	{"1970-01-01T00:00:00Z", 0},
	{"1969-12-31T23:59:59.999Z", -1},
	{"0000-01-01T00:00:00Z", -62167219200000},
	{"0000-12-31T23:59:59Z", -62135596801000},
	{"0001-01-01T00:00:00Z", -62135596800000},
	{"1900-02-28T00:00:00Z", -2203977600000},
	{"1900-03-01T00:00:00Z", -2203891200000},
	{"2000-02-29T00:00:00Z", 951782400000},
	{"2000-03-01T00:00:00Z", 951868800000},
	{"2024-02-29T12:34:56Z", 1709210096000},
	{"2024-12-31T23:59:59Z", 1735689599000},
	{"2026-11-20T09:00:00z", NOW_MS},
	{"2026-11-20t09:00:00Z", NOW_MS},
	{"2026-11-20T09:00:00-00:00", NOW_MS},
	{"2026-11-20T17:00:00+08:00", NOW_MS},
	{"2026-11-21T08:59:00+23:59", NOW_MS},
	{"2026-11-19T09:01:00-23:59", NOW_MS},
	{"2026-11-20T09:00:00.1Z", NOW_MS + 100},
	{"2026-11-20T09:00:00.0019999Z", NOW_MS + 1},
	{"2026-11-20T09:00:00.123456789012345678901234567890Z", NOW_MS + 123},
	{"2016-12-31T23:59:60.5Z", 1483228800500},
};

static void good_times(void **state)
{
	struct report *report;
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		snprintf(text, sizeof(text), SEEN("%s"), times[i].time);
		report = parse_one(text);
		if (report->last_seen_ms != times[i].unix_ms)
			fail_msg("%s: %lld", times[i].time, (long long)report->last_seen_ms);
		free(report);
	}
}

/* clang-format off */
static const char *const bad_times[] = {
	"2026-11-20", "09:00:00Z", "2026-11-20T09:00Z", "2026-11-20T09:00:00",
	"2026-11-20 09:00:00Z", "2026-11-20T09:00:00+0800", "2026-11-20T09:00:00+08",
	"2026-11-20T09:00:00+24:00", "2026-11-20T09:00:00+08:60", "2026-11-20T09:00:00 Z",
	"2026-11-20T09:00:00Z ", " 2026-11-20T09:00:00Z", "2026-11-20T09:00:00ZZ",
	"2026-11-20T09:00:00.Z", "2026-11-20T09:00:00,5Z", "2026-11-20T24:00:00Z",
	"2026-11-20T09:60:00Z", "2026-11-20T09:00:61Z", "2026-11-20T09:00:60Z",
	"2026-11-20T23:59:60+01:00", "2026-00-20T09:00:00Z", "2026-13-20T09:00:00Z",
	"2026-11-00T09:00:00Z", "2026-11-31T09:00:00Z", "2026-02-29T09:00:00Z",
	"1900-02-29T09:00:00Z", "2024-02-30T09:00:00Z", "26-11-20T09:00:00Z",
	"+2026-11-20T09:00:00Z", "-2026-11-20T09:00:00Z", "12026-11-20T09:00:00Z",
	"2026-11-20T9:00:00Z", "2026-1-20T09:00:00Z", "20261120T090000Z", "2026-W47-5T09:00:00Z",
	"2026-324T09:00:00Z", "2026-11-20T09:00:-1Z", "2026-11-20T0x:00:00Z", "1795165200",
	"now", "",
};
/* clang-format on */

static void refused_times(void **state)
{
	struct report *reports;
	struct text_error error;
	char text[128], what[256];
	size_t count;

	(void)state;
	for (size_t i = 0; i < COUNT(bad_times); i++) {
		snprintf(text, sizeof(text), SEEN("%s"), bad_times[i]);
		snprintf(what, sizeof(what),
			 "report 1 (edge-7): last_seen is \"%s\", expected a time that exists, "
			 "written like \"2026-11-20T09:00:00Z\"",
			 bad_times[i]);
		if (parse(text, &reports, &count, &error) != -EINVAL)
			fail_msg("\"%s\" accepted", bad_times[i]);
		assert_string_equal(error.what, what);
	}
}

#define A_NODE "a string of 1 to 63 bytes without control characters"

/* Refused for what a field says. */
static const struct {
	const char *text;
	const char *what;
} bad[] = {
	{"{}", "report 1: node_id is missing, expected " A_NODE},
	{"{\"node_id\": null}", "report 1: node_id is null, expected " A_NODE},
	{"{\"node_id\": 7}", "report 1: node_id is 7, expected " A_NODE},
	{"{\"node_id\": true}", "report 1: node_id is true, expected " A_NODE},
	{"{\"node_id\": [\"a\"]}", "report 1: node_id is an array, expected " A_NODE},
	{"{\"node_id\": {}}", "report 1: node_id is an object, expected " A_NODE},
	{"{\"node_id\": \"\"}", "report 1: node_id is \"\", expected " A_NODE},
	{"{\"node_id\": \"" BYTES_63 "n\"}",
	 "report 1: node_id is a string of 64 bytes, expected " A_NODE},
	{"{\"node_id\": \"a\\nb\"}", "report 1: node_id is \"a\\nb\", expected " A_NODE},
	{"{\"node_id\": \"a\\u001b[2J\"}",
	 "report 1: node_id is \"a\\u001B[2J\", expected " A_NODE},
	{"{\"node_id\": \"a\\u0000\"}", "report 1: node_id is \"a\\u0000\", expected " A_NODE},
	{"{\"node_id\": \"\\u0000a\"}", "report 1: node_id is \"\\u0000a\", expected " A_NODE},
	{"{\"node_id\": \"a\\u007f\"}", "report 1: node_id is \"a?\", expected " A_NODE},
	{"{\"node_id\": \"\xc2\x9b\"}", "report 1: node_id is \"\\u009B\", expected " A_NODE},
	{NODE("\"region\": 1"), "report 1 (edge-7): region is 1, expected a string of 1 to 31 "
				"bytes without control characters"},
	{NODE("\"region\": \"" BYTES_31 "r\""),
	 "report 1 (edge-7): region is \"" BYTES_31
	 "r\", expected a string of 1 to 31 bytes without control characters"},
	{NODE("\"region\": \"a\\tb\""), "report 1 (edge-7): region is \"a\\tb\", expected a string "
					"of 1 to 31 bytes without control characters"},
	{NODE("\"cpu_percent\": 300"), "report 1 (edge-7): cpu_percent is 300, expected 0 to 100"},
	{NODE("\"cpu_percent\": 100.001"),
	 "report 1 (edge-7): cpu_percent is 100.001, expected 0 to 100"},
	{NODE("\"cpu_percent\": -1"), "report 1 (edge-7): cpu_percent is -1, expected 0 to 100"},
	{NODE("\"cpu_percent\": \"42\""),
	 "report 1 (edge-7): cpu_percent is \"42\", expected a number from 0 to 100"},
	{NODE("\"cpu_percent\": \"NaN\""),
	 "report 1 (edge-7): cpu_percent is \"NaN\", expected a number from 0 to 100"},
	{NODE("\"cpu_percent\": false"),
	 "report 1 (edge-7): cpu_percent is false, expected a number from 0 to 100"},
	{NODE("\"cpu_percent\": [42]"),
	 "report 1 (edge-7): cpu_percent is an array, expected a number from 0 to 100"},
	{NODE("\"cpu_percent\": {\"user\": 1}"),
	 "report 1 (edge-7): cpu_percent is an object, expected a number from 0 to 100"},
	{NODE("\"mem_percent\": 101"), "report 1 (edge-7): mem_percent is 101, expected 0 to 100"},
	{NODE("\"mem_percent\": -0.5"),
	 "report 1 (edge-7): mem_percent is -0.5, expected 0 to 100"},
	{NODE("\"latency_ms\": -0.001"),
	 "report 1 (edge-7): latency_ms is -0.001, expected 0 to 3600000"},
	{NODE("\"latency_ms\": 3600000.5"),
	 "report 1 (edge-7): latency_ms is 3600000.5, expected 0 to 3600000"},
	{NODE("\"rps\": -5"), "report 1 (edge-7): rps is -5, expected 0 to 1000000000"},
	{NODE("\"rps\": 1e300"), "report 1 (edge-7): rps is 1e300, expected 0 to 1000000000"},
	{NODE("\"rps\": 18446744073709551616"),
	 "report 1 (edge-7): rps is 1.84467440737096e19, expected 0 to 1000000000"},
	{NODE("\"inflight\": -1"), "report 1 (edge-7): inflight is -1, expected 0 to 1000000000"},
	{NODE("\"workers\": -1"), "report 1 (edge-7): workers is -1, expected 0 to 1000000000"},
	{NODE("\"workers\": 1000000001"),
	 "report 1 (edge-7): workers is 1000000001, expected 0 to 1000000000"},
	{NODE("\"retransmit_percent\": 100.5"),
	 "report 1 (edge-7): retransmit_percent is 100.5, expected 0 to 100"},
	{NODE("\"load\": -1"), "report 1 (edge-7): load is -1, expected 0 to 1000000000"},
	{NODE("\"rtt_ms\": -1"), "report 1 (edge-7): rtt_ms is -1, expected 0 to 3600000"},
	{NODE("\"rtt_deviation_ms\": 3600001"),
	 "report 1 (edge-7): rtt_deviation_ms is 3600001, expected 0 to 3600000"},
	{NODE("\"p50_ms\": -1"), "report 1 (edge-7): p50_ms is -1, expected 0 to 3600000"},
	{NODE("\"p99_ms\": null, \"p95_ms\": 1, \"eps\": -2"),
	 "report 1 (edge-7): eps is -2, expected 0 to 1000000000"},
	{NODE("\"p99_ms\": 3600001"), "report 1 (edge-7): p99_ms is 3600001, expected 0 to 3600000"},
	{NODE("\"application_utilization\": 1001"),
	 "report 1 (edge-7): application_utilization is 1001, expected 0 to 1000"},
	{NODE("\"application_utilization\": \"0.5\""),
	 "report 1 (edge-7): application_utilization is \"0.5\", expected a number from 0 to 1000"},
	{NODE("\"application_weight_percent\": 1000.5"),
	 "report 1 (edge-7): application_weight_percent is 1000.5, expected 0 to 1000"},
	{NODE("\"rps_fractional\": -0.5"),
	 "report 1 (edge-7): rps_fractional is -0.5, expected 0 to 1000000000"},
	{NODE("\"p95_ms\": -1"), "report 1 (edge-7): p95_ms is -1, expected 0 to 3600000"},
	{NODE("\"p95_ms\": \"a string that would make the message much too long\""),
	 "report 1 (edge-7): p95_ms is \"a string that would make the message much too long\", "
	 "expected a number from 0 to 3600000"},
	{NODE("\"p95_ms\": \"" TEN("54 by") "tes.\""),
	 "report 1 (edge-7): p95_ms is a string of 54 bytes, expected a number from 0 to 3600000"},
	{NODE("\"p95_ms\": \"" TEN(TEN("long ")) "\""),
	 "report 1 (edge-7): p95_ms is a string of 500 bytes, expected a number from 0 to 3600000"},
	{NODE("\"last_seen\": 1795165200"),
	 "report 1 (edge-7): last_seen is 1795165200, expected a time that exists, written like "
	 "\"2026-11-20T09:00:00Z\""},
	{SEEN("2026-11-20T09:00:00Z\\u0000"),
	 "report 1 (edge-7): last_seen is \"2026-11-20T09:00:00Z\\u0000\", expected a time that "
	 "exists, "
	 "written like \"2026-11-20T09:00:00Z\""},
	{SEEN("2026-11-20T09:00:05.001Z"),
	 "report 1 (edge-7): last_seen is \"2026-11-20T09:00:05.001Z\", expected at most 5000 ms "
	 "after "
	 "now (it is 5001 ms after)"},
	{SEEN("9999-12-31T23:59:59Z"), "report 1 (edge-7): last_seen is \"9999-12-31T23:59:59Z\", "
				       "expected at most 5000 ms after now "
				       "(it is 251607135599000 ms after)"},
	{"[1]", "report 1: it is 1, expected an object"},
	{"[null]", "report 1: it is null, expected an object"},
	{"[[]]", "report 1: it is an array, expected an object"},
	{"[{\"node_id\": \"a\"}, \"b\"]", "report 2: it is \"b\", expected an object"},
	{"[{\"node_id\": \"a\"}, {\"node_id\": \"b\"}, {\"node_id\": \"edge-7\", \"cpu_percent\": "
	 "300}]",
	 "report 3 (edge-7): cpu_percent is 300, expected 0 to 100"},
	{"[{\"node_id\": \"a\"}, {\"node_id\": \"b\"}, {\"node_id\": \"a\"}]",
	 "report 3 (a): node_id is that of report 1, expected one report a node"},
	{"{\"node_id\": \"" BYTES_63
	 "\", \"retransmit_percent\": \"-------- 52 bytes of text, as much "
	 "as is shown -----\"}",
	 "report 1 (" BYTES_63
	 "): retransmit_percent is \"-------- 52 bytes of text, as much as is "
	 "shown -----\", expected a number from 0 to 100"},
};

static void refused_reports(void **state)
{
	struct report *reports = (struct report *)1;
	struct text_error error;
	size_t count = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (parse(bad[i].text, &reports, &count, &error) != -EINVAL)
			fail_msg("%s accepted", bad[i].text);
		assert_string_equal(error.what, bad[i].what);
		assert_int_equal(error.line, 0);
		assert_null(reports);
		assert_int_equal(count, 0);
	}
}

/* Refused as JSON: the line, and a piece of what is said. */
static const struct {
	const char *text;
	int line;
	const char *what;
} bad_json[] = {
	{"", 1, "end of file"},
	{"\n\n", 3, "end of file"},
	{"null", 1, "expected near 'null'"},
	{"42", 1, "expected near '42'"},
	{"\"edge-7\"", 1, "expected near '\"edge-7\"'"},
	{"{", 1, "end of file"},
	{"[{\"node_id\": \"a\"}", 1, "end of file"},
	{"{\"node_id\": \"a\n\"}", 1, "unexpected newline"},
	{"{\n\"node_id\": \"a\",\n\"cpu_percent\": ,\n}", 3, "unexpected token near ','"},
	{"{\"node_id\": \"a\",}", 1, "near '}'"},
	{"{'node_id': 'a'}", 1, "near '''"},
	{"{\"node_id\": \"a\"} {}", 1, "end of file expected near '{'"},
	{"{\"node_id\": \"a\"}\n]", 2, "end of file expected near ']'"},
	{"{\"node_id\": \"a\", \"node_id\": \"b\"}", 1, "duplicate object key near '\"node_id\"'"},
	{NODE("\n\"cpu_percent\": 1e999"), 2, "real number overflow near '1e999'"},
	{NODE("\"cpu_percent\": -1e999"), 1, "real number overflow near '-1e999'"},
	{NODE("\"cpu_percent\": NaN"), 1, "near 'NaN'"},
	{NODE("\"cpu_percent\": Infinity"), 1, "near 'Infinity'"},
	{NODE("\"cpu_percent\": +1"), 1, "near '+'"},
	{NODE("\"cpu_percent\": 0x10"), 1, "near 'x'"},
	{NODE("\"cpu_percent\": 042"), 1, "near '0'"},
	{NODE("\"cpu_percent\": 42,5"), 1, "near '5'"},
	{NODE("\"cpu_percent\": .5"), 1, "near '.'"},
	{NODE("\"note\": \"\xff\""), 1, "unable to decode byte 0xff"},
	{NODE("\"note\": \"\\ud800\""), 1, "invalid Unicode"},
	{NODE("\"note\": \"\x1b\""), 1, "control character 0x1b"},
	{NODE("\"a\\u0000\": 1"), 1, "NUL"},
	{NODE("\xc2\x9b"), 1, "near '?"},
	{"\xef\xbb\xbf{}", 1, "expected near"},
};

static void refused_json(void **state)
{
	struct report *reports;
	struct text_error error;
	size_t count;

	(void)state;
	for (size_t i = 0; i < COUNT(bad_json); i++) {
		if (parse(bad_json[i].text, &reports, &count, &error) != -EINVAL)
			fail_msg("case %zu, %s: accepted", i, bad_json[i].text);
		if (error.line != bad_json[i].line || strncmp(error.what, "bad JSON: ", 10) ||
		    !strstr(error.what, bad_json[i].what))
			fail_msg("case %zu, %s: line %d: %s", i, bad_json[i].text, error.line,
				 error.what);
		assert_null(reports);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field),   cmocka_unit_test(good_reports),
		cmocka_unit_test(arrays),        cmocka_unit_test(good_times),
		cmocka_unit_test(refused_times), cmocka_unit_test(refused_reports),
		cmocka_unit_test(refused_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
