/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of flows when it is small: sets with many entries, sets that are full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>

#include "pool.h"
#include "world.h"

/* 1024 flows asked for give 128 sets of 15 entries. */
#define SMALL "load:\n  flows_per_cpu: 1024\n"

/*
 * Sets that are half full find their entries, wherever in the set. Uneven filling and shared tags
 * may cost a few of them, not one in 50.
 */
static void small_memory_finds_its_flows(void **state)
{
	static const struct pool pool = {"small", "192.0.2.14", 80, IPPROTO_TCP, 3};

	(void)state;
	world_load("small", SMALL);
	pool_open(&pool, "");
	for (__u32 client = 0; client < 768; client++)
		pool_establish(&pool, client);
	assert_in_range(service_counts("small").new_flows, 768 - 15, 768);
	for (__u32 client = 0; client < 768; client++)
		pool_send(&pool, client, TCP_ACK);
	assert_in_range(service_counts("small").new_flows, 768 - 15, 768 + 15);
	assert_in_range(pool_open_flows(&pool, 0), 768 - 15, 768);
	for (__u32 client = 0; client < 768; client++)
		pool_send(&pool, client, TCP_FIN | TCP_ACK);
	assert_int_equal(pool_open_flows(&pool, 0), 0);
}

/*
 * Flows that are forgotten leave the count: it is that of the entries, all 128 x 15 of them. A set
 * that was swept a moment ago may have forgotten some more.
 */
static void full_memory_counts_what_it_holds(void **state)
{
	static const struct pool pool = {"full", "192.0.2.15", 80, IPPROTO_TCP, 3};

	(void)state;
	world_load("full", SMALL);
	pool_open(&pool, "");
	for (__u32 client = 0; client < 20000; client++)
		pool_establish(&pool, client);
	assert_in_range(pool_open_flows(&pool, 0), 125 * 15, 128 * 15);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_memory_finds_its_flows),
		cmocka_unit_test(full_memory_counts_what_it_holds),
	};

	return cmocka_run_group_tests_name("flow memory", tests, world_open, world_close);
}
