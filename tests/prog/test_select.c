/* SPDX-License-Identifier: GPL-2.0-only */
/* Which service, which backend of it for a new flow, and what happens where there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <netinet/in.h>

#include "pool.h"
#include "world.h"

/* Where a SYN of a fixed client to @vip and @port goes. */
static unsigned int try_port(const char *vip, __u16 port, unsigned int backends)
{
	struct pool pool = {"", vip, port, IPPROTO_TCP, backends};

	return pool_send(&pool, 7, TCP_SYN);
}

static void exact_port_beside_any_port(void **state)
{
	static const __u16 others[] = {0, 1, 79, 81, 0x5000 /* 80, bytes swapped */, 65535};
	static const char *const vips[][3] = {
		{"port4", "192.0.2.1", "10.0.1."},
		{"port6", "2001:db8::1", "fd00:0:0:1::"},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const char *name = vips[i][0], *vip = vips[i][1], *network = vips[i][2];

		sluice("service add %s-any --vip %s --port any --proto tcp", name, vip);
		sluice("backend add %s-any b1 --address %s2", name, network);
		sluice("service add %s-exact --vip %s --port 80 --proto tcp", name, vip);
		sluice("backend add %s-exact b2 --address %s3", name, network);
		assert_int_equal(try_port(vip, 80, 2), 2);
		for (size_t j = 0; j < sizeof(others) / sizeof(others[0]); j++)
			assert_int_equal(try_port(vip, others[j], 2), 1);
		sluice("service del %s-exact", name);
		assert_int_equal(try_port(vip, 80, 2), 1);
	}
}

/* "Every port" is not "every protocol", nor another address. */
static void any_port_is_of_one_protocol(void **state)
{
	struct packet_fields fields = {
		.source = "198.51.100.7",
		.destination = "192.0.2.2",
		.source_port = 40001,
		.destination_port = 5000,
		.protocol = IPPROTO_UDP,
		.ttl = 64,
		.payload_bytes = 8,
	};
	struct frame frame, sent;

	(void)state;
	sluice("service add any-tcp --vip 192.0.2.2 --port any --proto tcp");
	sluice("backend add any-tcp b1 --address 10.0.1.2");
	assert_int_equal(try_port("192.0.2.2", 5000, 1), 1);
	frame_build(&frame, &fields);
	sent = frame;
	assert_int_equal(world_send(&frame), XDP_PASS);
	assert_frame("UDP", &frame, &sent);
	fields.protocol = IPPROTO_TCP;
	fields.destination = "192.0.2.252";
	frame_build(&frame, &fields);
	sent = frame;
	assert_int_equal(world_send(&frame), XDP_PASS);
	assert_frame("another address", &frame, &sent);
}

/* A binomial count stays within four standard deviations but once in 16,000. */
static void assert_share(unsigned int backend, unsigned int got, unsigned int tries, double share)
{
	double expected = tries * share;
	double sigma = sqrt(tries * share * (1 - share));

	if (fabs(got - expected) > 4 * sigma)
		fail_msg("b%u got %u of %u flows, expected %.0f within %.0f", backend, got, tries,
			 expected, 4 * sigma);
}

static void shares_follow_weights(void **state)
{
	static const struct pool pools[] = {
		{"shares4", "192.0.2.3", 80, IPPROTO_TCP, 3},
		{"shares6", "2001:db8::3", 80, IPPROTO_TCP, 3},
	};
	unsigned int picks[POOL_BACKENDS_MAX + 1], sum;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		pool_open(&pools[i], "--local-count off");
		sluice("weight set %s b1=1 b2=2 b3=5", pools[i].service);
		sum = pool_spread(&pools[i], 0, 20000, picks);
		assert_in_range(sum, 20000 - 20, 20000);
		assert_int_equal(picks[0], 0);
		assert_share(1, picks[1], sum, 1.0 / 8);
		assert_share(2, picks[2], sum, 2.0 / 8);
		assert_share(3, picks[3], sum, 5.0 / 8);
		assert_int_equal(service_counts(pools[i].service).packets, 20000);
		assert_int_equal(service_counts(pools[i].service).new_flows, sum);
	}
}

/* More backends than a slot has candidates. */
static void shares_of_eight_follow_weights(void **state)
{
	static const struct pool pool = {"eight", "192.0.2.4", 80, IPPROTO_TCP, 8};
	unsigned int picks[POOL_BACKENDS_MAX + 1], sum;

	(void)state;
	pool_open(&pool, "--local-count off");
	sluice("weight set eight b1=1 b2=1 b3=2 b4=2 b5=2 b6=2 b7=3 b8=3");
	sum = pool_spread(&pool, 0, 20000, picks);
	assert_in_range(sum, 20000 - 20, 20000);
	assert_int_equal(picks[0], 0);
	for (unsigned int i = 1; i <= 8; i++)
		assert_share(i, picks[i], sum, (i <= 2 ? 1.0 : i <= 6 ? 2.0 : 3.0) / 16);
}

/* Slots whose candidates all drain give their flows to all that are left, not to one of them. */
static void shares_when_half_drain(void **state)
{
	static const struct pool pool = {"drained", "192.0.2.11", 80, IPPROTO_TCP, 8};
	unsigned int picks[POOL_BACKENDS_MAX + 1], sum;

	(void)state;
	pool_open(&pool, "--local-count off");
	for (unsigned int i = 1; i <= 4; i++)
		sluice("backend set drained b%u --state drain", i);
	sum = pool_spread(&pool, 0, 10000, picks);
	for (unsigned int i = 1; i <= 8; i++)
		assert_share(i, picks[i], sum, i <= 4 ? 0 : 1.0 / 4);
}

/* The next packet after a change follows it. */
static void who_wants_nothing_gets_nothing(void **state)
{
	static const struct {
		const char *change;
		unsigned int live; /* bit i: backend i */
	} steps[] = {
		{"weight set nothing b1=0", 0x1fc},
		{"weight set nothing b1=100 b5=0 b6=0", 0x19e},
		{"backend set nothing b2 --state drain", 0x19a},
		{"backend set nothing b3 --state down", 0x192},
		{"weight set nothing b1=0 b4=0 b7=0", 0x100},
		{"weight set nothing b1=1 b8=0", 0x002},
	};
	static const struct pool pool = {"nothing", "192.0.2.5", 80, IPPROTO_TCP, 8};
	unsigned int picks[POOL_BACKENDS_MAX + 1];

	(void)state;
	pool_open(&pool, "--local-count off");
	for (size_t step = 0; step < sizeof(steps) / sizeof(steps[0]); step++) {
		sluice("%s", steps[step].change);
		pool_spread(&pool, 10000 * step, 3000, picks);
		for (unsigned int i = 0; i <= 8; i++) {
			bool live = steps[step].live >> i & 1;

			if (live != (picks[i] > 0))
				fail_msg("after '%s' b%u got %u flows", steps[step].change, i,
					 picks[i]);
		}
	}
}

static struct packet_fields syn_to(const char *vip)
{
	return (struct packet_fields){
		.source = "198.51.100.7",
		.destination = vip,
		.source_port = 40001,
		.destination_port = 80,
		.protocol = IPPROTO_TCP,
		.tcp_flags = TCP_SYN,
		.ttl = 64,
		.payload_bytes = 8,
	};
}

static void no_backend(void **state)
{
	static const struct pool pool = {"none", "192.0.2.6", 80, IPPROTO_TCP, 3};
	struct packet_fields fields = syn_to("192.0.2.6");
	struct frame frame;

	(void)state;
	frame_build(&frame, &fields);
	sluice("service add none --vip 192.0.2.6 --port 80 --proto tcp");
	assert_dropped("a service without backends", &frame, "no_backend");
	sluice("service del none");

	pool_open(&pool, "");
	sluice("weight set none b1=0 b2=0 b3=0");
	assert_dropped("all weights 0", &frame, "no_backend");
	sluice("weight set none b1=1 b2=1 b3=1");
	for (unsigned int i = 1; i <= 3; i++)
		sluice("backend set none b%u --state drain", i);
	assert_dropped("all drain", &frame, "no_backend");
	for (unsigned int i = 1; i <= 3; i++)
		sluice("backend set none b%u --state down", i);
	assert_dropped("all down", &frame, "no_backend");
	for (unsigned int i = 1; i <= 3; i++)
		sluice("backend del none b%u", i);
	assert_dropped("all deleted", &frame, "no_backend");
	assert_int_equal(service_counts("none").packets, 0);
	assert_int_equal(service_counts("none").new_flows, 0);

	sluice("backend add none b4 --address 10.0.1.5");
	assert_int_equal(pool_send(&pool, 1, TCP_SYN), 4);
}

/* New flows go round a backend without a way; flows that are there have nowhere to go. */
static void no_next_hop(void **state)
{
	struct packet_fields fields = syn_to("192.0.2.7");
	struct frame syn, ack, frame;

	(void)state;
	frame_build(&syn, &fields);
	fields.tcp_flags = TCP_ACK;
	frame_build(&ack, &fields);
	sluice("service add hop --vip 192.0.2.7 --port 80 --proto tcp");
	sluice("backend add hop b1 --address 10.0.1.2");
	frame = syn;
	assert_int_equal(world_send(&frame), XDP_TX);
	frame = ack;
	assert_int_equal(world_send(&frame), XDP_TX);

	ip("route add unreachable 10.0.1.2/32");
	sluice("backend resolve hop");
	assert_dropped("established", &ack, "no_next_hop");
	fields.source_port++;
	fields.tcp_flags = TCP_SYN;
	frame_build(&syn, &fields);
	assert_dropped("new, and no other backend", &syn, "no_backend");
	sluice("backend add hop b2 --address 10.0.1.3");
	frame = syn;
	assert_int_equal(world_send(&frame), XDP_TX);
	assert_int_equal(frame.bytes[5], 3);

	ip("route del unreachable 10.0.1.2/32");
	sluice("backend resolve hop");
	frame = ack;
	assert_int_equal(world_send(&frame), XDP_TX);
	assert_int_equal(frame.bytes[5], 2);
}

static int remove_route(void **state)
{
	(void)state;
	ip("route flush type unreachable 10.0.1.2/32");
	return 0;
}

/*
 * Open flows even out: a pick that is busier than 5/4 of the least busy candidate gives way. With
 * three backends all are candidates everywhere, so no count is past that by more than a flow.
 */
static void local_count_evens_out(void **state)
{
	static const struct pool pool = {"local", "192.0.2.8", 80, IPPROTO_TCP, 3};
	long open[4], least = 100000, most = 0;

	(void)state;
	pool_open(&pool, "--local-count on");
	for (__u32 client = 0; client < 150; client++)
		pool_establish(&pool, client);
	for (unsigned int i = 1; i <= 3; i++) {
		open[i] = pool_open_flows(&pool, i);
		least = open[i] < least ? open[i] : least;
		most = open[i] > most ? open[i] : most;
	}
	assert_int_equal(open[1] + open[2] + open[3], 150);
	if ((most - 1) * 4 > (least + 1) * 5)
		fail_msg("open flows: %ld, %ld, %ld", open[1], open[2], open[3]);
}

/* Busy elsewhere counts: flows that b1 has already make the next ones go to b2 and b3. */
static void local_count_goes_round_the_busy(void **state)
{
	static const struct pool pool = {"busy", "192.0.2.9", 80, IPPROTO_TCP, 3};
	unsigned int picks[POOL_BACKENDS_MAX + 1];

	(void)state;
	pool_open(&pool, "--local-count on");
	sluice("weight set busy b1=1 b2=0 b3=0");
	for (__u32 client = 0; client < 100; client++)
		assert_int_equal(pool_establish(&pool, client), 1);
	sluice("weight set busy b1=1 b2=1 b3=1");
	pool_spread(&pool, 1000, 300, picks);
	assert_int_equal(picks[1], 0);
	assert_int_equal(picks[0], 0);
	assert_in_range(picks[2], 1, 299);
}

/* Balancers that share a seed share their picks, so that a flow may change between them. */
static void balancers_of_one_seed_agree(void **state)
{
	static const struct pool pool = {"twin", "192.0.2.10", 80, IPPROTO_TCP, 8};
	unsigned int went_to[200];

	(void)state;
	pool_load("one", &pool, false);
	sluice("weight set twin b1=3 b2=1 b3=0");
	for (__u32 client = 0; client < 200; client++)
		went_to[client] = pool_send(&pool, client, TCP_SYN);
	pool_load("two", &pool, false);
	sluice("weight set twin b1=3 b2=1 b3=0");
	for (__u32 client = 0; client < 200; client++)
		assert_int_equal(pool_send(&pool, client, TCP_SYN), went_to[client]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_port_beside_any_port),
		cmocka_unit_test(any_port_is_of_one_protocol),
		cmocka_unit_test(shares_follow_weights),
		cmocka_unit_test(shares_of_eight_follow_weights),
		cmocka_unit_test(shares_when_half_drain),
		cmocka_unit_test(who_wants_nothing_gets_nothing),
		cmocka_unit_test(no_backend),
		cmocka_unit_test_teardown(no_next_hop, remove_route),
		cmocka_unit_test(local_count_evens_out),
		cmocka_unit_test(local_count_goes_round_the_busy),
		cmocka_unit_test_teardown(balancers_of_one_seed_agree, world_use_main),
	};

	return cmocka_run_group_tests_name("select", tests, world_open, world_close);
}
