/* SPDX-License-Identifier: GPL-2.0-only */
/* Flows whose packets change from one CPU to another: their memory follows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>

#include "pool.h"
#include "world.h"

/* On the first, or the test is skipped. */
static void need_two_cpus(void)
{
	if (!world_cpu(1))
		skip();
	world_cpu(0);
}

static void follows_flow_to_another_cpu(void **state)
{
	static const struct pool pool = {"cpus", "192.0.2.13", 80, IPPROTO_TCP, 3};
	unsigned int went_to[POOL_CLIENTS];

	(void)state;
	need_two_cpus();
	pool_open(&pool, "");
	pool_establish_all(&pool, went_to);
	sluice("weight set cpus b1=0 b2=1 b3=0");
	for (unsigned int cpu = 1; cpu < 6; cpu++) {
		world_cpu(cpu % 2);
		pool_assert_stay("on the other CPU", &pool, went_to);
		assert_int_equal(pool_open_flows(&pool, 0), POOL_CLIENTS);
	}
	for (__u32 client = 0; client < POOL_CLIENTS; client++) {
		world_cpu(client % 2);
		pool_assert_went("FIN", client, pool_send(&pool, client, TCP_FIN | TCP_ACK),
				 went_to[client]);
	}
	assert_int_equal(pool_open_flows(&pool, 0), 0);
}

/* A flow that moved, ended and began anew is not what the first CPU once knew. */
static void moved_flow_leaves_nothing_behind(void **state)
{
	static const struct pool pool = {"moved", "192.0.2.15", 80, IPPROTO_TCP, 3};
	unsigned int was, now;

	(void)state;
	need_two_cpus();
	pool_open(&pool, "");
	for (__u32 client = 0; client < 10; client++) {
		world_cpu(0);
		sluice("weight set moved b1=1 b2=1 b3=1");
		was = pool_establish(&pool, client);
		sluice("weight set moved b%u=0", was);
		world_cpu(1);
		pool_assert_went("on the other CPU", client, pool_send(&pool, client, TCP_ACK),
				 was);
		pool_assert_went("its end", client, pool_send(&pool, client, TCP_RST), was);
		now = pool_establish(&pool, client);
		assert_int_not_equal(now, was);
		world_cpu(0);
		pool_assert_went("back again", client, pool_send(&pool, client, TCP_ACK), now);
		assert_int_equal(pool_open_flows(&pool, 0), client + 1);
	}
}

static void finds_first_packet_on_another_cpu(void **state)
{
	static const struct pool pool = {"probed", "192.0.2.14", 80, IPPROTO_TCP, 3};
	unsigned int went_to[POOL_CLIENTS];

	(void)state;
	need_two_cpus();
	pool_open(&pool, "");
	for (__u32 client = 0; client < POOL_CLIENTS; client++)
		went_to[client] = pool_send(&pool, client, TCP_SYN);
	pool_assert_all_used(went_to);
	sluice("weight set probed b1=0 b2=1 b3=0");
	world_cpu(1);
	pool_assert_stay("second packet, on the other CPU", &pool, went_to);
	assert_int_equal(pool_open_flows(&pool, 0), POOL_CLIENTS);
	assert_int_equal(service_counts("probed").new_flows, POOL_CLIENTS);
}

static int first_cpu(void **state)
{
	(void)state;
	world_cpu(0);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(follows_flow_to_another_cpu, first_cpu),
		cmocka_unit_test_teardown(moved_flow_leaves_nothing_behind, first_cpu),
		cmocka_unit_test_teardown(finds_first_packet_on_another_cpu, first_cpu),
	};

	return cmocka_run_group_tests_name("flow cpu", tests, world_open, world_close);
}
