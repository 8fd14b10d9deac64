/* SPDX-License-Identifier: GPL-2.0-only */
/* The second chance: what the node opens, what it gives to the next hop, and in which shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>

#include "node.h"

#define HOPS_IPV4                                  \
	{                                          \
		"10.0.1.2", "10.0.2.2", "10.9.0.2" \
	}
#define HOPS_IPV6                                                 \
	{                                                         \
		"fd00:0:0:1::2", "fd00:0:0:2::2", "fd00:0:0:1::3" \
	}

/* Of a connection that nobody here has. */
static const struct tunnel tunnels[] = {
	{"4-in-4",
	 {"10.0.1.9", OURS_IPV4, 0x29, 0},
	 {"198.51.100.7", "192.0.2.1", 40009, 80, IPPROTO_TCP, TCP_ACK, 63, 0, 9, 41},
	 {50001, 19523, true, true, 0, 3, HOPS_IPV4}},
	{"6-in-4",
	 {"10.0.1.9", OURS_IPV4, 0, 0},
	 {"2001:db8:c::7", "2001:db8::1", 40009, 80, IPPROTO_TCP, TCP_ACK, 63, 0, 0, 42},
	 {50001, 19523, false, true, 0, 3, HOPS_IPV4}},
	{"4-in-6",
	 {"fd00:0:0:1::9", OURS_IPV6, 0x29, 0x12345},
	 {"198.51.100.7", "192.0.2.1", 40009, 80, IPPROTO_TCP, TCP_ACK, 63, 0, 9, 41},
	 {50001, 19523, false, true, 0, 3, HOPS_IPV6}},
	{"6-in-6",
	 {"fd00:0:0:1::9", OURS_IPV6, 0, 0x12345},
	 {"2001:db8:c::7", "2001:db8::1", 40009, 80, IPPROTO_TCP, TCP_ACK, 63, 0, 0, 41},
	 {50001, 19523, true, true, 0, 3, HOPS_IPV6}},
};

#define TUNNELS (sizeof(tunnels) / sizeof(tunnels[0]))

static const struct path *const paths[2][3] = {
	{&near_ipv4, &far_ipv4, &routed_ipv4},
	{&near_ipv6, &far_ipv6, &near_ipv6},
};

/* The frame that the next hop must get: what the node got, from it to the hop, one router on. */
static void build_passed_on(const struct tunnel *sent, const struct path *path, struct frame *frame)
{
	struct tunnel tunnel = *sent;

	tunnel.outer.source = sent->outer.destination;
	tunnel.outer.destination = sent->gue.hops[sent->gue.next_hop];
	tunnel.gue.next_hop++;
	tunnel_build(&tunnel, frame);
	frame_hop(frame);
	frame_address(frame, &path->to, &path->from);
}

static bool over_ipv6(const struct tunnel *tunnel)
{
	return strchr(tunnel->outer.destination, ':');
}

static void assert_goes_on(const char *name, const struct tunnel *tunnel)
{
	const struct path *path = paths[over_ipv6(tunnel)][tunnel->gue.next_hop];
	struct frame sent, expected;

	tunnel_build(tunnel, &sent);
	build_passed_on(tunnel, path, &expected);
	assert_passed_on(name, &sent, &expected, path->verdict);
}

/* @left: it is a packet of an unknown connection, and counted as one that has no hop left. */
static void assert_opens(const char *name, const struct tunnel *tunnel, bool left)
{
	struct frame sent, inner;
	__u64 before = node_counts().no_hop_left;

	tunnel_build(tunnel, &sent);
	frame_build(&inner, &tunnel->inner);
	assert_opened(name, &sent, &inner);
	if (node_counts().no_hop_left != before + left)
		fail_msg("%s: not counted as it should be", name);
}

/* With a way to everywhere, so that what stands behind the list would be a hop like others. */
static void tries_hop_after_hop(void **state)
{
	struct tunnel tunnel = *(const struct tunnel *)*state;

	ip("route add default via 10.0.1.2");
	ip("-6 route add default via fd00:0:0:1::2");
	for (tunnel.gue.hop_count = 1; tunnel.gue.hop_count <= 2; tunnel.gue.hop_count++) {
		for (int i = 0; i < tunnel.gue.hop_count; i++) {
			tunnel.gue.next_hop = i;
			assert_goes_on(tunnel.name, &tunnel);
		}
		tunnel.gue.next_hop = tunnel.gue.hop_count;
		assert_opens("the last one", &tunnel, true);
		tunnel.gue.next_hop = 255;
		assert_opens("index 255", &tunnel, true);
	}
	tunnel.gue.next_hop = 0;
	tunnel.gue.hop_count = 0;
	assert_opens("no hop at all", &tunnel, true);
	tunnel.gue.hops_given = false;
	assert_opens("plain GUE", &tunnel, false);
	tunnel.gue.destination_port = 0;
	assert_opens("IPIP", &tunnel, false);
	ip("route del default");
	ip("-6 route del default");
}

/* By a router behind another device, whose neighbour it is. */
static void goes_by_a_router(void **state)
{
	struct tunnel tunnel = tunnels[0];
	struct frame sent, expected;

	(void)state;
	tunnel.gue.next_hop = 2;
	tunnel_build(&tunnel, &sent);
	build_passed_on(&tunnel, &routed_ipv4, &expected);
	assert_passed_on("routed", &sent, &expected, XDP_REDIRECT);
}

/* Whatever flags but those of a SYN. */
static void looks_at_flags(void **state)
{
	struct tunnel tunnel = *(const struct tunnel *)*state;
	char name[32];

	for (int flags = 0; flags < 256; flags++) {
		tunnel.inner.tcp_flags = flags;
		snprintf(name, sizeof(name), "TCP flags %#x", flags);
		if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
			assert_opens(name, &tunnel, false);
		else
			assert_goes_on(name, &tunnel);
	}
}

/* Updated, not computed anew: from every value that a checksum can have. */
static void mends_every_checksum(void **state)
{
	struct tunnel tunnel = *(const struct tunnel *)*state;
	const struct path *path = paths[over_ipv6(&tunnel)][0];
	struct frame sent, expected;

	tunnel.inner.payload_bytes = 1;
	tunnel.gue.checksum = true;
	tunnel.gue.hop_count = 1;
	for (__u32 port = 0; port <= 0xffff; port++) {
		tunnel.gue.source_port = port;
		tunnel_build(&tunnel, &sent);
		build_passed_on(&tunnel, path, &expected);
		assert_int_equal(world_run("node", &sent), XDP_TX);
		assert_frame("source port", &sent, &expected);
	}
}

static void keeps_tags(void **state)
{
	struct tunnel tunnel = *(const struct tunnel *)*state;
	const struct path *path = paths[over_ipv6(&tunnel)][0];
	struct frame sent, expected;

	for (unsigned int tags = 1; tags <= 2; tags++) {
		tunnel.gue.next_hop = 0;
		tunnel_build(&tunnel, &sent);
		build_passed_on(&tunnel, path, &expected);
		frame_tag(&sent, tags);
		frame_tag(&expected, tags);
		assert_passed_on("tagged", &sent, &expected, XDP_TX);

		tunnel.gue.next_hop = 1;
		tunnel_build(&tunnel, &sent);
		frame_build(&expected, &tunnel.inner);
		frame_tag(&sent, tags);
		frame_tag(&expected, tags);
		assert_opened("tagged, the hop is behind another device", &sent, &expected);
	}
}

static void lets_nothing_travel_for_ever(void **state)
{
	struct tunnel tunnel = *(const struct tunnel *)*state;
	const struct path *path = paths[over_ipv6(&tunnel)][0];
	__u32 ttl_at = over_ipv6(&tunnel) ? AT_IP + 7 : AT_IPV4_TTL;
	struct frame sent, expected;

	for (int ttl = 0; ttl < 4; ttl++) {
		tunnel_build(&tunnel, &sent);
		build_passed_on(&tunnel, path, &expected);
		sent.bytes[ttl_at] = ttl;
		expected.bytes[ttl_at] = ttl - 1;
		if (!over_ipv6(&tunnel)) {
			frame_seal(&sent);
			frame_seal(&expected);
		}
		if (ttl > 1) {
			assert_passed_on("TTL", &sent, &expected, XDP_TX);
			continue;
		}
		frame_build(&expected, &tunnel.inner);
		assert_opened("TTL", &sent, &expected);
	}
}

/* Nowhere, ourselves, or behind a path that is too narrow. */
static void opens_without_a_way(void **state)
{
	static const char *const hops[2][5] = {
		{"203.0.113.1", OURS_IPV4, "10.0.2.1", "10.9.9.1", "0.0.0.0"},
		{"2001:db8:9::1", OURS_IPV6, "fd00:0:0:2::1", "fd00:0:0:9::1", "::"},
	};
	struct tunnel tunnel = *(const struct tunnel *)*state;

	for (int i = 0; i < 5; i++) {
		tunnel.gue.hops[0] = hops[over_ipv6(&tunnel)][i];
		assert_opens(tunnel.gue.hops[0], &tunnel, true);
	}
	tunnel.gue.hops[0] = over_ipv6(&tunnel) ? "fd00:0:0:8::1" : "10.9.8.1";
	tunnel.inner.payload_bytes = 1240;
	assert_opens("MTU of the route", &tunnel, true);
}

/* Only the stack can ask for a neighbour: it gets a ping to answer (RFC 792; RFC 4443, 4.1). */
static void asks_for_a_neighbour(void **state)
{
	struct tunnel tunnel = *(const struct tunnel *)*state;
	bool ipv6 = over_ipv6(&tunnel);
	const struct packet_fields ping = {
		ipv6 ? "fd00:0:0:1::77" : "10.0.1.77",
		ipv6 ? OURS_IPV6 : OURS_IPV4,
		0,
		0,
		IPPROTO_UDP,
		0,
		64,
		0,
		0,
		0,
	};
	struct node_counters before = node_counts();
	struct frame sent, expected;
	__u32 at, sum_bytes;

	tunnel.gue.hops[0] = ping.source;
	tunnel_build(&tunnel, &sent);
	frame_build(&expected, &ping); /* then ICMP's 8 bytes in place of UDP's */
	at = ipv6 ? AT_IPV6_L4 : AT_IPV4_L4;
	memset(expected.bytes + at, 0, 8);
	expected.bytes[at] = ipv6 ? 128 : 8;
	expected.bytes[ipv6 ? AT_IP + 6 : AT_IP + 9] = ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	if (ipv6) {
		memset(expected.bytes + AT_IP, 0, 4);
		expected.bytes[AT_IP] = 0x60;
	} else {
		write16(&expected, AT_IP + 6, 0);
		frame_seal(&expected);
	}

	assert_int_equal(world_run("node", &sent), XDP_PASS);
	sum_bytes = ipv6 ? 32 + 8 : 8;
	if (ipv6) { /* the pseudo-header's length and protocol are not in the frame */
		__u8 covered[40 + 8] = {};

		memcpy(covered, sent.bytes + at - 32, sum_bytes);
		covered[43] = 8;
		covered[47] = IPPROTO_ICMPV6;
		assert_int_equal(checksum(covered, sizeof(covered)), 0);
	} else {
		assert_int_equal(checksum(sent.bytes + at, sum_bytes), 0);
	}
	write16(&sent, at + 2, 0);
	sent.length_bytes = expected.length_bytes; /* what is behind the packet is padding */
	assert_frame("ping", &sent, &expected);
	assert_int_equal(node_counts().no_neighbour, before.no_neighbour + 1);
	assert_int_equal(node_counts().passed_on, before.passed_on);
	assert_int_equal(node_counts().packets, before.packets);
}

static void passes_jumbo_on(void **state)
{
	struct tunnel tunnel = *(const struct tunnel *)*state;

	tunnel.inner.payload_bytes = 8700;
	assert_opens("MTU 1500", &tunnel, true);
	ip("link set " NEAR " mtu 9000");
	assert_goes_on("MTU 9000", &tunnel);
	ip("link set " NEAR " mtu 1500");
}

static int open_with_routes(void **state)
{
	if (node_open(state))
		return -1;
	ip("route add blackhole 10.9.9.0/24");
	ip("route add blackhole fd00:0:0:9::/64");
	ip("route add 10.9.8.0/24 via 10.0.1.2 mtu lock 1280");
	ip("route add fd00:0:0:8::/64 via fd00:0:0:1::2 mtu lock 1280");
	return 0;
}

int main(void)
{
	static const struct tunnel_test kinds[] = {
		{"tries hop after hop", tries_hop_after_hop},
		{"looks at flags", looks_at_flags},
		{"mends every checksum", mends_every_checksum},
		{"keeps tags", keeps_tags},
		{"lets nothing travel for ever", lets_nothing_travel_for_ever},
		{"opens without a way", opens_without_a_way},
		{"asks for a neighbour", asks_for_a_neighbour},
		{"passes a jumbo frame on", passes_jumbo_on},
	};
	static const struct CMUnitTest others[] = {cmocka_unit_test(goes_by_a_router)};
	const size_t kind_count = sizeof(kinds) / sizeof(kinds[0]);
	struct CMUnitTest tests[TUNNELS * kind_count + 1];
	size_t count = tunnel_tests(tests, tunnels, TUNNELS, kinds, kind_count);

	memcpy(tests + count, others, sizeof(others));
	return cmocka_run_group_tests_name("node_hop", tests, open_with_routes, world_close);
}
