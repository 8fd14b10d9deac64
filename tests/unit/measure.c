/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "user/core/measure.h"

#define SECOND_NS 1000000000ULL

static const struct measure_counters none;

static struct measure_service service(const char *vip, __u16 port, __u8 protocol, __u32 index)
{
	struct measure_service service = {.port = port, .protocol = protocol, .index = index};

	assert_int_equal(address_parse(vip, &service.vip), 0);
	return service;
}

static void entries_are_by_key(void **state)
{
	const struct measure_service services[] = {
		service("2001:db8::1", 443, IPPROTO_TCP, 3),
		service("192.0.2.1", 443, IPPROTO_UDP, 2),
		service("192.0.2.1", 443, IPPROTO_TCP, 1),
		service("192.0.2.1", 80, IPPROTO_TCP, 1),
		service("192.0.2.1", 0, IPPROTO_TCP, 0),
	};
	/* 16 bytes of address, port in network order, protocol, spare. */
	static const char first[] = "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x01\0\0\x06";
	static const char last[] = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb\x06";
	static const __u32 order[] = {0, 1, 1, 2, 3};
	struct measure_entry entries[5];

	(void)state;
	assert_int_equal(measure_entries(services, 5, entries), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(entries[i].index, order[i]);
	assert_memory_equal(&entries[0].key, first, sizeof(entries[0].key));
	assert_int_equal(entries[1].key.port, htons(80));
	assert_int_equal(entries[2].key.port, htons(443));
	assert_memory_equal(&entries[4].key, last, sizeof(entries[4].key));
}

static void bad_entries(void **state)
{
	struct measure_service services[MEASURE_SERVICES_MAX + 1] = {};
	struct measure_entry entries[MEASURE_SERVICES_MAX];

	(void)state;
	assert_int_equal(measure_entries(NULL, 0, entries), 0);
	assert_int_equal(measure_entries(services, MEASURE_SERVICES_MAX + 1, entries), -ERANGE);
	services[0] = service("192.0.2.1", 80, IPPROTO_TCP, 256);
	assert_int_equal(measure_entries(services, 1, entries), -ERANGE);
	services[0].index = 255;
	assert_int_equal(measure_entries(services, 1, entries), 0);
	services[1] = service("192.0.2.2", 80, IPPROTO_TCP, 0);
	services[2] = service("::ffff:192.0.2.1", 80, IPPROTO_TCP, 1);
	assert_int_equal(measure_entries(services, 3, entries), -EEXIST);
	services[2].protocol = IPPROTO_UDP;
	assert_int_equal(measure_entries(services, 3, entries), 0);
}

static void adding(void **state)
{
	struct measure_counters sum = {.segments = 5, .resets_received = 1};
	const struct measure_counters part = {
		.segments = 2,
		.response.bucket[MEASURE_BUCKETS - 1] = 7,
		.rtt.sum_us = 9,
	};

	(void)state;
	measure_add(&sum, &part);
	measure_add(&sum, &part);
	assert_int_equal(sum.segments, 9);
	assert_int_equal(sum.resets_received, 1);
	assert_int_equal(sum.response.bucket[MEASURE_BUCKETS - 1], 14);
	assert_int_equal(sum.rtt.sum_us, 18);
	assert_int_equal(sum.data_segments, 0);
}

static void rates(void **state)
{
	const struct measure_counters before = {
		.segments = 1000,
		.bytes = 1000000,
		.data_segments = 900,
		.retransmitted_segments = 50,
		.retransmitted_bytes = 60000,
		.syn_retransmits_sent = 1,
		.resets_sent = 10,
	};
	const struct measure_counters after = {
		.segments = 1600,
		.bytes = 1500000,
		.data_segments = 1300,
		.retransmitted_segments = 70,
		.retransmitted_bytes = 88000,
		.syn_retransmits_sent = 5,
		.syn_retransmits_received = 6,
		.resets_sent = 11,
		.resets_received = 8,
		.response.bucket[3] = 5,
	};
	struct measure_window window;

	(void)state;
	measure_window(&before, &after, 2 * SECOND_NS, &window);
	assert_float_equal(window.segments_per_s, 300, 1e-9);
	assert_float_equal(window.bytes_per_s, 250000, 1e-9);
	assert_float_equal(window.retransmit_percent, 5, 1e-9);
	assert_float_equal(window.retransmitted_segments_per_s, 10, 1e-9);
	assert_float_equal(window.retransmitted_bytes_per_s, 14000, 1e-9);
	assert_float_equal(window.syn_retransmits_sent_per_s, 2, 1e-9);
	assert_float_equal(window.syn_retransmits_received_per_s, 3, 1e-9);
	assert_float_equal(window.resets_sent_per_s, 0.5, 1e-9);
	assert_float_equal(window.resets_received_per_s, 4, 1e-9);
	assert_float_equal(window.requests_per_s, 2.5, 1e-9);
}

/* Nothing happened, or no time went by: no rate, and no division by it. */
static void nothing(void **state)
{
	const struct measure_counters counters = {
		.segments = 10, .data_segments = 10, .retransmitted_segments = 1};
	struct measure_window window;

	(void)state;
	measure_window(&counters, &counters, 2 * SECOND_NS, &window);
	assert_float_equal(window.segments_per_s, 0, 0);
	assert_float_equal(window.retransmit_percent, 0, 0);
	assert_int_equal(window.rtt.count, 0);
	assert_float_equal(window.rtt.p99_us, 0, 0);
	assert_float_equal(window.response.deviation_us, 0, 0);
	measure_window(&none, &counters, 0, &window);
	assert_float_equal(window.segments_per_s, 0, 0);
	assert_float_equal(window.retransmit_percent, 10, 1e-9);
}

/* More was sent again than passed: what got lost inside the node. */
static void never_above_100_percent(void **state)
{
	const struct measure_counters counters = {.data_segments = 3, .retransmitted_segments = 4};
	struct measure_window window;

	(void)state;
	measure_window(&none, &counters, SECOND_NS, &window);
	assert_float_equal(window.retransmit_percent, 100, 0);
}

static void programs_loaded_again(void **state)
{
	const struct measure_counters before = {
		.segments = 1000, .resets_received = 3, .rtt = {.sum_us = 9000, .bucket[5] = 200}};
	const struct measure_counters after = {
		.segments = 40, .resets_received = 4, .rtt = {.sum_us = 90, .bucket[5] = 2}};
	const struct measure_counters resets_only = {.resets_received = 2};
	struct measure_window window;

	(void)state;
	measure_window(&before, &after, SECOND_NS, &window);
	assert_float_equal(window.segments_per_s, 40, 1e-9);
	assert_float_equal(window.resets_received_per_s, 4, 1e-9);
	assert_int_equal(window.rtt.count, 2);
	assert_float_equal(window.rtt.mean_us, 45, 1e-9);
	measure_window(&after, &resets_only, SECOND_NS, &window);
	assert_float_equal(window.resets_received_per_s, 2, 1e-9);
}

static void percentiles(void **state)
{
	/* 50 from 64 to 127 us, 45 from 1,024 on, 5 from 32,768 on. */
	const struct measure_counters counters = {
		.rtt = {.bucket[6] = 50, .bucket[10] = 45, .bucket[15] = 5},
	};
	const struct measure_counters half = {.rtt = {.bucket[6] = 25, .bucket[10] = 20}};
	struct measure_window window;

	(void)state;
	measure_window(&none, &counters, SECOND_NS, &window);
	assert_int_equal(window.rtt.count, 100);
	assert_float_equal(window.rtt.p50_us, 128, 1e-6);
	assert_float_equal(window.rtt.p95_us, 2048, 1e-6);
	assert_float_equal(window.rtt.p99_us, 32768 + 32768 * 0.8, 1e-6);
	assert_int_equal(window.response.count, 0);

	measure_window(&half, &counters, SECOND_NS, &window);
	assert_int_equal(window.rtt.count, 55);
	assert_float_equal(window.rtt.p50_us, 1024 + 1024 * 2.5 / 25, 1e-6);
}

/* The outermost buckets: 0 and 1 us; the top one ends, as far as anybody knows, at twice itself. */
static void outermost_buckets(void **state)
{
	const struct measure_counters low = {.response.bucket[0] = 4};
	const struct measure_counters high = {.response.bucket[25] = 1};
	struct measure_window window;

	(void)state;
	measure_window(&none, &low, SECOND_NS, &window);
	assert_float_equal(window.response.p50_us, 1, 1e-6);
	measure_window(&none, &high, SECOND_NS, &window);
	assert_float_equal(window.response.p50_us, 33554432 * 1.5, 1e-3);
}

static void mean_and_deviation(void **state)
{
	/* 100, 100, 100 and 500 us: mean 200, variance (3 x 100^2 + 300^2) / 4. */
	const struct measure_counters counters = {
		.rtt = {800, 3 * 10000 + 250000, .bucket = {[6] = 3, [8] = 1}},
	};
	/* Sums of squares go round at 2^64. */
	const struct measure_counters before = {.rtt = {100, UINT64_MAX - 9999, .bucket[6] = 1}};
	const struct measure_counters after = {.rtt = {300, 10000, .bucket[6] = 3}};
	struct measure_window window;

	(void)state;
	measure_window(&none, &counters, SECOND_NS, &window);
	assert_float_equal(window.rtt.mean_us, 200, 1e-9);
	assert_float_equal(window.rtt.deviation_us, 173.20508, 1e-4);
	measure_window(&before, &after, SECOND_NS, &window);
	assert_float_equal(window.rtt.mean_us, 100, 1e-9);
	assert_float_equal(window.rtt.deviation_us, 0, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_by_key),
		cmocka_unit_test(bad_entries),
		cmocka_unit_test(adding),
		cmocka_unit_test(rates),
		cmocka_unit_test(nothing),
		cmocka_unit_test(never_above_100_percent),
		cmocka_unit_test(programs_loaded_again),
		cmocka_unit_test(percentiles),
		cmocka_unit_test(outermost_buckets),
		cmocka_unit_test(mean_and_deviation),
	};

	return cmocka_run_group_tests_name("measure", tests, NULL, NULL);
}
