/* SPDX-License-Identifier: GPL-2.0-only */
/* UDP flows end by silence: one that keeps sending stays, one that paused asks the coin anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>
#include <unistd.h>
#include <netinet/in.h>

#include "pool.h"
#include "world.h"

#define STEP_MS  250
#define STEPS    10 /* 2.5 s: more than two idle times, so that one of them was silent as a whole */
#define FLOWS    20 /* that keep sending, and as many that do not */
#define ATTEMPTS 5

/* Time passes for all of them at once. TCP has no idle time: a pause is no end. */
static const struct pool pools[] = {
	{"ipv4", "192.0.2.1", 53, IPPROTO_UDP, 2},
	{"ipv6", "2001:db8::1", 53, IPPROTO_UDP, 2},
	{"two-cpus", "192.0.2.2", 53, IPPROTO_UDP, 2},
	{"tcp", "192.0.2.3", 80, IPPROTO_TCP, 2},
};

enum { ALTERNATING = 2, LASTING = 3, POOLS };

static unsigned int attempts;
static bool too_slow; /* was the machine for its flows to be sure of their lives */

static __u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

static void send_flows(const char *name, const struct pool *pool, __u32 first,
		       unsigned int expected)
{
	for (__u32 client = first; client < first + FLOWS; client++)
		pool_assert_went(name, client, pool_send(pool, client, TCP_ACK), expected);
}

/* The flows from FLOWS on are silent meanwhile, and all of TCP's. */
static void keep_sending(void)
{
	__u64 last_ms = now_ms();

	for (int step = 0; step < STEPS; step++) {
		usleep(STEP_MS * 1000);
		if (now_ms() - last_ms >= 900) {
			too_slow = true;
			return;
		}
		last_ms = now_ms();
		for (int i = 0; i < LASTING; i++) {
			world_cpu(i == ALTERNATING && step % 2);
			send_flows(pools[i].service, &pools[i], 0, 1);
		}
	}
	world_cpu(0);
}

/* Flows begin at b1, and then b1 takes no new ones. */
static int begin(void **state)
{
	if (world_open(state))
		return -1;
	for (int i = 0; i < POOLS; i++)
		pool_open(&pools[i],
			  i == LASTING ? "--local-count off" : "--idle 1 --local-count off");
	do {
		if (attempts++ == ATTEMPTS)
			return -1;
		if (too_slow) /* what the attempt before left must be forgotten */
			usleep(2500 * 1000);
		too_slow = false;
		for (int i = 0; i < POOLS; i++)
			sluice("weight set %s b1=1 b2=0", pools[i].service);
		for (int i = 0; i < POOLS; i++) {
			send_flows("first", &pools[i], 0, 1);
			send_flows("first, of those that pause", &pools[i], FLOWS, 1);
		}
		for (int i = 0; i < POOLS; i++)
			sluice("weight set %s b1=0 b2=1", pools[i].service);
		keep_sending();
	} while (too_slow);
	return 0;
}

static void silent_flows_ask_again(void **state)
{
	(void)state;
	for (int i = 0; i < LASTING; i++) {
		send_flows(pools[i].service, &pools[i], FLOWS, 2);
		send_flows("its second packet", &pools[i], FLOWS, 2);
	}
}

/* That they stayed where they were was seen on the way; nor were they new in between. */
static void flows_that_send_are_not_new(void **state)
{
	(void)state;
	for (int i = 0; i < LASTING; i++)
		assert_int_equal(service_counts(pools[i].service).new_flows,
				 2 * FLOWS * attempts + FLOWS);
}

static void tcp_has_no_idle_time(void **state)
{
	(void)state;
	send_flows("after a pause", &pools[LASTING], 0, 1);
	send_flows("after a pause", &pools[LASTING], FLOWS, 1);
	assert_int_equal(service_counts(pools[LASTING].service).new_flows, 2 * FLOWS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_flows_ask_again),
		cmocka_unit_test(flows_that_send_are_not_new),
		cmocka_unit_test(tcp_has_no_idle_time),
	};

	return cmocka_run_group_tests_name("idle", tests, begin, world_close);
}
