/* SPDX-License-Identifier: GPL-2.0-only */
/* The latest reports: order, duplicates, age, and clocks that are put. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "user/core/latest.h"

#define UNIX_MS 1795165200000LL

static struct report report_of(const char *node, int64_t last_seen_ms)
{
	struct report report = {.fields = REPORT_LAST_SEEN, .last_seen_ms = last_seen_ms};

	snprintf(report.node, sizeof(report.node), "%s", node);
	return report;
}

/* A report made at @seen_ms that comes at @now_ms; both clocks agree. */
static enum latest_verdict put(struct latest *latest, const char *node, int64_t seen_ms,
			       int64_t now_ms)
{
	struct report report = report_of(node, UNIX_MS + seen_ms);
	size_t index;

	return latest_put(latest, latest_config_default(), &report, now_ms, UNIX_MS + now_ms,
			  &index);
}

static struct latest latest_of(size_t nodes)
{
	struct latest latest;
	char name[32];

	assert_int_equal(latest_init(&latest, nodes), 0);
	for (size_t i = 0; i < nodes; i++) {
		snprintf(name, sizeof(name), "n%zu", i);
		assert_int_equal(latest_add(&latest, NULL, name), i);
	}
	return latest;
}

static void nodes_are_found(void **state)
{
	struct latest latest = latest_of(5000);
	struct report report;
	char name[32];
	size_t index;

	(void)state;
	assert_int_equal(latest_add(&latest, NULL, "n77"), 77);
	assert_int_equal(latest.count, 5000);
	for (size_t i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "n%zu", i);
		report = report_of(name, UNIX_MS);
		assert_int_equal(
			latest_put(&latest, latest_config_default(), &report, 0, UNIX_MS, &index),
			LATEST_TAKEN);
		assert_int_equal(index, i);
		assert_string_equal(latest_report(&latest, i)->node, name);
	}
	assert_int_equal(put(&latest, "n5000", 0, 0), LATEST_STRANGER);
	assert_int_equal(put(&latest, "", 0, 0), LATEST_STRANGER);
	latest_free(&latest);
}

static void order_and_duplicates(void **state)
{
	struct latest latest = latest_of(1);
	struct report other = report_of("n0", UNIX_MS + 4000);
	size_t index;

	(void)state;
	assert_null(latest_report(&latest, 0));
	assert_int_equal(put(&latest, "n0", 2000, 2000), LATEST_TAKEN);
	assert_int_equal(put(&latest, "n0", 2000, 2001), LATEST_DUPLICATE);
	assert_int_equal(put(&latest, "n0", 1999, 2002), LATEST_LATE);
	assert_int_equal(put(&latest, "n0", 4000, 4000), LATEST_TAKEN);
	assert_int_equal(put(&latest, "n0", 2000, 4001), LATEST_LATE);
	assert_int_equal(latest_report(&latest, 0)->last_seen_ms, UNIX_MS + 4000);

	/* Of the same second, with something else to say. */
	other.fields |= REPORT_CPU;
	other.cpu_percent = 7;
	assert_int_equal(
		latest_put(&latest, latest_config_default(), &other, 4100, UNIX_MS + 4100, &index),
		LATEST_TAKEN);
	/* Without a time nothing can be said of its order. */
	other.fields &= ~REPORT_LAST_SEEN;
	for (int i = 0; i < 2; i++)
		assert_int_equal(latest_put(&latest, latest_config_default(), &other, 4200,
					    UNIX_MS + 4200, &index),
				 LATEST_TAKEN);
	latest_free(&latest);
}

/* A duplicate, or a late one, makes nobody young. */
static void age_of_what_is_kept(void **state)
{
	struct latest latest = latest_of(2);

	(void)state;
	assert_int_equal(put(&latest, "n0", 0, 0), LATEST_TAKEN);
	for (int64_t now_ms = 2000; now_ms <= 20000; now_ms += 2000) {
		assert_int_equal(put(&latest, "n1", now_ms, now_ms), LATEST_TAKEN);
		assert_int_equal(put(&latest, "n0", 0, now_ms), LATEST_DUPLICATE);
		assert_int_equal(latest_age_ms(&latest, 0), now_ms);
		assert_int_equal(latest_age_ms(&latest, 1), 0);
	}
	assert_int_equal(put(&latest, "n0", 20500, 21000), LATEST_TAKEN);
	assert_int_equal(latest_age_ms(&latest, 0), 0);
	assert_int_equal(latest_age_ms(&latest, 1), 1000);
	latest_free(&latest);
}

/* Only the first report of a node is judged by the clock on the wall. */
static void first_report(void **state)
{
	struct latest latest = latest_of(2);

	(void)state;
	assert_int_equal(put(&latest, "n0", 100000, 160000), LATEST_TAKEN);
	assert_int_equal(latest_age_ms(&latest, 0), 60000);
	assert_int_equal(put(&latest, "n1", 162000, 161000), LATEST_TAKEN);
	assert_int_equal(latest_age_ms(&latest, 0), 61000);
	assert_int_equal(latest_age_ms(&latest, 1), 0);
	/* Its clock is a minute behind, but runs. */
	assert_int_equal(put(&latest, "n0", 102000, 162000), LATEST_TAKEN);
	assert_int_equal(latest_age_ms(&latest, 0), 0);
	latest_free(&latest);
}

static void silence_of_all(void **state)
{
	struct latest latest = latest_of(3);

	(void)state;
	assert_int_equal(latest_silence_ms(&latest, 1000000), 0);
	for (int i = 0; i < 3; i++)
		put(&latest, (const char *[]){"n0", "n1", "n2"}[i], i, i);
	/* An hour later the first one is back: the others are not an hour old. */
	assert_int_equal(latest_silence_ms(&latest, 3600000), 3599998);
	assert_int_equal(latest_age_ms(&latest, 0), 2);
	assert_int_equal(put(&latest, "n0", 3600000, 3600000), LATEST_TAKEN);
	assert_int_equal(latest_age_ms(&latest, 0), 0);
	assert_int_equal(latest_age_ms(&latest, 1), 5001);
	assert_int_equal(latest_age_ms(&latest, 2), 5000);
	assert_int_equal(latest_silence_ms(&latest, 3600000), 0);
	latest_free(&latest);
}

/* A node whose clock is put back by an hour is heard again, after three reports. */
static void clock_of_a_node_put_back(void **state)
{
	struct latest latest = latest_of(1);
	const int64_t hour = 3600000;

	(void)state;
	assert_int_equal(put(&latest, "n0", hour, hour), LATEST_TAKEN);
	assert_int_equal(put(&latest, "n0", 2000, hour + 2000), LATEST_LATE);
	assert_int_equal(put(&latest, "n0", 4000, hour + 4000), LATEST_LATE);
	assert_int_equal(put(&latest, "n0", 6000, hour + 6000), LATEST_TAKEN);
	assert_int_equal(put(&latest, "n0", 8000, hour + 8000), LATEST_TAKEN);
	assert_int_equal(latest_age_ms(&latest, 0), 0);
	/* One straggler is not a clock, however late. */
	assert_int_equal(put(&latest, "n0", 7000, hour + 80000), LATEST_LATE);
	assert_int_equal(put(&latest, "n0", 6500, hour + 81000), LATEST_LATE);
	latest_free(&latest);
}

static void extreme_clocks(void **state)
{
	static const int64_t extremes[] = {INT64_MIN, -1, 0, INT64_MAX};
	struct latest latest = latest_of(1);
	size_t index;

	(void)state;
	for (int i = 0; i < 64; i++) {
		struct report report = report_of("n0", extremes[i & 3]);

		latest_put(&latest, latest_config_default(), &report, extremes[i >> 2 & 3],
			   extremes[i >> 4], &index);
		assert_true(latest_age_ms(&latest, 0) >= 0);
		assert_true(latest_silence_ms(&latest, extremes[i & 3]) >= 0);
	}
	latest_free(&latest);
}

static void a_new_table_inherits(void **state)
{
	struct latest old = latest_of(3), latest;

	(void)state;
	put(&old, "n2", 1000, 1000);
	put(&old, "n1", 4000, 4000);
	assert_int_equal(latest_init(&latest, 2), 0);
	latest_inherit(&latest, &old);
	assert_int_equal(latest_add(&latest, &old, "n2"), 0);
	assert_int_equal(latest_add(&latest, &old, "new"), 1);
	assert_int_equal(latest_report(&latest, 0)->last_seen_ms, UNIX_MS + 1000);
	assert_int_equal(latest_age_ms(&latest, 0), 3000);
	assert_null(latest_report(&latest, 1));
	assert_int_equal(latest_age_ms(&latest, 1), 0);
	assert_int_equal(latest_silence_ms(&latest, 5000), 1000);
	assert_int_equal(put(&latest, "n1", 6000, 6000), LATEST_STRANGER);
	latest_free(&old);
	latest_free(&latest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_are_found),     cmocka_unit_test(order_and_duplicates),
		cmocka_unit_test(age_of_what_is_kept), cmocka_unit_test(first_report),
		cmocka_unit_test(silence_of_all),      cmocka_unit_test(clock_of_a_node_put_back),
		cmocka_unit_test(extreme_clocks),      cmocka_unit_test(a_new_table_inherits),
	};

	return cmocka_run_group_tests_name("latest", tests, NULL, NULL);
}
