/* SPDX-License-Identifier: GPL-2.0-only */
/* report_parse() against texts that nobody means well with, and against a machine without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/report.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NOW_MS  1795165200000LL /* 2026-11-20T09:00:00Z */
#define SKEW_MS 5000

static void nul_byte_and_length(void **state)
{
	static const char text[] = "{\"node_id\": \"a\"}\0{";
	struct report *reports;
	struct text_error error;
	size_t count;

	(void)state;
	assert_int_equal(report_parse(text, 16, NOW_MS, SKEW_MS, &reports, &count, &error), 0);
	free(reports);
	assert_int_equal(report_parse(text, 15, NOW_MS, SKEW_MS, &reports, &count, &error),
			 -EINVAL);
	assert_int_equal(report_parse(text, 17, NOW_MS, SKEW_MS, &reports, &count, &error),
			 -EINVAL);
}

static void deep_nesting(void **state)
{
	static const char start[] = "{\"node_id\": \"a\", \"x\": ";
	size_t depth = 100000;
	char *text = malloc(sizeof(start) + depth);
	struct report *reports;
	struct text_error error;
	size_t count;

	(void)state;
	assert_non_null(text);
	memcpy(text, start, sizeof(start));
	memset(text + sizeof(start) - 1, '[', depth);
	assert_int_equal(report_parse(text, sizeof(start) - 1 + depth, NOW_MS, SKEW_MS, &reports,
				      &count, &error),
			 -EINVAL);
	assert_non_null(strstr(error.what, "depth"));
	free(text);
}

/* jansson's allocator has no argument. */
static int allocations_left;

static void *failing_malloc(size_t bytes)
{
	return allocations_left-- > 0 ? malloc(bytes) : NULL;
}

/* Whichever allocation fails: no crash, no leak, never an accepted half. */
static void memory_runs_out(void **state)
{
	static const char text[] =
		"[{\"node_id\": \"a\", \"cpu_percent\": 1.5, \"x\": [\"y\", {}]},"
		" {\"node_id\": \"b\", \"last_seen\": \"2026-11-20T09:00:00Z\"}]";
	struct report *reports;
	struct text_error error;
	size_t count;
	int err = -ENOMEM, allocations, failed_for_memory = 0;

	(void)state;
	for (allocations = 0; err && allocations < 1000; allocations++) {
		allocations_left = allocations;
		json_set_alloc_funcs(failing_malloc, free);
		err = report_parse(text, sizeof(text) - 1, NOW_MS, SKEW_MS, &reports, &count,
				   &error);
		json_set_alloc_funcs(malloc, free);
		if (err) {
			assert_null(reports);
			assert_true(error.what[0]);
			failed_for_memory += err == -ENOMEM;
		}
	}
	assert_int_equal(err, 0);
	assert_int_equal(count, 2);
	/* The parser calls some of its failures by other names. */
	assert_true(failed_for_memory > 20);
	free(reports);
}

static uint32_t next_random(uint64_t *seed)
{
	/* Knuth's MMIX constants. */
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

/* clang-format off */
static const char *const pieces[] = {
	"1e999", "-1", "300", "NaN", "null", "true", "\"", "\\", "\\u0000", "\\u009b", "\\ud800",
	"{", "}", "[", "]", ",", ":", "-", "9", "0", ".", "e9", "\n", "\xff", "\xc2\x9b",
	"2026-02-30T09:00:00Z", "9999-12-31T23:59:59Z", "\"cpu_percent\": 101,",
	"\"rps\": -0.0,", "\"node_id\": \"\",", "123456789012345678901234567890", "+08:00",
	":60",
};
/* clang-format on */

/* Put a piece at @at in place of the @cut bytes there; what goes beyond @room is lost. */
static size_t splice(char *text, size_t bytes, size_t room, size_t at, size_t cut,
		     const char *piece)
{
	size_t length = strlen(piece);

	if (at + cut > bytes)
		cut = bytes - at;
	if (bytes - cut + length > room)
		return bytes;
	memmove(text + at + length, text + at + cut, bytes - at - cut);
	memcpy(text + at, piece, length);
	return bytes - cut + length;
}

static size_t mutate(char *text, size_t bytes, size_t room, uint64_t *seed)
{
	size_t at = next_random(seed) % (bytes + 1);

	switch (next_random(seed) % 4) {
	case 0:
		if (at < bytes)
			text[at] ^= 1 << next_random(seed) % 8;
		return bytes;
	case 1:
		return splice(text, bytes, room, at, 1 + next_random(seed) % 8, "");
	case 2:
		return splice(text, bytes, room, at, next_random(seed) % 4,
			      pieces[next_random(seed) % COUNT(pieces)]);
	default:
		if (at < bytes)
			text[at] = '0' + next_random(seed) % 10;
		return bytes;
	}
}

static bool in_bounds(double value, double max)
{
	return isfinite(value) && value >= 0 && value <= max;
}

static bool is_clean_line(const char *text, size_t room)
{
	for (size_t i = 0; i < room; i++) {
		if (!text[i])
			return i > 0;
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	}
	return false;
}

static bool is_possible(const struct report *report)
{
	return is_clean_line(report->node, sizeof(report->node)) &&
	       is_clean_line(report->region, sizeof(report->region)) ==
		       !!(report->fields & REPORT_REGION) &&
	       in_bounds(report->cpu_percent, 100) && in_bounds(report->mem_percent, 100) &&
	       in_bounds(report->retransmit_percent, 100) && in_bounds(report->latency_ms, 3.6e6) &&
	       in_bounds(report->p95_ms, 3.6e6) && in_bounds(report->rps, 1e9) &&
	       in_bounds(report->inflight, 1e9) && in_bounds(report->workers, 1e9) &&
	       in_bounds(report->load, 1e9) && in_bounds(report->rtt_ms, 3.6e6) &&
	       in_bounds(report->rtt_deviation_ms, 3.6e6) && in_bounds(report->p50_ms, 3.6e6) &&
	       in_bounds(report->p99_ms, 3.6e6) &&
	       in_bounds(report->application_utilization, 1000) &&
	       in_bounds(report->application_weight_percent, 1000) &&
	       in_bounds(report->rps_fractional, 1e9) && in_bounds(report->eps, 1e9) &&
	       report->last_seen_ms <= NOW_MS + SKEW_MS &&
	       report->last_seen_ms >= -62167305600000 && !(report->fields & ~0x7ffffu);
}

static void mutated_reports(void **state)
{
	static const char start[] =
		"[{\"node_id\": \"edge-1\", \"region\": \"cn-shanghai-1\", \"cpu_percent\": 42.5,"
		"\"mem_percent\": 61, \"latency_ms\": 12.0, \"rps\": 1500, \"inflight\": 12,"
		"\"workers\": 8, \"retransmit_percent\": 0.25, \"p95_ms\": 31.5,"
		"\"load\": 0.5, \"rtt_ms\": 2.5, \"rtt_deviation_ms\": 1, \"p50_ms\": 9, \"p99_ms\": 70,"
		"\"application_utilization\": 0.7, \"application_weight_percent\": 80,"
		"\"rps_fractional\": 99.5, \"eps\": 0.5,"
		"\"last_seen\": \"2026-11-20T09:00:00Z\"},\n"
		"{\"node_id\": \"edge-2\", \"last_seen\": \"2026-11-20T08:59:59.123+00:00\"}]";
	unsigned int accepted = 0, refused = 0;
	struct report *reports;
	struct text_error error;
	uint64_t seed = 20261120;
	size_t bytes, count;
	char text[1024];
	int err;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		bytes = sizeof(start) - 1;
		memcpy(text, start, bytes);
		for (int changes = 1 + next_random(&seed) % 3; changes; changes--)
			bytes = mutate(text, bytes, sizeof(text), &seed);

		err = report_parse(text, bytes, NOW_MS, SKEW_MS, &reports, &count, &error);
		if (err == -EINVAL && !reports && !count &&
		    is_clean_line(error.what, sizeof(error.what))) {
			refused++;
			continue;
		}
		if (err)
			fail_msg("round %d: %d, %s", round, err, error.what);
		for (size_t i = 0; i < count; i++) {
			if (!is_possible(&reports[i]))
				fail_msg("round %d: accepted %.*s", round, (int)bytes, text);
		}
		free(reports);
		accepted++;
	}
	/* Both ways out must have been walked. */
	assert_in_range(accepted, 5000, 45000);
	assert_in_range(refused, 5000, 45000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nul_byte_and_length),
		cmocka_unit_test(deep_nesting),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(mutated_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
