/* SPDX-License-Identifier: GPL-2.0-only */
/* What the TC programs measure of time, of packets that have no TCP socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "measure.h"

/*
 * Waits of so long lie in bucket 14, from 16,384 us on, and are waits for at least that; on a busy
 * machine they may be longer.
 */
enum { WAIT_US = 17000, WAIT_BUCKET = 14 };

static void assert_waits(struct measure_histogram histogram, __u64 waits)
{
	__u64 sum_us = histogram.sum_us;
	__u64 longer = 0;

	for (int i = WAIT_BUCKET; i < MEASURE_BUCKETS; i++) {
		longer += histogram.bucket[i];
		if (waits == 1)
			assert_int_equal(histogram.bucket[i], sum_us >> i == 1);
	}
	assert_int_equal(measure_samples(&histogram), waits);
	assert_int_equal(longer, waits);
	assert_true(sum_us >= waits * WAIT_US);
	assert_true(histogram.square_sum_us2 >= waits * WAIT_US * WAIT_US);
}

/* Each TSval is waited for from the first segment that has it to the first that returns it. */
static void round_trips(void **state)
{
	static const struct step out[] = {
		{SENT, 0, 100, 5000, 1, 700},
		{SENT, 0, 100, 5100, 1, 701},
		{SENT, 0, 100, 5200, 1, 702}, /* no room to note a third */
	};
	static const struct step again[] = {{SENT, 0, 100, 5100, 1, 701}};
	static const struct step back[] = {
		{RECEIVED, 0, 0, 900, 5100, 40, 700},
		{RECEIVED, 0, 0, 900, 5200, 41, 701},
		{RECEIVED, 0, 0, 900, 5200, 42, 701},
		{RECEIVED, 0, 0, 900, 5300, 43, 702},
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		measure_port++;
		measure_play(&measure_ends[i], out, 3);
		usleep(WAIT_US);
		measure_play(&measure_ends[i], again, 1);
		measure_play(&measure_ends[i], back, 4);
		assert_waits(measure_counted(TCP_SERVICE).rtt, 2);
	}
}

/* Segments of one tick are one wait. */
static void same_tick(void **state)
{
	static const struct step out[] = {
		{SENT, 0, 100, 5000, 1, 700},
		{SENT, 0, 100, 5100, 1, 700},
	};
	static const struct step back[] = {{RECEIVED, 0, 0, 900, 5200, 40, 700}};

	(void)state;
	for (int i = 0; i < 2; i++) {
		measure_port++;
		measure_play(&measure_ends[i], out, 2);
		usleep(WAIT_US);
		measure_play(&measure_ends[i], back, 1);
		assert_waits(measure_counted(TCP_SERVICE).rtt, 1);
	}
}

/* A TSval that is passed over never returns, and makes room for the next one. */
static void lost_round_trips(void **state)
{
	static const struct step out[] = {
		{SENT, 0, 100, 5000, 1, 0xffffffff},
		{SENT, 0, 100, 5100, 1, 1},
		{RECEIVED, 0, 0, 900, 5200, 40, 2}, /* neither of them */
		{SENT, 0, 100, 5200, 1, 3},
	};
	static const struct step back[] = {{RECEIVED, 0, 0, 900, 5300, 41, 3}};

	(void)state;
	for (int i = 0; i < 2; i++) {
		measure_port++;
		measure_play(&measure_ends[i], out, 4);
		usleep(WAIT_US);
		measure_play(&measure_ends[i], back, 1);
		assert_waits(measure_counted(TCP_SERVICE).rtt, 1);
	}
}

/* Timestamps behind other options, and options that lie. */
static void odd_options(void **state)
{
	static const struct {
		__u8 bytes[24];
		__u64 waits;
	} options[] = {
		{{8, 10, 0, 0, 0, 9, 0, 0, 0, 9, 1, 1}, 1},
		{{1, 3, 3, 7, 2, 4, 5, 180, 8, 10, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0}, 1},
		{{1, 1, 8, 12, 0, 0, 0, 9, 0, 0, 0, 9}, 0},   /* of another length */
		{{0, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 9}, 0},   /* behind the end */
		{{5, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 9}, 0},   /* shorter than its header */
		{{5, 255, 8, 10, 0, 0, 0, 9, 0, 0, 0, 9}, 0}, /* beyond the header */
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(options) / sizeof(options[0]); i++) {
		static const struct step there = {SENT, 0, 100, 5000};
		static const struct step back = {RECEIVED, 0, 0, 900, 5100};
		__u32 bytes = i / 2 == 1 ? 20 : 12;
		struct frame frame;

		measure_port++;
		measure_build(&frame, &measure_ends[i % 2], &there);
		measure_options(&frame, options[i / 2].bytes, bytes);
		measure_run(SENT, &frame, 0, 0);
		usleep(WAIT_US);
		measure_build(&frame, &measure_ends[i % 2], &back);
		measure_options(&frame, options[i / 2].bytes, bytes);
		measure_run(RECEIVED, &frame, 0, 0);
		assert_waits(measure_counted(TCP_SERVICE).rtt, options[i / 2].waits);
	}
}

/* From the last byte of a request, to the first of a response that was not sent before. */
static void responses(void **state)
{
	static const struct step first[] = {
		{RECEIVED, 0, 100, 900, 5000},
		{SENT, 0, 100, 5000},
		{RECEIVED, 0, 100, 1000, 5100},
		{RECEIVED, 0, 100, 1100, 5100},
	};
	static const struct step second[] = {
		{RECEIVED, 0, 100, 1000, 5100}, /* again, so not the last byte */
		{RECEIVED, 0, 0, 1200, 5100},
		{SENT, 0, 0, 5100},   /* only acknowledges the request */
		{SENT, 0, 100, 5000}, /* the response before, again */
	};
	static const struct step third[] = {
		{SENT, 0, 100, 5100},
		{SENT, 0, 100, 5200},
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct measure_counters got = measure_talk(&measure_ends[i], first, 4);

		assert_int_equal(measure_samples(&got.response), 1);
		usleep(WAIT_US);
		measure_play(&measure_ends[i], second, 4);
		got = measure_counted(TCP_SERVICE);
		assert_int_equal(measure_samples(&got.response), 0);
		measure_play(&measure_ends[i], third, 2);
		assert_waits(measure_counted(TCP_SERVICE).response, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips),      cmocka_unit_test(same_tick),
		cmocka_unit_test(lost_round_trips), cmocka_unit_test(odd_options),
		cmocka_unit_test(responses),
	};

	return cmocka_run_group_tests_name("measured times", tests, measure_load, measure_unload);
}
