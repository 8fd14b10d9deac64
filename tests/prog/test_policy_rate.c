/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits. Most rows give one token a second and a burst of ten seconds, so that exactly ten packets
 * pass at once, however slow the machine is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/wait.h>

#include "policy_world.h"

#define RULE(text) "    - {" text "}\n"
#define TRIES      40

/* Of @tries packets; each from another port, so each opens a flow. */
static unsigned int count_passed(const char *source, const char *vip, __u16 port, __u8 tcp_flags,
				 unsigned int tries)
{
	static __u16 client_port = 1024;
	struct packet_fields fields = policy_packet(source, vip, port);
	unsigned int passed = 0;
	struct frame frame;

	fields.tcp_flags = tcp_flags;
	while (tries--) {
		int verdict;

		fields.source_port = client_port++;
		if (client_port < 1024)
			client_port = 1024;
		frame_build(&frame, &fields);
		verdict = world_send(&frame);
		if (verdict != XDP_TX && verdict != XDP_DROP)
			fail_msg("%s: verdict %d", source, verdict);
		passed += verdict == XDP_TX;
	}
	return passed;
}

static void assert_passed(const char *source, const char *vip, __u8 tcp_flags,
			  unsigned int expected, const char *reason)
{
	struct counts before = drop_counts(reason);
	unsigned int passed = count_passed(source, vip, 80, tcp_flags, TRIES);

	if (passed != expected)
		fail_msg("from %s: %u of %u passed, expected %u", source, passed, TRIES, expected);
	assert_int_equal(drop_counts(reason).packets, before.packets + TRIES - expected);
}

static void packets_of_a_rule(void **state)
{
	(void)state;
	policy_set(RULE("action: limit, service: web4, packets: 1, burst_ms: 10000, comment: a"),
		   false);
	assert_passed("198.51.100.7", VIP_IPV4, TCP_ACK, 10, "rate");
	assert_passed("198.51.101.7", VIP_IPV4, TCP_SYN, 0, "rate");
	assert_passed("198.51.100.7", OTHER_IPV4, TCP_ACK, TRIES, "rate");
	assert_passed("2001:db8:c::7", VIP_IPV6, TCP_ACK, TRIES, "rate");
	assert_int_equal(policy_rule_counts("a").packets, 2 * TRIES);
	assert_int_equal(policy_rule_counts("a").dropped_packets, 2 * TRIES - 10);
}

/* Who is allowed goes past it, and takes nothing of it. */
static void allowed_sources_pass(void **state)
{
	(void)state;
	policy_set(RULE("action: limit, packets: 1, new_flows: 1, burst_ms: 10000")
			   RULE("action: allow, source: 198.51.100.0/24"),
		   false);
	assert_passed("198.51.100.7", VIP_IPV4, TCP_SYN, TRIES, "rate");
	assert_passed("198.51.101.7", VIP_IPV4, TCP_ACK, 10, "rate");
}

static void packets_of_each_source(void **state)
{
	(void)state;
	policy_set(RULE("action: limit, source_packets: 1, burst_ms: 10000"), false);
	assert_passed("198.51.100.7", VIP_IPV4, TCP_ACK, 10, "source_rate");
	assert_passed("198.51.100.8", VIP_IPV4, TCP_SYN, 10, "source_rate");
	assert_passed("198.51.100.8", OTHER_IPV4, TCP_ACK, 0, "source_rate");
	assert_passed("2001:db8:c::7", VIP_IPV6, TCP_ACK, 10, "source_rate");
	assert_passed("2001:db8:c::8", VIP_IPV6, TCP_ACK, 0, "source_rate"); /* of that /64 */
	assert_passed("2001:db8:c:1::8", VIP_IPV6, TCP_ACK, 10, "source_rate");
}

static void sources_of_other_lengths(void **state)
{
	(void)state;
	policy_set(RULE("action: limit, source_packets: 1, burst_ms: 10000, source_bits_ipv4: 24, "
			"source_bits_ipv6: 48"),
		   false);
	assert_passed("198.51.100.0", VIP_IPV4, TCP_ACK, 10, "source_rate");
	assert_passed("198.51.100.255", VIP_IPV4, TCP_ACK, 0, "source_rate");
	assert_passed("198.51.101.0", VIP_IPV4, TCP_ACK, 10, "source_rate");
	assert_passed("2001:db8:c:ffff::1", VIP_IPV6, TCP_ACK, 10, "source_rate");
	assert_passed("2001:db8:c::1", VIP_IPV6, TCP_ACK, 0, "source_rate");
	assert_passed("2001:db8:d::1", VIP_IPV6, TCP_ACK, 10, "source_rate");

	policy_set(RULE("action: limit, source_packets: 1, burst_ms: 9000, source_bits_ipv4: 1, "
			"source_bits_ipv6: 128"),
		   false);
	assert_passed("198.51.100.0", VIP_IPV4, TCP_ACK, 9, "source_rate");
	assert_passed("128.0.0.1", VIP_IPV4, TCP_ACK, 0, "source_rate");
	assert_passed("127.0.0.1", VIP_IPV4, TCP_ACK, 9, "source_rate");
	assert_passed("2001:db8:c::7", VIP_IPV6, TCP_ACK, 9, "source_rate");
	assert_passed("2001:db8:c::6", VIP_IPV6, TCP_ACK, 9, "source_rate");
}

/* Only SYNs that open a flow: not one that is sent again, nor what belongs to a flow. */
static void new_flows_of_each_source(void **state)
{
	struct packet_fields fields = policy_packet("198.51.100.7", VIP_IPV4, 80);
	struct frame frame;

	(void)state;
	policy_set(RULE("action: limit, source_new_flows: 1, burst_ms: 10000"), false);
	fields.source_port = 1000;
	for (int again = 0; again < 20; again++) {
		frame_build(&frame, &fields);
		assert_int_equal(world_send(&frame), XDP_TX);
		fields.tcp_flags = again < 5 ? TCP_SYN : TCP_ACK;
	}
	assert_passed("198.51.100.7", VIP_IPV4, TCP_SYN, 9, "source_new_flow_rate");
	assert_passed("198.51.100.7", VIP_IPV4, TCP_ACK, TRIES, "source_new_flow_rate");
	assert_passed("198.51.100.8", VIP_IPV4, TCP_SYN, 10, "source_new_flow_rate");
	assert_passed("2001:db8:c::7", VIP_IPV6, TCP_SYN, 10, "source_new_flow_rate");
}

/* A datagram whose flow is not known opens one. */
static void new_flows_of_udp(void **state)
{
	struct packet_fields fields = policy_packet("198.51.100.9", VIP_IPV4, 53);
	struct frame frame;

	(void)state;
	policy_set(RULE("action: limit, source_new_flows: 1, burst_ms: 10000"), false);
	fields.source_port = 1000;
	for (int again = 0; again < 20; again++) {
		frame_build(&frame, &fields);
		assert_int_equal(world_send(&frame), XDP_TX);
	}
	assert_int_equal(count_passed("198.51.100.9", VIP_IPV4, 53, 0, TRIES), 9);
}

static void open_flow(const char *source, const char *vip)
{
	struct packet_fields fields = policy_packet(source, vip, 80);
	struct frame frame;

	fields.source_port = 999;
	frame_build(&frame, &fields);
	assert_int_equal(world_send(&frame), XDP_TX);
	fields.tcp_flags = TCP_ACK;
	frame_build(&frame, &fields);
	assert_int_equal(world_send(&frame), XDP_TX);
}

/*
 * Ten new flows: unknown sources get one as long as five are left or more, which is six; then the
 * other four are for those of which a flow got past its first packet.
 */
static void known_sources_first(void **state)
{
	static const char limits[] =
		RULE("action: limit, service: web4, new_flows: 1, burst_ms: 10000")
			RULE("action: limit, service: web6, new_flows: 1, burst_ms: 10000");

	(void)state;
	open_flow("203.0.113.7", VIP_IPV4);
	open_flow("2001:db8:f::7", VIP_IPV6);
	/* Its SYN alone makes nobody known. */
	assert_int_equal(count_passed("203.0.113.8", VIP_IPV4, 80, TCP_SYN, 1), 1);

	policy_set(limits, false);
	assert_passed("203.0.113.8", VIP_IPV4, TCP_SYN, 6, "new_flow_rate");
	assert_passed("203.0.113.9", VIP_IPV4, TCP_SYN, 0, "new_flow_rate");
	assert_passed("203.0.113.7", VIP_IPV4, TCP_SYN, 4, "new_flow_rate");
	assert_passed("2001:db8:f:1::7", VIP_IPV6, TCP_SYN, 6, "new_flow_rate");
	/* Another address of the known /64. */
	assert_passed("2001:db8:f::8", VIP_IPV6, TCP_SYN, 4, "new_flow_rate");
	assert_passed("203.0.113.7", VIP_IPV4, TCP_ACK, TRIES, "new_flow_rate");
}

/* More sources than a set has room for: those that send most keep their marks. */
static void many_sources_push_out_no_flood(void **state)
{
	char source[INET_ADDRSTRLEN];

	(void)state;
	policy_set(RULE("action: limit, source_packets: 1, burst_ms: 10000"), false);
	assert_passed("203.0.113.7", VIP_IPV4, TCP_ACK, 10, "source_rate");
	for (unsigned int i = 0; i < 100000; i++) {
		snprintf(source, sizeof(source), "10.%u.%u.%u", i >> 16, i >> 8 & 0xff, i & 0xff);
		count_passed(source, VIP_IPV4, 80, TCP_ACK, 1);
	}
	assert_in_range(count_passed("203.0.113.7", VIP_IPV4, 80, TCP_ACK, TRIES), 0, 9);
}

/* Who has used up a long burst need not wait for the end of it when the rule gets a shorter one. */
static void a_shorter_burst(void **state)
{
	static const char *const rules[][2] = {
		{RULE("action: limit, source_packets: 1, burst_ms: 30000"),
		 RULE("action: limit, source_packets: 100, burst_ms: 100")},
		{RULE("action: limit, packets: 1, burst_ms: 30000"),
		 RULE("action: limit, packets: 100, burst_ms: 100")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		policy_set(rules[i][0], false);
		assert_int_equal(count_passed("203.0.113.77", VIP_IPV4, 80, TCP_ACK, TRIES), 30);
		policy_set(rules[i][1], false);
		assert_int_equal(count_passed("203.0.113.77", VIP_IPV4, 80, TCP_ACK, 1), 0);
		usleep(300000);
		assert_in_range(count_passed("203.0.113.77", VIP_IPV4, 80, TCP_ACK, TRIES), 8, 12);
	}
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* As fast as it goes, on that CPU; it ends with this process. */
static pid_t flood_on(unsigned int cpu, double until_s, const char *source)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	world_cpu(cpu);
	while (now_s() < until_s)
		count_passed(source, VIP_IPV4, 80, TCP_ACK, 20);
	_exit(0);
}

/*
 * 5,000 a second for a second and a half, on both CPUs at once; a burst of 500 ms more, which also
 * bridges the time that a busy machine takes away. Of @source, which nobody has used before.
 */
static void assert_rate_on_two_cpus(const char *rule, const char *source)
{
	double begun_s, lasted_s, expected, passed;
	struct rule_counters before, counts;
	pid_t pids[2];

	policy_set(rule, false);
	before = policy_rule_counts("a"); /* of an earlier rule, if this one has its place */
	begun_s = now_s();
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		pids[cpu] = flood_on(cpu, begun_s + 1.5, source);
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		assert_int_equal(waitpid(pids[cpu], NULL, 0), pids[cpu]);
	lasted_s = now_s() - begun_s;
	counts = policy_rule_counts("a");
	counts.packets -= before.packets;
	passed = counts.packets - (counts.dropped_packets - before.dropped_packets);
	expected = 5000 * (lasted_s + 0.5);
	print_message("# %.0f of %llu packets passed, expected %.0f\n", passed,
		      (unsigned long long)counts.packets, expected);
	/* Or there was no flood. */
	assert_true(counts.packets > 1.5 * expected);
	assert_true(passed > 0.9 * expected && passed < 1.1 * expected);
}

static void rate_on_two_cpus(void **state)
{
	(void)state;
	if (!world_cpu(1))
		skip();
	world_cpu(0);
	assert_rate_on_two_cpus(RULE("action: limit, packets: 5000, burst_ms: 500, comment: a"),
				"198.51.100.201");
	assert_rate_on_two_cpus(
		RULE("action: limit, source_packets: 5000, burst_ms: 500, comment: a"),
		"198.51.100.202");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(packets_of_a_rule, policy_none),
		cmocka_unit_test_setup(allowed_sources_pass, policy_none),
		cmocka_unit_test_setup(packets_of_each_source, policy_none),
		cmocka_unit_test_setup(sources_of_other_lengths, policy_none),
		cmocka_unit_test_setup(new_flows_of_each_source, policy_none),
		cmocka_unit_test_setup(new_flows_of_udp, policy_none),
		cmocka_unit_test_setup(known_sources_first, policy_none),
		cmocka_unit_test_setup(many_sources_push_out_no_flood, policy_none),
		cmocka_unit_test_setup(a_shorter_burst, policy_none),
		cmocka_unit_test_setup(rate_on_two_cpus, policy_none),
	};

	return cmocka_run_group_tests_name("policy rates", tests, policy_open, world_close);
}
