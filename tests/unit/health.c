/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "user/core/health.h"

#define BOTH (1 << HEALTH_TCP | 1 << HEALTH_HTTP | 1 << HEALTH_PASSIVE)

/* One event a letter, at times of their own: see play(). */
struct event {
	int64_t at_ms;
	char what; /* T H: success of tcp, http; t h: failure; P p: flows well, ill; . : time */
	enum health_state then;
};

static const struct health_flows well = {.new_flows = 100, .syn_retransmits = 5, .resets = 5};
static const struct health_flows ill = {.new_flows = 100, .syn_retransmits = 50};

static void play(struct health *health, const struct health_config *config,
		 const struct event *events, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct event *event = &events[i];
		enum health_state before = health->state;
		bool changed;

		if (strchr("Tt", event->what))
			changed = health_result(health, config, HEALTH_TCP, event->what == 'T',
						event->at_ms);
		else if (strchr("Hh", event->what))
			changed = health_result(health, config, HEALTH_HTTP, event->what == 'H',
						event->at_ms);
		else if (strchr("Pp", event->what))
			changed = health_passive(health, config, event->what == 'P' ? &well : &ill,
						 event->at_ms);
		else
			changed = health_pass_time(health, config, event->at_ms);
		if (health->state != event->then || changed != (before != health->state))
			fail_msg("event %zu: state %d, expected %d; changed %d", i, health->state,
				 event->then, changed);
	}
}

#define PLAY(health, config, ...)                                 \
	play(health, config, (const struct event[]){__VA_ARGS__}, \
	     sizeof((const struct event[]){__VA_ARGS__}) / sizeof(struct event))

static struct health_config config_of(__u32 checks)
{
	struct health_config config = *health_config_default();

	config.checks = checks;
	return config;
}

static void falls_after_three_and_rises_after_two(void **state)
{
	struct health_config config = config_of(BOTH);
	struct health health = {};

	(void)state;
	/* clang-format off */
	PLAY(&health, &config,
	     {0, 't', HEALTH_UP}, {1, 't', HEALTH_UP}, {2, 'T', HEALTH_UP}, /* not in a row */
	     {3, 't', HEALTH_UP}, {4, 't', HEALTH_UP},
	     {5, 'h', HEALTH_UP}, /* another check's row */
	     {6, 't', HEALTH_DOWN},
	     {6, 'T', HEALTH_DOWN}, {6, 'H', HEALTH_DOWN}, {6, 'H', HEALTH_DOWN},
	     {7, 't', HEALTH_DOWN}, {7, 'h', HEALTH_DOWN}, /* all anew */
	     {7, 'T', HEALTH_DOWN}, {8, 'H', HEALTH_DOWN},
	     {9, 'T', HEALTH_DOWN}, /* http has one yet */
	     {10, 'H', HEALTH_HALF_OPEN},
	     {11, 'T', HEALTH_HALF_OPEN}, {12, 'H', HEALTH_HALF_OPEN},
	     {2009, '.', HEALTH_HALF_OPEN}, {2010, '.', HEALTH_UP},
	     {2011, 'h', HEALTH_UP}, {2012, 'h', HEALTH_UP}, {2013, 'h', HEALTH_DOWN});
	/* clang-format on */
	assert_string_equal(health_cause(&health), "http check");
}

static void a_failure_on_trial_is_enough(void **state)
{
	struct health_config config = config_of(BOTH);
	struct health health = {.state = HEALTH_HALF_OPEN};

	(void)state;
	/* clang-format off */
	PLAY(&health, &config,
	     {5000, '.', HEALTH_HALF_OPEN}, /* no success since it is on trial */
	     {5000, 'T', HEALTH_HALF_OPEN},
	     {5001, 'h', HEALTH_DOWN},
	     {5002, 'H', HEALTH_DOWN}, {5003, 'H', HEALTH_DOWN},
	     {5004, 'T', HEALTH_DOWN}, {5005, 'T', HEALTH_HALF_OPEN},
	     {5006, 'p', HEALTH_DOWN});
	/* clang-format on */
	assert_string_equal(health_cause(&health), "its flows");
}

/* Checks that are not configured (any more) neither take down nor hold up. */
static void only_configured_checks_count(void **state)
{
	struct health_config config = config_of(1 << HEALTH_TCP);
	struct health health = {};

	(void)state;
	/* clang-format off */
	PLAY(&health, &config,
	     {0, 'h', HEALTH_UP}, {0, 'h', HEALTH_UP}, {0, 'h', HEALTH_UP}, {0, 'h', HEALTH_UP},
	     {0, 'p', HEALTH_UP}, {0, 'p', HEALTH_UP}, {0, 'p', HEALTH_UP}, {0, 'p', HEALTH_UP},
	     {1, 't', HEALTH_UP}, {2, 't', HEALTH_UP}, {3, 't', HEALTH_DOWN},
	     {4, 'T', HEALTH_DOWN}, {5, 'T', HEALTH_HALF_OPEN},
	     {2006, 'T', HEALTH_UP});
	/* clang-format on */
}

/* What flows show, checks do not disprove: it is tried later and later. */
static void passive(void **state)
{
	struct health_config config = config_of(BOTH);
	struct health health = {};

	(void)state;
	/* clang-format off */
	PLAY(&health, &config,
	     {0, 'p', HEALTH_UP}, {1000, 'p', HEALTH_UP}, {2000, 'P', HEALTH_UP},
	     {3000, 'p', HEALTH_UP}, {4000, 'p', HEALTH_UP}, {5000, 'p', HEALTH_DOWN},
	     {6000, 'T', HEALTH_DOWN}, {6000, 'H', HEALTH_DOWN},
	     {7000, 'T', HEALTH_DOWN}, {7000, 'H', HEALTH_DOWN},
	     {8000, 'p', HEALTH_DOWN}, /* old flows */
	     {9999, '.', HEALTH_DOWN}, {10000, '.', HEALTH_HALF_OPEN},
	     {11000, 'p', HEALTH_DOWN},
	     {12000, 'T', HEALTH_DOWN}, {12000, 'H', HEALTH_DOWN},
	     {13000, 'T', HEALTH_DOWN}, {13000, 'H', HEALTH_DOWN},
	     {20999, '.', HEALTH_DOWN}, {21000, '.', HEALTH_HALF_OPEN},
	     {22000, 'T', HEALTH_HALF_OPEN}, {22000, 'P', HEALTH_HALF_OPEN},
	     {23000, 'H', HEALTH_UP},
	     {24000, 'p', HEALTH_UP}, {25000, 'p', HEALTH_UP}, {26000, 'p', HEALTH_DOWN});
	/* clang-format on */
	assert_int_equal(health.retry_ms, 20000);

	/* From the start after a minute in peace. */
	health = (struct health){.state = HEALTH_UP, .since_ms = 100000, .retry_ms = 60000};
	/* clang-format off */
	PLAY(&health, &config,
	     {160000, 'p', HEALTH_UP}, {161000, 'p', HEALTH_UP}, {162000, 'p', HEALTH_DOWN});
	/* clang-format on */
	assert_int_equal(health.retry_ms, 5000);
}

static void longest_retry(void **state)
{
	struct health_config config = config_of(1 << HEALTH_PASSIVE);
	struct health health = {};
	int64_t now_ms = 0;

	(void)state;
	for (int i = 0; i < 3; i++)
		health_passive(&health, &config, &ill, now_ms);
	for (int i = 0; i < 50; i++) {
		now_ms += health.retry_ms;
		assert_true(health_pass_time(&health, &config, now_ms));
		assert_int_equal(health.state, HEALTH_HALF_OPEN);
		assert_true(health_passive(&health, &config, &ill, now_ms));
	}
	assert_int_equal(health.retry_ms, 60000);
	/* Without active checks, time brings it back. */
	assert_true(health_pass_time(&health, &config, now_ms + 60000));
	assert_true(health_pass_time(&health, &config, now_ms + 62000));
	assert_int_equal(health.state, HEALTH_UP);
}

static void rates_of_flows(void **state)
{
	static const struct {
		struct health_flows flows;
		bool trial;
		bool failure;
	} cases[] = {
		{{0, 0, 0, 0}, false, false},
		{{0, 9, 9, 0}, false, false},
		{{19, 19, 19, 0}, false, false},
		{{20, 9, 9, 0}, false, false},
		{{20, 10, 0, 0}, false, true},
		{{20, 0, 10, 0}, false, true},
		{{2, 2, 2, 0}, true, false},
		{{3, 2, 0, 0}, true, true},
		{{3, 0, 1, 0}, true, false},
		{{20, 400, 0, 0}, false, true},
		{{UINT64_MAX, UINT64_MAX, UINT64_MAX, 0}, false, true},
		/* Some get through: loss, or somebody who forges SYNs. Resets say enough. */
		{{100, 100, 0, 1}, false, false},
		{{101, 101, 0, 1}, false, true},
		{{100, 400, 0, 100}, false, false},
		{{3, 9, 0, 1}, true, false},
		{{20, 20, 10, 20}, false, true},
	};
	struct health_config config = config_of(1 << HEALTH_PASSIVE);

	(void)state;
	config.fall = 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct health health = {.state = cases[i].trial ? HEALTH_HALF_OPEN : HEALTH_UP};

		if (health_passive(&health, &config, &cases[i].flows, 0) != cases[i].failure)
			fail_msg("case %zu", i);
	}
}

/* Where few come, more than one interval is looked at together. */
static void few_flows_are_judged_together(void **state)
{
	const struct health_flows few = {.new_flows = 7, .syn_retransmits = 6};
	const struct health_flows none = {.syn_retransmits = 5};
	struct health_config config = config_of(1 << HEALTH_PASSIVE);
	struct health health = {};

	(void)state;
	for (int judged = 1; judged <= 3; judged++) {
		assert_false(health_passive(&health, &config, &few, judged));
		assert_false(health_passive(&health, &config, &few, judged));
		assert_false(health_passive(&health, &config, &none, judged));
		assert_int_equal(health.failures[HEALTH_PASSIVE], judged - 1);
		assert_int_equal(health_passive(&health, &config, &few, judged), judged == 3);
	}
	assert_int_equal(health.state, HEALTH_DOWN);

	/* What was counted of the state before is no proof in the next. */
	assert_true(health_pass_time(&health, &config, 5003));
	health_passive(&health, &config, &(struct health_flows){.new_flows = 2}, 5004);
	assert_int_equal(health.flows.new_flows, 2);
	assert_true(health_pass_time(&health, &config, 7003));
	assert_int_equal(health.flows.new_flows, 0);
}

/* Back by an hour: later than it would be, not an hour later. */
static void clock_put_back(void **state)
{
	struct health_config config = config_of(BOTH);
	struct health health = {.state = HEALTH_HALF_OPEN, .since_ms = 3600000};

	(void)state;
	/* clang-format off */
	PLAY(&health, &config,
	     {5, 'T', HEALTH_HALF_OPEN}, {5, 'H', HEALTH_HALF_OPEN},
	     {2004, '.', HEALTH_HALF_OPEN}, {2005, '.', HEALTH_UP},
	     {-3600000, 't', HEALTH_UP}, {-7200000, 't', HEALTH_UP}, {0, 't', HEALTH_DOWN},
	     {INT64_MIN, 'T', HEALTH_DOWN}, {INT64_MAX, 'T', HEALTH_DOWN},
	     {INT64_MIN, 'H', HEALTH_DOWN}, {INT64_MAX, 'H', HEALTH_HALF_OPEN});
	/* clang-format on */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(falls_after_three_and_rises_after_two),
		cmocka_unit_test(a_failure_on_trial_is_enough),
		cmocka_unit_test(only_configured_checks_count),
		cmocka_unit_test(passive),
		cmocka_unit_test(longest_retry),
		cmocka_unit_test(rates_of_flows),
		cmocka_unit_test(few_flows_are_judged_together),
		cmocka_unit_test(clock_put_back),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
