/* SPDX-License-Identifier: GPL-2.0-only */
/* What the balancer sees of a backend that does not answer: SYNs that are repeated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "icmp.h"
#include "pool.h"
#include "world.h"

/* A packet of client 1, and what is counted of its backend once it has gone by. */
struct step {
	const char *name;
	__u8 flags;
	long new_flows;
	long established;
	long syn_retransmits;
};

static void assert_counted(const struct pool *pool, const struct step *step)
{
	struct counts got = backend_counts(pool->service, NULL);

	if (got.new_flows != step->new_flows || got.established != step->established ||
	    got.syn_retransmits != step->syn_retransmits)
		fail_msg("%s: %s: %ld new, %ld established, %ld SYNs repeated, expected %ld, %ld, "
			 "%ld",
			 pool->service, step->name, got.new_flows, got.established,
			 got.syn_retransmits, step->new_flows, step->established,
			 step->syn_retransmits);
}

static void play(const struct pool *pool, const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(pool_send(pool, 1, steps[i].flags), 1);
		assert_counted(pool, &steps[i]);
	}
}

#define PLAY(pool, ...)                                \
	play(pool, (const struct step[]){__VA_ARGS__}, \
	     sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

/* From probation through an open flow to a closed one, whose addresses are used again. */
static void life_of_a_flow(const struct pool *pool)
{
	pool_open(pool, "");
	/* clang-format off */
	PLAY(pool,
	     {"first SYN", TCP_SYN, 1, 0, 0},
	     {"second SYN", TCP_SYN, 1, 0, 1},
	     {"third SYN", TCP_SYN, 1, 0, 2},
	     {"the answer's ACK", TCP_ACK, 1, 1, 2},
	     {"more", TCP_ACK, 1, 1, 2},
	     {"SYN of an open flow", TCP_SYN, 1, 1, 2},
	     {"SYN and ACK", TCP_SYN | TCP_ACK, 1, 1, 2},
	     {"FIN", TCP_FIN | TCP_ACK, 1, 1, 2},
	     {"last ACK", TCP_ACK, 1, 1, 2},
	     {"SYN after the end", TCP_SYN, 2, 1, 2},
	     {"again", TCP_SYN, 2, 1, 3},
	     {"its ACK", TCP_ACK, 2, 2, 3},
	     {"RST", TCP_RST, 2, 2, 3},
	     {"SYN after RST", TCP_SYN, 3, 2, 3},
	     {"RST at once", TCP_RST, 3, 2, 3},
	     {"SYN after that", TCP_SYN, 4, 2, 3});
	/* clang-format on */
}

static void of_ipv4(void **state)
{
	static const struct pool pool = {"v4", "192.0.2.1", 80, IPPROTO_TCP, 1};

	(void)state;
	life_of_a_flow(&pool);
}

static void of_ipv6(void **state)
{
	static const struct pool pool = {"v6", "2001:db8::1", 80, IPPROTO_TCP, 1};

	(void)state;
	life_of_a_flow(&pool);
}

static void refused_on_probation(void **state)
{
	static const struct pool pool = {"refused", "192.0.2.2", 80, IPPROTO_TCP, 1};

	(void)state;
	pool_open(&pool, "");
	/* clang-format off */
	PLAY(&pool,
	     {"SYN", TCP_SYN, 1, 0, 0},
	     {"RST", TCP_RST, 1, 0, 0},
	     {"SYN after it", TCP_SYN, 2, 0, 0},
	     {"again", TCP_SYN, 2, 0, 1});
	/* clang-format on */
}

/* It is the second packet from the middle of a flow that shows it to go on. */
static void begun_elsewhere(void **state)
{
	static const struct pool pool = {"middle", "192.0.2.3", 80, IPPROTO_TCP, 1};

	(void)state;
	pool_open(&pool, "");
	/* clang-format off */
	PLAY(&pool,
	     {"ACK", TCP_ACK, 1, 0, 0},
	     {"ACK", TCP_ACK, 1, 1, 0},
	     {"ACK", TCP_ACK, 1, 1, 0});
	/* clang-format on */
}

static void none_of_udp(void **state)
{
	static const struct pool pool = {"datagrams", "192.0.2.4", 53, IPPROTO_UDP, 1};

	(void)state;
	pool_open(&pool, "");
	/* Where TCP has its flags, UDP has payload; see frame_build(). */
	PLAY(&pool, {"first", TCP_SYN, 1, 0, 0}, {"second", TCP_SYN, 1, 1, 0},
	     {"third", TCP_SYN, 1, 1, 0});
}

/* An error quotes a SYN of a flow on probation: it is none itself. */
static void none_of_errors(void **state)
{
	static const struct pool pool = {"errors", "192.0.2.5", 80, IPPROTO_TCP, 1};
	static const struct step once = {"error", 0, 1, 0, 0};
	char source[INET6_ADDRSTRLEN];
	const struct packet_fields out = pool_packet(&pool, 1, TCP_SYN, source);
	struct packet_fields back = out;
	struct frame quoted, error;

	(void)state;
	pool_open(&pool, "");
	assert_int_equal(pool_send(&pool, 1, TCP_SYN), 1);
	back.source = out.destination;
	back.destination = out.source;
	back.source_port = out.destination_port;
	back.destination_port = out.source_port;
	frame_build(&quoted, &back);
	for (int i = 0; i < 3; i++) {
		frame_error(&error, &quoted, "198.51.100.1", 3, 1, 28);
		assert_int_equal(pool_deliver("error", &error), 1);
		assert_counted(&pool, &once);
	}
}

/* What the first backend did not answer is not held against the second. */
static void not_of_the_next_backend(void **state)
{
	static const struct pool pool = {"moved", "192.0.2.6", 80, IPPROTO_TCP, 2};
	unsigned int first, second;
	char name[8];

	(void)state;
	pool_open(&pool, "");
	first = pool_send(&pool, 1, TCP_SYN);
	assert_int_equal(pool_send(&pool, 1, TCP_SYN), first);
	sluice("backend set moved b%u --state down", first);
	second = pool_send(&pool, 1, TCP_SYN);
	assert_int_equal(second, 3 - first);
	assert_counted(&pool, &(struct step){"on its way to the other", 0, 2, 0, 1});
	assert_int_equal(pool_send(&pool, 1, TCP_SYN), second);
	assert_counted(&pool, &(struct step){"and once more", 0, 2, 0, 2});
	snprintf(name, sizeof(name), "b%u", second);
	assert_int_equal(backend_counts("moved", name).syn_retransmits, 1);
}

/* Repeated SYNs come from timers, which run where they like. */
static void on_another_cpu(void **state)
{
	static const struct pool pool = {"cpus", "192.0.2.7", 80, IPPROTO_TCP, 1};

	(void)state;
	if (!world_cpu(1))
		skip();
	world_cpu(0);
	pool_open(&pool, "");
	PLAY(&pool, {"SYN", TCP_SYN, 1, 0, 0});
	world_cpu(1);
	PLAY(&pool, {"again, on the other CPU", TCP_SYN, 1, 0, 1});
	world_cpu(0);
	PLAY(&pool, {"and on the first", TCP_SYN, 1, 0, 2});
	world_cpu(1);
	PLAY(&pool, {"ACK", TCP_ACK, 1, 1, 2});
	world_cpu(0);
	PLAY(&pool, {"SYN of an open flow", TCP_SYN, 1, 1, 2});
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
		cmocka_unit_test(of_ipv4),
		cmocka_unit_test(of_ipv6),
		cmocka_unit_test(refused_on_probation),
		cmocka_unit_test(begun_elsewhere),
		cmocka_unit_test(none_of_udp),
		cmocka_unit_test(none_of_errors),
		cmocka_unit_test(not_of_the_next_backend),
		cmocka_unit_test_teardown(on_another_cpu, first_cpu),
	};

	return cmocka_run_group_tests_name("syn retransmit", tests, world_open, world_close);
}
