/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/core/layout.h"

#define COUNT_MAX 1000

/* Like in life: few VIPs in a row, a few ports on each, every other one by UDP as well. */
static void fill_services(struct model_service *services, size_t count)
{
	static const __u16 ports[] = {80, 443, 53, 8080};

	for (size_t i = 0; i < count; i++) {
		services[i] = (struct model_service){
			.id = i + 1,
			.vip = {{0, 0, htonl(0xffff), htonl(0xc0000200 + i / 8)}},
			.port = ports[i / 2 % 4],
			.protocol = i % 2 ? IPPROTO_UDP : IPPROTO_TCP,
		};
	}
}

/* Where the packet path looks, from the packet's words (network order, as they stand in memory). */
static __u32 place_of(const struct layout *layout, const struct model_service *service)
{
	__u64 words[2];

	memcpy(words, &service->vip, sizeof(words));
	return hash_service(&layout->key, words[0], words[1], htons(service->port),
			    service->protocol) >>
	       48;
}

static void test_no_two_share_a_place(void **state)
{
	static const size_t counts[] = {1, 10, 256, COUNT_MAX};
	struct model_service services[COUNT_MAX];
	__u32 places[COUNT_MAX];

	(void)state;
	fill_services(services, COUNT_MAX);
	for (size_t n = 0; n < sizeof(counts) / sizeof(counts[0]); n++) {
		bool taken[65536] = {false};
		clock_t started = clock();
		struct layout layout;
		double seconds;

		assert_int_equal(layout_make(services, counts[n], 42, &layout, places), 0);
		seconds = (double)(clock() - started) / CLOCKS_PER_SEC;
		if (seconds > 1)
			fail_msg("%zu services took %.1f s", counts[n], seconds);
		for (size_t i = 0; i < counts[n]; i++) {
			assert_true(places[i] < 65536);
			assert_int_equal(places[i], place_of(&layout, &services[i]));
			if (taken[places[i]])
				fail_msg("%zu services: place %u twice", counts[n], places[i]);
			taken[places[i]] = true;
		}
	}
}

static void shuffle(struct model_service *services, size_t count)
{
	__u64 random = 7;

	for (size_t i = count - 1; i > 0; i--) {
		struct model_service other = services[i];
		size_t j;

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		j = (random >> 33) % (i + 1);
		services[i] = services[j];
		services[j] = other;
	}
}

static void test_order_does_not_count(void **state)
{
	struct model_service services[COUNT_MAX];
	__u32 places[COUNT_MAX], by_id[COUNT_MAX + 1];
	struct layout layout, again;
	bool moved = false;

	(void)state;
	fill_services(services, COUNT_MAX);
	assert_int_equal(layout_make(services, COUNT_MAX, 42, &layout, places), 0);
	for (size_t i = 0; i < COUNT_MAX; i++)
		by_id[services[i].id] = places[i];

	shuffle(services, COUNT_MAX);
	for (size_t i = 0; i < COUNT_MAX; i++)
		moved |= services[i].id != i + 1;
	assert_true(moved);
	assert_int_equal(layout_make(services, COUNT_MAX, 42, &again, places), 0);
	assert_memory_equal(&layout, &again, sizeof(layout));
	for (size_t i = 0; i < COUNT_MAX; i++)
		assert_int_equal(places[i], by_id[services[i].id]);
}

static void test_seed_counts(void **state)
{
	struct model_service services[10];
	__u32 places[10];
	struct layout layout, other;

	(void)state;
	fill_services(services, 10);
	assert_int_equal(layout_make(services, 10, 42, &layout, places), 0);
	assert_int_equal(layout_make(services, 10, 43, &other, places), 0);
	assert_memory_not_equal(&layout.key, &other.key, sizeof(layout.key));
}

static void test_any_port(void **state)
{
	struct model_service services[10];
	__u32 places[10];
	struct layout layout;

	(void)state;
	fill_services(services, 10);
	assert_int_equal(layout_make(services, 10, 42, &layout, places), 0);
	assert_int_equal(layout.any_port, 0);
	services[4].port = 0;
	assert_int_equal(layout_make(services, 10, 42, &layout, places), 0);
	assert_int_equal(layout.any_port, 1);
	assert_int_equal(places[4], place_of(&layout, &services[4]));
	assert_int_equal(layout_make(services, 0, 42, &layout, places), 0);
	assert_int_equal(layout.any_port, 0);
}

/* Two services of one VIP, port and protocol can have no layout; model.h never lets them be. */
static void test_no_layout(void **state)
{
	struct model_service services[2];
	__u32 places[2];
	struct layout layout;

	(void)state;
	fill_services(services, 1);
	services[1] = services[0];
	assert_int_equal(layout_make(services, 2, 42, &layout, places), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_two_share_a_place),
		cmocka_unit_test(test_order_does_not_count),
		cmocka_unit_test(test_seed_counts),
		cmocka_unit_test(test_any_port),
		cmocka_unit_test(test_no_layout),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
