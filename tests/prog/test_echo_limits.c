/* SPDX-License-Identifier: GPL-2.0-only */
/* Echo requests to a VIP that are not answered: which are left alone, and how many are too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "icmp.h"
#include "world.h"

/* Answers go to one machine, never to a group, a loopback, a network or the balancer itself. */
static void sources(void **state)
{
	static const struct {
		const char *source;
		bool answered;
	} rows[] = {
		{"0.0.0.0", false},
		{"0.1.2.3", false},
		{"1.0.0.1", true},
		{"126.255.255.254", true},
		{"127.0.0.1", false},
		{"128.0.0.1", true},
		{"223.255.255.254", true},
		{"224.0.0.1", false},
		{"239.255.255.255", false},
		{"255.255.255.255", false},
		{"192.0.2.1", false},
		{"192.0.2.2", true},
		{"::", false},
		{"::1", false},
		{"::ffff:198.51.100.7", false},
		{"fe80::1", true},
		{"2001:db8::1", false},
		{"2001:db8::2", true},
		{"ff02::1", false},
		{"ff0e::1", false},
	};
	static const struct ping ping = {0x4711, 1, 56};
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct family family = strchr(rows[i].source, ':') ? *IPV6 : *IPV4;

		family.client = rows[i].source;
		echo_build(&frame, &family, &ping, false);
		if (rows[i].answered)
			assert_answered(rows[i].source, &family, &ping);
		else
			assert_left_to_stack(rows[i].source, &frame);
	}
	echo_build(&frame, IPV4, &ping, false);
	frame.bytes[0] |= 1;
	assert_left_to_stack("a frame for a group of stations", &frame);
}

/* What is not a plain echo request to a VIP is the stack's, as it came. */
static void others(void **state)
{
	static const struct {
		const char *name;
		const struct family *family;
		struct edit edit;
	} rows[] = {
		{"a reply", IPV4, {.pokes = {{AT_IPV4_L4, 0}}}},
		{"a reply, IPv6", IPV6, {.pokes = {{AT_IPV6_L4, 129}}}},
		{"code 1", IPV4, {.pokes = {{AT_IPV4_L4 + 1, 1}}}},
		{"code 1, IPv6", IPV6, {.pokes = {{AT_IPV6_L4 + 1, 1}}}},
		{"a timestamp request", IPV4, {.pokes = {{AT_IPV4_L4, 13}}}},
		{"type 128 in IPv4", IPV4, {.pokes = {{AT_IPV4_L4, 128}}}},
		{"type 8 in IPv6", IPV6, {.pokes = {{AT_IPV6_L4, 8}}}},
		{"ICMPv6 in IPv4", IPV4, {.pokes = {{AT_IP + 9, 58}}}},
		{"ICMP in IPv6", IPV6, {.pokes = {{AT_IP + 6, 1}}}},
		{"a first fragment", IPV4, {.pokes = {{AT_IP + 6, 0x20}}}},
		{"a later fragment", IPV4, {.pokes = {{AT_IP + 7, 0x10}}}},
		{"not to a VIP", IPV4, {.pokes = {{AT_IP + 19, 99}}}},
		{"not to a VIP, IPv6", IPV6, {.pokes = {{AT_IP + 39, 99}}}},
		{"options",
		 IPV4,
		 {.pokes = {{AT_IP, 0x46}, {AT_IP + 3, 88}},
		  .insert = {AT_IPV4_L4, 4, "\1\1\1\1"}}},
		{"destination options",
		 IPV6,
		 {.pokes = {{AT_IP + 5, 72}, {AT_IP + 6, 60}},
		  .insert = {AT_IPV6_L4, 8, "\x3a\0\1\4\0\0\0\0"}}},
		/* To who takes them for ICMP, these two are a request with a right checksum. */
		{"options that look like ICMP",
		 IPV4,
		 {.pokes = {{AT_IP, 0x46}, {AT_IP + 3, 88}},
		  .insert = {AT_IPV4_L4, 4, "\x01\x00\xfe\xff"}}},
		{"destination options that look like ICMP",
		 IPV6,
		 {.pokes = {{AT_IP + 5, 72}, {AT_IP + 6, 60}},
		  .insert = {AT_IPV6_L4, 8, "\x3a\0\xc5\xf7\0\0\0\0"}}},
		{"a fragment header",
		 IPV6,
		 {.pokes = {{AT_IP + 5, 72}, {AT_IP + 6, 44}},
		  .insert = {AT_IPV6_L4, 8, "\x3a\0\0\1\0\0\0\1"}}},
		{"longer than the frame", IPV4, {.pokes = {{AT_IP + 3, 85}}}},
		{"longer than the frame, IPv6", IPV6, {.pokes = {{AT_IP + 5, 65}}}},
		{"shorter than its header", IPV4, {.pokes = {{AT_IP + 3, 27}}}},
		{"shorter than its header, IPv6", IPV6, {.pokes = {{AT_IP + 5, 7}}}},
	};
	static const struct ping ping = {0x4711, 1, 56};
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		echo_build(&frame, rows[i].family, &ping, false);
		frame_edit(&frame, &rows[i].edit);
		assert_left_to_stack(rows[i].name, &frame);
	}
	echo_build(&frame, IPV4, &ping, false);
	write16(&frame, AT_IP + 10, read16(&frame, AT_IP + 10) ^ 0x0400);
	assert_left_to_stack("a wrong checksum of the IPv4 header", &frame);
}

static void truncated(void **state)
{
	static const struct ping ping = {0x4711, 1, 5};
	char name[64];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct frame whole, cut;

		echo_build(&whole, &families[i], &ping, false);
		for (__u32 bytes = AT_IP; bytes < whole.length_bytes; bytes++) {
			cut = whole;
			cut.length_bytes = bytes;
			snprintf(name, sizeof(name), "%s, %u bytes of it", families[i].name, bytes);
			assert_left_to_stack(name, &cut);
		}
	}
}

/* As many answers as the budget has, of both families together; errors have one of their own. */
static void budget_ends(void **state)
{
	static const struct ping ping = {0x4711, 1, 56};
	struct frame frame;
	__u64 replies = memory_read().echo_replies;

	(void)state;
	budget_set(BUDGET_NEVER, 3);
	assert_answered("first", IPV4, &ping);
	assert_answered("second", IPV6, &ping);
	assert_answered("third", IPV4, &ping);
	for (size_t i = 0; i < 2; i++) {
		echo_build(&frame, &families[i], &ping, false);
		assert_dropped("fourth", &frame, "echo_limit");
	}
	assert_int_equal(memory_read().echo_replies, replies + 3);
	assert_int_equal(memory_read().echoes_left, 0);
	assert_int_equal(memory_read().errors_left, 3);
}

/* 1000 at most are saved up, of either kind. */
static void budget_fills_up(void **state)
{
	static const struct ping ping = {0x4711, 1, 56};
	struct cpu_memory memory;

	(void)state;
	budget_set(0, 0);
	assert_answered("after a long time", IPV4, &ping);
	memory = memory_read();
	assert_int_equal(memory.echoes_left, 999);
	assert_int_equal(memory.errors_left, 1000);
	assert_true(memory.answers_jiffies > 0);
}

/* 1000 a second, so one a millisecond: however long the test was kept from running. */
static void budget_follows_the_clock(void **state)
{
	static const struct ping ping = {0x4711, 1, 56};
	const struct timespec pause = {.tv_nsec = 30000000};
	struct cpu_memory before, after;
	struct timespec jiffy;
	__u64 more;

	(void)state;
	assert_int_equal(clock_getres(CLOCK_MONOTONIC_COARSE, &jiffy), 0);
	budget_set(0, 0);
	assert_answered("after a long time", IPV4, &ping);
	before = memory_read();
	budget_set(before.answers_jiffies, 0);
	nanosleep(&pause, NULL);
	assert_answered("after a short time", IPV4, &ping);
	after = memory_read();
	assert_true(after.answers_jiffies > before.answers_jiffies);
	more = (after.answers_jiffies - before.answers_jiffies) * (jiffy.tv_nsec / 1000000);
	assert_int_equal(after.echoes_left, (more < 1000 ? more : 1000) - 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sources, budget_fill),
		cmocka_unit_test_setup(others, budget_fill),
		cmocka_unit_test_setup(truncated, budget_fill),
		cmocka_unit_test(budget_ends),
		cmocka_unit_test(budget_fills_up),
		cmocka_unit_test(budget_follows_the_clock),
	};

	return cmocka_run_group_tests_name("echo limits", tests, echo_open, world_close);
}
