/* SPDX-License-Identifier: GPL-2.0-only */
/* What a router on the way to a backend says of packets that are too long, told to the client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>

#include "icmp.h"
#include "way.h"

#define MTU_BYTES 1400 /* of the link behind the router */

static const char *router_of(const struct frame *forwarded)
{
	return is_ipv6(forwarded) ? "fd00:0:0:1::9" : "10.0.1.9";
}

/* The router's error about what @forwarded carries, with the first @quote_bytes of it. */
static void build_report(struct frame *report, const struct frame *forwarded, __u32 quote_bytes,
			 __u16 mtu_bytes)
{
	bool ipv6 = is_ipv6(forwarded);

	frame_error(report, forwarded, router_of(forwarded), ipv6 ? 2 : 3, ipv6 ? 0 : 4,
		    quote_bytes);
	write16(report, (ipv6 ? AT_IPV6_L4 : AT_IPV4_L4) + 6, mtu_bytes);
	frame_seal_icmp(report, AT_IP);
}

/* A packet of a client, and how it leaves for the backend. */
static void forward(const struct way *way, __u8 protocol, struct frame *in, struct frame *forwarded)
{
	struct packet_fields fields = way_packet(way, protocol, way_port(protocol));

	fields.payload_bytes = 1300;
	fields.tcp_flags = TCP_ACK;
	frame_build(in, &fields);
	*forwarded = *in;
	assert_true(world_send(forwarded) >= XDP_TX);
	frame_hop(in); /* as a quote has it */
}

static bool is_tunnel(const struct way *way)
{
	return strcmp(way->mode, "dsr");
}

static __u16 left_for_client(const struct way *way)
{
	__u16 left_bytes = MTU_BYTES - way_outer_bytes(way);

	return way_is_ipv6(way) && left_bytes < 1280 ? 1280 : left_bytes;
}

/* Linux routers quote as much as fits; others less, so as much as is there must do. */
static void every_way(void **state)
{
	__u64 errors = memory_read().too_big_errors;
	struct counts drops = drop_counts("too_big");
	struct frame in, forwarded, report, expected;

	(void)state;
	for (size_t i = 0; i < WAYS * 2; i++) {
		const struct way *way = &ways[i / 2];
		__u32 outer_bytes = way_outer_bytes(way);
		const __u32 quotes[] = {outer_bytes + 60, outer_bytes + 61, 548, 1000};

		if (!is_tunnel(way))
			continue;
		forward(way, i % 2 ? IPPROTO_UDP : IPPROTO_TCP, &in, &forwarded);
		for (size_t j = 0; j < sizeof(quotes) / sizeof(quotes[0]); j++) {
			build_report(&report, &forwarded, quotes[j], MTU_BYTES);
			in.length_bytes = AT_IP + quotes[j] - outer_bytes;
			too_big_build(&expected, &in, left_for_client(way));
			assert_answer(way->name, &report, &expected);
			drops.packets++;
			errors++;
		}
	}
	assert_int_equal(memory_read().too_big_errors, errors);
	assert_int_equal(drop_counts("too_big").packets, drops.packets);
}

/* The MTU has 32 bits in IPv6, in IPv4 16: those before it are none of it. */
static void every_mtu(void **state)
{
	static const struct {
		const char *way;
		__u32 mtu_bytes;
		__u16 told_bytes;
	} rows[] = {
		{"ipip-4in4-near", 0x00110578, 1400 - 20}, /* RFC 4884: bytes of the quote */
		{"ipip-4in4-near", 65535, 65535 - 20},
		{"ipip-6in6-near", 65535, 65535 - 40},
		{"ipip-6in6-near", 65536, 65535 - 40},
		{"ipip-6in6-near", 65536 + 1400, 65535 - 40},
		{"ipip-6in6-near", 0xffffffff, 65535 - 40},
	};
	struct frame in, forwarded, report, expected;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct way *way = way_named(rows[i].way);
		__u32 mtu_at = (way_is_ipv6(way) ? AT_IPV6_L4 : AT_IPV4_L4) + 4;

		forward(way, IPPROTO_TCP, &in, &forwarded);
		build_report(&report, &forwarded, 128, 0);
		write16(&report, mtu_at, rows[i].mtu_bytes >> 16);
		write16(&report, mtu_at + 2, rows[i].mtu_bytes & 0xffff);
		frame_seal_icmp(&report, AT_IP);
		in.length_bytes = AT_IP + 128 - way_outer_bytes(way);
		too_big_build(&expected, &in, rows[i].told_bytes);
		assert_answer(rows[i].way, &report, &expected);
	}
}

/* As the report has it, or a little otherwise: then it is not about a packet that we sent. */
static void others_are_left(void **state)
{
	static const struct {
		const char *name;
		__u32 at;
		__u8 value;
	} lies[] = {
		{"another error", AT_IPV4_L4, 11},
		{"another code", AT_IPV4_L4 + 1, 1},
		{"no MTU", AT_IPV4_L4 + 6, 0},
		{"of another protocol", AT_IPV4_L4 + 8 + 9, 47},
		{"of a fragment", AT_IPV4_L4 + 8 + 7, 9},
		{"inside not IPv4", AT_IPV4_L4 + 8 + 20, 0x55},
		{"inside neither TCP nor UDP", AT_IPV4_L4 + 8 + 20 + 9, 1},
		{"inside a later fragment", AT_IPV4_L4 + 8 + 20 + 7, 9},
		{"inside for no VIP", AT_IPV4_L4 + 8 + 20 + 16, 203},
	};
	struct frame in, forwarded, report;

	(void)state;
	forward(way_named("ipip-4in4-near"), IPPROTO_TCP, &in, &forwarded);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		build_report(&report, &forwarded, 128, i == 2 ? 120 : MTU_BYTES);
		report.bytes[lies[i].at] = lies[i].value;
		if (i == 2)
			write16(&report, AT_IPV4_L4 + 6, 0);
		frame_seal_icmp(&report, AT_IP);
		assert_left_to_stack(lies[i].name, &report);
	}
}

static void truncated(void **state)
{
	struct frame in, forwarded, report;

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		if (!is_tunnel(&ways[i]))
			continue;
		forward(&ways[i], IPPROTO_TCP, &in, &forwarded);
		build_report(&report, &forwarded, way_outer_bytes(&ways[i]) + 60, MTU_BYTES);
		assert_truncated_is_left(ways[i].name, &report);
	}
}

static void budget(void **state)
{
	struct frame in, forwarded, report;

	(void)state;
	forward(way_named("ipip-4in4-near"), IPPROTO_TCP, &in, &forwarded);
	build_report(&report, &forwarded, 128, MTU_BYTES);
	budget_set(BUDGET_NEVER, 0);
	assert_int_equal(world_send(&report), XDP_DROP);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_way, budget_fill),
		cmocka_unit_test_setup(every_mtu, budget_fill),
		cmocka_unit_test_setup(others_are_left, budget_fill),
		cmocka_unit_test_setup(truncated, budget_fill),
		cmocka_unit_test(budget),
	};

	return cmocka_run_group_tests_name("relay", tests, ways_open, world_close);
}
