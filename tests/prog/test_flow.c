/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of flows: who stays where, who moves, and what is counted as open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>

#include "pool.h"
#include "world.h"

static void stays_when_weights_change(void **state)
{
	static const struct pool pool = {"pinned", "192.0.2.1", 80, IPPROTO_TCP, 3};
	unsigned int went_to[POOL_CLIENTS], picks[POOL_BACKENDS_MAX + 1];
	unsigned int others = 0;

	(void)state;
	pool_open(&pool, "");
	pool_establish_all(&pool, went_to);
	pool_assert_all_used(went_to);
	for (unsigned int zero = 1; zero <= 3; zero++) {
		sluice("weight set pinned b1=100 b2=100 b3=100");
		sluice("weight set pinned b%u=0", zero);
		pool_assert_stay("its backend may have weight 0", &pool, went_to);
		others += pool_spread(&pool, 1000 * zero, 200, picks);
		assert_int_equal(picks[zero], 0);
	}
	assert_int_equal(service_counts("pinned").new_flows, POOL_CLIENTS + others);
}

static void stays_when_ipv6(void **state)
{
	static const struct pool pool = {"pinned6", "2001:db8::1", 80, IPPROTO_TCP, 3};
	unsigned int went_to[POOL_CLIENTS];

	(void)state;
	pool_open(&pool, "");
	pool_establish_all(&pool, went_to);
	pool_assert_all_used(went_to);
	sluice("weight set pinned6 b1=0 b2=1 b3=0");
	pool_assert_stay("weights moved to b2", &pool, went_to);
}

/* Between its first packet and its second a flow is on probation, which is a memory, too. */
static void stays_after_one_packet(void **state)
{
	static const struct pool pool = {"probation", "192.0.2.2", 80, IPPROTO_TCP, 3};
	unsigned int went_to[POOL_CLIENTS];

	(void)state;
	pool_open(&pool, "--local-count off");
	for (__u32 client = 0; client < POOL_CLIENTS; client++)
		went_to[client] = pool_send(&pool, client, TCP_SYN);
	pool_assert_all_used(went_to);
	sluice("weight set probation b1=0 b2=1 b3=0");
	for (__u32 client = 0; client < POOL_CLIENTS; client++)
		pool_assert_went("SYN again", client, pool_send(&pool, client, TCP_SYN),
				 went_to[client]);
	pool_assert_stay("second packet", &pool, went_to);
	assert_int_equal(service_counts("probation").new_flows, POOL_CLIENTS);
}

static void udp_stays_and_is_counted(void **state)
{
	static const struct pool pool = {"datagrams", "192.0.2.3", 53, IPPROTO_UDP, 3};
	unsigned int went_to[POOL_CLIENTS];

	(void)state;
	pool_open(&pool, "");
	for (__u32 client = 0; client < POOL_CLIENTS; client++)
		went_to[client] = pool_send(&pool, client, 0);
	pool_assert_all_used(went_to);
	assert_int_equal(pool_open_flows(&pool, 0), 0);
	sluice("weight set datagrams b1=0 b2=1 b3=0");
	pool_assert_stay("second datagram", &pool, went_to);
	assert_int_equal(pool_open_flows(&pool, 0), POOL_CLIENTS);
	pool_assert_stay("third datagram", &pool, went_to);
	assert_int_equal(pool_open_flows(&pool, 0), POOL_CLIENTS);
}

/* What takes b2 away from its flows; they then stay where they went, even when b2 is back. */
static void leaves_backend(const struct pool *pool, const char *take, const char *give_back)
{
	unsigned int went_to[POOL_CLIENTS];

	pool_open(pool, "");
	pool_establish_all(pool, went_to);
	pool_assert_all_used(went_to);
	sluice(take, pool->service);
	for (__u32 client = 0; client < POOL_CLIENTS; client++) {
		unsigned int now = pool_send(pool, client, TCP_ACK);

		if (went_to[client] != 2)
			pool_assert_went("not b2's flow", client, now, went_to[client]);
		else if (now != 1 && now != 3)
			fail_msg("client %u went to b%u, expected b1 or b3", client, now);
		went_to[client] = now;
	}
	pool_assert_stay("re-selected", pool, went_to);
	assert_int_equal(pool_open_flows(pool, 1) + pool_open_flows(pool, 3), POOL_CLIENTS);
	sluice(give_back, pool->service);
	pool_assert_stay("b2 is back", pool, went_to);
	assert_int_equal(pool_open_flows(pool, 2), 0);
}

static void leaves_backend_that_is_down(void **state)
{
	static const struct pool pool = {"down", "192.0.2.4", 80, IPPROTO_TCP, 3};

	(void)state;
	leaves_backend(&pool, "backend set %s b2 --state down", "backend set %s b2 --state up");
}

static void leaves_backend_that_is_deleted(void **state)
{
	static const struct pool pool = {"deleted", "192.0.2.5", 80, IPPROTO_TCP, 3};

	(void)state;
	leaves_backend(&pool, "backend del %s b2", "backend add %s b2 --address 10.0.1.3");
}

static void drains(void **state)
{
	static const struct pool pool = {"drain", "192.0.2.6", 80, IPPROTO_TCP, 3};
	unsigned int went_to[POOL_CLIENTS], picks[POOL_BACKENDS_MAX + 1];

	(void)state;
	pool_open(&pool, "");
	pool_establish_all(&pool, went_to);
	pool_assert_all_used(went_to);
	sluice("backend set drain b2 --state drain");
	pool_assert_stay("established", &pool, went_to);
	pool_spread(&pool, 1000, 500, picks);
	assert_int_equal(picks[2], 0);
	assert_int_equal(picks[0], 0);
	for (__u32 client = 0; client < POOL_CLIENTS; client++) {
		if (went_to[client] == 2)
			assert_int_not_equal(pool_send(&pool, client, TCP_SYN), 2);
	}
}

static void counts_open_flows(void **state)
{
	static const struct {
		const char *name;
		__u8 flags;
		long open;
	} steps[] = {
		{"SYN", TCP_SYN, 0},
		{"SYN again", TCP_SYN, 0},
		{"ACK", TCP_ACK, 1},
		{"more ACK", TCP_ACK, 1},
		{"SYN again, late", TCP_SYN, 1},
		{"FIN", TCP_FIN | TCP_ACK, 0},
		{"last ACK", TCP_ACK, 0},
		{"FIN again", TCP_FIN | TCP_ACK, 0},
		{"SYN of a new flow", TCP_SYN, 0},
		{"its ACK", TCP_ACK, 1},
		{"RST", TCP_RST, 0},
		{"SYN of a third flow", TCP_SYN, 0},
		{"its RST", TCP_RST | TCP_ACK, 0},
		{"a late ACK", TCP_ACK, 0},
	};
	static const struct pool pool = {"counts", "192.0.2.7", 80, IPPROTO_TCP, 1};

	(void)state;
	pool_open(&pool, "");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		long open;

		assert_int_equal(pool_send(&pool, 1, steps[i].flags), 1);
		open = pool_open_flows(&pool, 1);
		if (open != steps[i].open)
			fail_msg("%s: %ld open flows, expected %ld", steps[i].name, open,
				 steps[i].open);
	}
	assert_int_equal(service_counts("counts").new_flows, 3);
}

/* A FIN of a flow that was never seen is forwarded, and leaves no trace. */
static void strange_fin_is_not_counted(void **state)
{
	static const struct pool pool = {"strange", "192.0.2.8", 80, IPPROTO_TCP, 1};

	(void)state;
	pool_open(&pool, "");
	assert_int_equal(pool_send(&pool, 1, TCP_FIN | TCP_ACK), 1);
	assert_int_equal(pool_send(&pool, 1, TCP_RST), 1);
	assert_int_equal(pool_open_flows(&pool, 1), 0);
}

static void closed_flow_selects_anew(void **state)
{
	static const struct pool pool = {"closed", "192.0.2.9", 80, IPPROTO_TCP, 3};
	unsigned int was, now;

	(void)state;
	pool_open(&pool, "");
	for (__u32 client = 0; client < 20; client++) {
		__u8 end = client % 2 ? TCP_RST : TCP_FIN | TCP_ACK;

		sluice("weight set closed b1=1 b2=1 b3=1");
		was = pool_establish(&pool, client);
		pool_assert_went("the end", client, pool_send(&pool, client, end), was);
		sluice("weight set closed b%u=0", was);
		pool_assert_went("last ACK", client, pool_send(&pool, client, TCP_ACK), was);
		now = pool_send(&pool, client, TCP_SYN);
		assert_int_not_equal(now, was);
		pool_assert_went("ACK of the new flow", client, pool_send(&pool, client, TCP_ACK),
				 now);
	}
	assert_int_equal(pool_open_flows(&pool, 0), 20);
}

/* The coin says the same to a packet under way as to a SYN, so they agree on where a flow is. */
static void unknown_flow_follows_the_coin(void **state)
{
	static const struct pool pool = {"unknown", "192.0.2.10", 80, IPPROTO_TCP, 3};
	unsigned int went_to[POOL_CLIENTS];

	(void)state;
	pool_load("unknown", &pool, false);
	for (__u32 client = 0; client < POOL_CLIENTS; client++) {
		went_to[client] = pool_send(&pool, client, TCP_ACK);
		pool_send(&pool, client, TCP_ACK);
		pool_send(&pool, client, TCP_RST);
		pool_assert_went("SYN", client, pool_send(&pool, client, TCP_SYN), went_to[client]);
	}
	pool_assert_all_used(went_to);
}

static void unknown_flow_is_pinned(void **state)
{
	static const struct pool pool = {"adopted", "192.0.2.11", 80, IPPROTO_TCP, 3};
	unsigned int went_to[POOL_CLIENTS];

	(void)state;
	pool_load("adopted", &pool, true);
	for (__u32 client = 0; client < POOL_CLIENTS; client++)
		went_to[client] = pool_send(&pool, client, TCP_ACK);
	pool_assert_all_used(went_to);
	sluice("weight set adopted b1=0 b2=1 b3=0");
	pool_assert_stay("pinned by its first packet here", &pool, went_to);
	assert_int_equal(pool_open_flows(&pool, 0), POOL_CLIENTS);
	assert_int_equal(service_counts("adopted").new_flows, POOL_CLIENTS);
}

/*
 * A flow that another balancer pinned before a backend was added comes here: it still goes where it
 * was. A new flow may go to the new backend at once.
 */
static void unknown_flow_follows_the_slots_before_a_change(void **state)
{
	static const struct pool two = {"grown", "192.0.2.16", 80, IPPROTO_TCP, 2};
	static const struct pool three = {"grown", "192.0.2.16", 80, IPPROTO_TCP, 3};
	unsigned int went_to[POOL_CLIENTS], picks[POOL_BACKENDS_MAX + 1];

	(void)state;
	pool_load("before", &two, false);
	for (__u32 client = 0; client < POOL_CLIENTS; client++)
		went_to[client] = pool_send(&two, client, TCP_SYN);
	pool_load("after", &two, false);
	sluice("backend add grown b3 --address 10.0.1.4");
	pool_assert_stay("pinned before the change", &three, went_to);
	pool_spread(&three, 1000, 300, picks);
	assert_in_range(picks[3], 60, 140);
}

/* Four times what probation holds: no established flow is lost, and no count is bent. */
static void flood_of_syns_moves_nobody(void **state)
{
	static const struct pool pool = {"flood", "192.0.2.12", 80, IPPROTO_TCP, 3};
	unsigned int went_to[POOL_CLIENTS];

	(void)state;
	pool_open(&pool, "");
	pool_establish_all(&pool, went_to);
	for (__u32 client = 1000; client < 1000 + 60000; client++)
		pool_send(&pool, client, TCP_SYN);
	assert_int_equal(pool_open_flows(&pool, 0), POOL_CLIENTS);
	sluice("weight set flood b1=0 b2=1 b3=0");
	pool_assert_stay("after the flood", &pool, went_to);
	assert_int_equal(pool_open_flows(&pool, 0), POOL_CLIENTS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(stays_when_weights_change),
		cmocka_unit_test(stays_when_ipv6),
		cmocka_unit_test(stays_after_one_packet),
		cmocka_unit_test(udp_stays_and_is_counted),
		cmocka_unit_test(leaves_backend_that_is_down),
		cmocka_unit_test(leaves_backend_that_is_deleted),
		cmocka_unit_test(drains),
		cmocka_unit_test(counts_open_flows),
		cmocka_unit_test(strange_fin_is_not_counted),
		cmocka_unit_test(closed_flow_selects_anew),
		cmocka_unit_test_teardown(unknown_flow_follows_the_coin, world_use_main),
		cmocka_unit_test_teardown(unknown_flow_is_pinned, world_use_main),
		cmocka_unit_test_teardown(unknown_flow_follows_the_slots_before_a_change,
					  world_use_main),
		cmocka_unit_test(flood_of_syns_moves_nobody),
	};

	return cmocka_run_group_tests_name("flow", tests, world_open, world_close);
}
