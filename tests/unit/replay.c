/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "user/core/replay.h"

#define WINDOW_MS 10000
#define START_MS  1764000000000

static struct replay *replay;

static int begin(void **state)
{
	(void)state;
	replay = replay_new(WINDOW_MS, START_MS);
	return replay ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	replay_free(replay);
	return 0;
}

/* What became of one that says it was sent @sent_ms after the start, @now_ms after it. */
static int admit(__u64 sender, __u64 sequence, int64_t sent_ms, int64_t now_ms)
{
	struct envelope envelope = {
		.sender = sender, .sequence = sequence, .sent_ms = START_MS + sent_ms};

	return replay_admit(replay, &envelope, START_MS + now_ms, 5000000 + now_ms);
}

static void once(void **state)
{
	(void)state;
	assert_int_equal(admit(1, 5, 100, 100), 0);
	assert_int_equal(admit(1, 5, 100, 101), -EALREADY);
	assert_int_equal(admit(1, 4, 100, 101), -EALREADY);
	assert_int_equal(admit(1, 7, 100, 101), 0);
	assert_int_equal(admit(1, 6, 100, 101), -EALREADY);
	assert_int_equal(admit(2, 5, 100, 101), 0);
	assert_int_equal(admit(2, 0, 100, 101), -EALREADY);
	assert_int_equal(admit(3, 0, 100, 101), -EALREADY);
	assert_int_equal(admit(3, UINT64_MAX, 100, 101), 0);
	assert_int_equal(replay_senders(replay), 3);
}

static void by_time(void **state)
{
	(void)state;
	assert_int_equal(admit(1, 1, 40000, 50001), -ETIME);
	assert_int_equal(admit(1, 1, 40000, 50000), 0);
	assert_int_equal(admit(1, 2, 60001, 50000), -ETIME);
	assert_int_equal(admit(1, 2, 60000, 50000), 0);
	assert_int_equal(admit(1, 3, INT64_MAX - START_MS, 50000), -ETIME);
	assert_int_equal(admit(1, 3, INT64_MIN + START_MS, 50000), -ETIME);
}

/* A receiver that was killed and has started again knows nothing of what came before. */
static void before_the_start(void **state)
{
	(void)state;
	assert_int_equal(admit(1, 1, -1, 100), -ETIME);
	assert_int_equal(admit(1, 1, 0, 100), 0);
}

/* A sender is forgotten only when its last datagram is too old by its own time, however early. */
static void forgotten_late_enough(void **state)
{
	(void)state;
	assert_int_equal(admit(1, 9, 20000 + WINDOW_MS, 20000), 0);
	for (__u64 i = 0; i < 1000; i++)
		assert_int_equal(admit(100 + i, 1, 39999, 39999), 0);
	assert_int_equal(admit(1, 9, 20000 + WINDOW_MS, 39999), -EALREADY);
	for (__u64 i = 0; i < 10000; i++)
		assert_int_equal(admit(2000 + i, 1, 70000, 70000), 0);
	assert_in_range(replay_senders(replay), 10000, 10000);
	assert_int_equal(admit(1, 9, 20000 + WINDOW_MS, 70000), -ETIME);
}

/* As the table grows and forgets, nobody that is there gets lost. */
static void many_senders(void **state)
{
	(void)state;
	for (__u64 round = 1; round <= 3; round++) {
		for (__u64 i = 0; i < 20000; i++)
			assert_int_equal(admit(i << 20, round, round * 2000, round * 2000), 0);
	}
	for (__u64 i = 0; i < 20000; i++)
		assert_int_equal(admit(i << 20, 3, 6000, 6000), -EALREADY);
	assert_int_equal(replay_senders(replay), 20000);
}

/* The wall clock steps back: the sequence still holds what came before out. */
static void clock_steps_back(void **state)
{
	struct envelope old = {.sender = 1, .sequence = 1, .sent_ms = START_MS + 1000};
	struct envelope fresh = {.sender = 1, .sequence = 2, .sent_ms = START_MS + 61000};

	(void)state;
	assert_int_equal(replay_admit(replay, &old, START_MS + 1000, 1000), 0);
	assert_int_equal(replay_admit(replay, &fresh, START_MS + 61000, 2000), 0);
	assert_int_equal(replay_admit(replay, &old, START_MS + 1000, 3000), -EALREADY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(once, begin, end),
		cmocka_unit_test_setup_teardown(by_time, begin, end),
		cmocka_unit_test_setup_teardown(before_the_start, begin, end),
		cmocka_unit_test_setup_teardown(forgotten_late_enough, begin, end),
		cmocka_unit_test_setup_teardown(many_senders, begin, end),
		cmocka_unit_test_setup_teardown(clock_steps_back, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
