/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "user/core/congestion.h"

#define ALL (REPORT_RETRANSMIT | REPORT_RTT | REPORT_RTT_DEVIATION)

static const struct report lossy = {
	.fields = ALL, .retransmit_percent = 5, .rtt_ms = 10, .rtt_deviation_ms = 8};
static const struct report clean = {
	.fields = ALL, .retransmit_percent = 4.9, .rtt_ms = 10, .rtt_deviation_ms = 20};

static void feed(struct congestion *congestion, const struct report *report, int64_t now_ms,
		 double factor)
{
	if (report)
		congestion_observe(congestion, congestion_config_default(), report, now_ms);
	congestion_pass_time(congestion, congestion_config_default(), now_ms);
	if (congestion_factor(congestion) != factor)
		fail_msg("at %lld: %f, expected %f", (long long)now_ms,
			 congestion_factor(congestion), factor);
}

static void halves_after_three_seconds_in_a_row(void **state)
{
	struct congestion congestion = {};

	(void)state;
	feed(&congestion, NULL, 0, 1);
	feed(&congestion, &lossy, 1000, 1);
	feed(&congestion, &lossy, 3000, 1);
	feed(&congestion, &clean, 3900, 1); /* a break */
	feed(&congestion, &lossy, 5000, 1);
	feed(&congestion, &lossy, 7000, 1);
	feed(&congestion, NULL, 7999, 1);
	feed(&congestion, NULL, 8000, 0.5);
	for (int64_t now_ms = 9000; now_ms < 18000; now_ms += 2000)
		feed(&congestion, &lossy, now_ms, 0.5);
	feed(&congestion, &lossy, 18000, 0.25);
	for (int64_t now_ms = 20000; now_ms <= 60000; now_ms += 2000)
		feed(&congestion, &lossy, now_ms, now_ms < 28000 ? 0.25 : 0.125);
}

static void doubles_with_each_clean_while(void **state)
{
	struct congestion congestion = {.halvings = 3};

	(void)state;
	for (int64_t now_ms = 0; now_ms <= 40000; now_ms += 2000)
		feed(&congestion, &clean, now_ms,
		     now_ms < 10000   ? 0.125
		     : now_ms < 20000 ? 0.25
		     : now_ms < 30000 ? 0.5
				      : 1);
	/* Congestion in between starts the wait again. */
	congestion = (struct congestion){.halvings = 1};
	feed(&congestion, &clean, 0, 0.5);
	feed(&congestion, &clean, 5000, 0.5);
	feed(&congestion, &lossy, 9000, 0.5);
	feed(&congestion, &clean, 10000, 0.5);
	feed(&congestion, &clean, 15000, 0.5);
	feed(&congestion, &clean, 19999, 0.5);
	feed(&congestion, NULL, 20000, 1);
}

/* Both have to be reached; what is not a number is no sample. */
static void what_counts(void **state)
{
	static const struct {
		struct report report;
		double factor; /* after 4 s of it */
	} cases[] = {
		{{.fields = ALL, .retransmit_percent = 5, .rtt_ms = 10, .rtt_deviation_ms = 8},
		 0.5},
		{{.fields = ALL, .retransmit_percent = 4.99, .rtt_ms = 10, .rtt_deviation_ms = 8},
		 1},
		{{.fields = ALL, .retransmit_percent = 5, .rtt_ms = 10, .rtt_deviation_ms = 7.99},
		 1},
		{{.fields = ALL, .retransmit_percent = 100, .rtt_ms = 0, .rtt_deviation_ms = 8}, 1},
		{{.fields = REPORT_RETRANSMIT, .retransmit_percent = 90}, 1},
		{{.fields = ALL, .retransmit_percent = NAN, .rtt_ms = 10, .rtt_deviation_ms = 8},
		 1},
		{{.fields = ALL,
		  .retransmit_percent = INFINITY,
		  .rtt_ms = 1,
		  .rtt_deviation_ms = 8},
		 1},
		{{.fields = ALL, .retransmit_percent = 9, .rtt_ms = NAN, .rtt_deviation_ms = 8}, 1},
		{{.fields = ALL,
		  .retransmit_percent = 9,
		  .rtt_ms = 1,
		  .rtt_deviation_ms = INFINITY},
		 1},
		{{.fields = ALL, .retransmit_percent = 9, .rtt_ms = -1, .rtt_deviation_ms = -1}, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct congestion congestion = {};

		for (int64_t now_ms = 0; now_ms <= 4000; now_ms += 1000)
			congestion_observe(&congestion, congestion_config_default(),
					   &cases[i].report, now_ms);
		if (congestion_factor(&congestion) != cases[i].factor)
			fail_msg("case %zu: %f", i, congestion_factor(&congestion));
	}
}

/* One bad report and then none: neither worse nor better by itself. */
static void silence_proves_nothing(void **state)
{
	struct congestion congestion = {};

	(void)state;
	feed(&congestion, &lossy, 0, 1);
	feed(&congestion, NULL, 7000, 1);
	feed(&congestion, NULL, 100000, 1);
	feed(&congestion, &lossy, 100000, 1);
	feed(&congestion, &lossy, 102999, 1);
	feed(&congestion, &lossy, 103000, 0.5);
	feed(&congestion, &clean, 104000, 0.5);
	feed(&congestion, NULL, 200000, 0.5);
	feed(&congestion, &clean, 200000, 0.5);
}

static void clock_put_back(void **state)
{
	struct congestion congestion = {};

	(void)state;
	feed(&congestion, &lossy, 3600000, 1);
	feed(&congestion, &lossy, 3602000, 1);
	feed(&congestion, &lossy, 1000, 1);
	feed(&congestion, &lossy, 3000, 1);
	feed(&congestion, &lossy, 4000, 0.5);
	feed(&congestion, &clean, INT64_MIN, 0.5);
	feed(&congestion, &clean, INT64_MAX, 0.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(halves_after_three_seconds_in_a_row),
		cmocka_unit_test(doubles_with_each_clean_while),
		cmocka_unit_test(what_counts),
		cmocka_unit_test(silence_proves_nothing),
		cmocka_unit_test(clock_put_back),
	};

	return cmocka_run_group_tests_name("congestion", tests, NULL, NULL);
}
