/* SPDX-License-Identifier: GPL-2.0-only */
/* The node's program: what it opens, what it leaves alone, and congestion marks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>

#include "node.h"

enum mode { IN4_4, IN6_6, IN6_4, IN4_6 };

#define TCP_IPV4                                                                           \
	{                                                                                  \
		"198.51.100.7", "192.0.2.1", 40001, 80, IPPROTO_TCP, TCP_ACK, 63, 0, 9, 41 \
	}
#define TCP_IPV6                                                                              \
	{                                                                                     \
		"2001:db8:c::7", "2001:db8::1", 40001, 80, IPPROTO_TCP, TCP_ACK, 63, 0, 0, 41 \
	}
#define UDP_IPV4                                                                     \
	{                                                                            \
		"198.51.100.7", "192.0.2.1", 40001, 53, IPPROTO_UDP, 0, 63, 0, 9, 41 \
	}
#define UDP_IPV6                                                                        \
	{                                                                               \
		"2001:db8:c::7", "2001:db8::1", 40001, 53, IPPROTO_UDP, 0, 63, 0, 0, 41 \
	}
#define OUTER_IPV4                          \
	{                                   \
		"10.0.1.9", OURS_IPV4, 0, 0 \
	}
#define OUTER_IPV6                                     \
	{                                              \
		"fd00:0:0:1::9", OURS_IPV6, 0, 0x12345 \
	}

/* IPIP first; then GUE: plain, and with hops that are not to be used (any more). */
static const struct tunnel tunnels[] = {
	[IN4_4] = {"4-in-4", OUTER_IPV4, TCP_IPV4, {}},
	[IN6_6] = {"6-in-6", OUTER_IPV6, TCP_IPV6, {}},
	[IN6_4] = {"4-in-6", OUTER_IPV6, UDP_IPV4, {}},
	[IN4_6] = {"6-in-4", OUTER_IPV4, UDP_IPV6, {}},
	{"GUE 4-in-4, plain", OUTER_IPV4, TCP_IPV4, {50001, 19523, true, false, 0, 0, {}}},
	{"GUE 6-in-6, plain", OUTER_IPV6, TCP_IPV6, {50001, 19523, true, false, 0, 0, {}}},
	{"GUE 4-in-4, no hop", OUTER_IPV4, TCP_IPV4, {50001, 19523, true, true, 0, 0, {}}},
	{"GUE 6-in-4, no hop", OUTER_IPV4, UDP_IPV6, {50001, 19523, false, true, 0, 0, {}}},
	{"GUE 4-in-4, 1 hop, tried",
	 OUTER_IPV4,
	 TCP_IPV4,
	 {50001, 19523, true, true, 1, 1, {"10.0.1.2"}}},
	{"GUE 4-in-6, 2 hops, tried",
	 OUTER_IPV6,
	 TCP_IPV4,
	 {50001, 19523, true, true, 2, 2, {"fd00:0:0:1::2", "fd00:0:0:1::3"}}},
	{"GUE 6-in-6, 3 hops, index 255",
	 OUTER_IPV6,
	 TCP_IPV6,
	 {50001, 19523, true, true, 255, 3, {"fd00:0:0:1::2", "fd00:0:0:1::3", "fd00:0:0:1::4"}}},
	{"GUE 6-in-4, 3 hops, UDP",
	 OUTER_IPV4,
	 UDP_IPV6,
	 {50001, 19523, false, true, 0, 3, {"10.0.1.2", "10.0.1.3", "10.0.2.2"}}},
};

#define TUNNELS (sizeof(tunnels) / sizeof(tunnels[0]))

static void opens(void **state)
{
	const struct tunnel *tunnel = *state;
	struct frame sent, inner;

	tunnel_build(tunnel, &sent);
	frame_build(&inner, &tunnel->inner);
	assert_opened(tunnel->name, &sent, &inner);
}

/* Padding of the outer frame is behind the inner packet then, whose length tells them apart. */
static void opens_padded(void **state)
{
	const struct tunnel *tunnel = *state;
	struct frame sent, inner;

	tunnel_build(tunnel, &sent);
	frame_build(&inner, &tunnel->inner);
	memset(sent.bytes + sent.length_bytes, 0xee, 9);
	memset(inner.bytes + inner.length_bytes, 0xee, 9);
	sent.length_bytes += 9;
	inner.length_bytes += 9;
	assert_opened(tunnel->name, &sent, &inner);
}

/* One tag, or two of a provider's and a customer's. */
static void opens_tagged(void **state)
{
	const struct tunnel *tunnel = *state;
	struct frame sent, inner;

	for (unsigned int tags = 1; tags <= 2; tags++) {
		tunnel_build(tunnel, &sent);
		frame_build(&inner, &tunnel->inner);
		frame_tag(&sent, tags);
		frame_tag(&inner, tags);
		assert_opened(tunnel->name, &sent, &inner);
	}
}

/* What does not fit into the part of a frame that the program sees at once. */
static void opens_jumbo(void **state)
{
	struct tunnel tunnel = *(const struct tunnel *)*state;
	struct frame sent, inner;

	for (unsigned int tags = 0; tags <= 2; tags++) {
		tunnel.inner.payload_bytes = 8800;
		tunnel_build(&tunnel, &sent);
		frame_build(&inner, &tunnel.inner);
		frame_tag(&sent, tags);
		frame_tag(&inner, tags);
		assert_opened(tunnel.name, &sent, &inner);
		sent.length_bytes--;
		assert_left_alone("jumbo frame with a byte cut off", &sent);
	}
}

static void leaves_truncated_alone(void **state)
{
	const struct tunnel *tunnel = *state;
	struct frame whole, sent;
	char name[64];

	tunnel_build(tunnel, &whole);
	for (__u32 length = AT_IP; length < whole.length_bytes; length++) {
		sent = whole;
		sent.length_bytes = length;
		snprintf(name, sizeof(name), "%s cut to %u bytes", tunnel->name, length);
		assert_left_alone(name, &sent);
	}
}

/* What is not within the outer packet did not travel in it: Ethernet's padding, or a lie. */
static void leaves_inner_longer_than_outer_alone(void **state)
{
	const struct tunnel *tunnel = *state;
	struct frame sent;
	__u16 whole_bytes;
	char name[64];
	__u32 at;

	tunnel_build(tunnel, &sent);
	at = AT_IP + (is_ipv6(&sent) ? 4 : 2);
	whole_bytes = read16(&sent, at);
	for (__u16 length = 0; length < whole_bytes; length++) {
		write16(&sent, at, length);
		if (!is_ipv6(&sent))
			frame_seal(&sent);
		snprintf(name, sizeof(name), "%s, outer length %u", tunnel->name, length);
		assert_left_alone(name, &sent);
	}
}

static void leaves_for_others_alone(void **state)
{
	/* A neighbour's, another device's of this machine, the VIP, and all hosts. */
	static const char *const others[][2] = {
		{"10.0.1.2", "fd00:0:0:1::2"},
		{"10.0.2.1", "fd00:0:0:2::1"},
		{"192.0.2.1", "2001:db8::1"},
		{"224.0.0.1", "ff02::1"},
	};
	struct tunnel tunnel = *(const struct tunnel *)*state;
	bool ipv6 = strchr(tunnel.outer.destination, ':');
	struct frame sent;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		tunnel.outer.destination = others[i][ipv6];
		tunnel_build(&tunnel, &sent);
		assert_left_alone(tunnel.outer.destination, &sent);
	}
}

/* The inner packet alone, for our own address, is not a tunnel's. */
static void leaves_plain_packets_alone(void **state)
{
	static const char *const ours[] = {OURS_IPV4, OURS_IPV6};
	struct packet_fields fields = {NULL, NULL, 40001, 80, IPPROTO_TCP, TCP_SYN, 64, 0, 1, 40};
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fields.source = i ? "2001:db8:c::7" : "198.51.100.7";
		fields.destination = ours[i];
		fields.protocol = IPPROTO_TCP;
		frame_build(&frame, &fields);
		assert_left_alone("TCP", &frame);
		fields.protocol = IPPROTO_UDP;
		frame_build(&frame, &fields);
		assert_left_alone("UDP", &frame);
	}
}

struct row {
	const char *name;
	enum mode mode;
	struct edit edit;
};

#define INNER4 (AT_IP + 20) /* where the inner packet starts in an outer IPv4 */
#define INNER6 (AT_IP + 40)

/* The outer lengths: 4-in-4 101 bytes of which 81 are inner; 4-in-6 69 of payload. */
static const struct row rows[] = {
	{"outer GRE", IN4_4, {.pokes = {{AT_IP + 9, 47}}}},
	{"outer TCP", IN4_4, {.pokes = {{AT_IP + 9, 6}}}},
	{"outer IPv6 GRE", IN6_6, {.pokes = {{AT_IP + 6, 47}}}},
	{"outer version 5", IN4_4, {.pokes = {{AT_IP, 0x55}}}},
	{"outer version 6 in IPv4's frame", IN4_4, {.pokes = {{AT_IP, 0x65}}}},
	{"outer IPv6 version 4", IN6_6, {.pokes = {{AT_IP, 0x40}}}},
	{"outer header of 4 words", IN4_4, {.pokes = {{AT_IP, 0x44}}}},
	{"outer longer than the frame", IN4_4, {.pokes = {{AT_IP + 3, 102}}}},
	{"outer of 65535 bytes", IN4_6, {.pokes = {{AT_IP + 2, 0xff}, {AT_IP + 3, 0xff}}}},
	{"outer IPv6 longer than the frame", IN6_4, {.pokes = {{AT_IP + 5, 70}}}},
	{"outer IPv6 of 65535 bytes", IN6_6, {.pokes = {{AT_IP + 4, 0xff}, {AT_IP + 5, 0xff}}}},
	{"outer options",
	 IN4_4,
	 {.pokes = {{AT_IP, 0x46}, {AT_IP + 3, 105}}, .insert = {INNER4, 4, "\x94\x04\0\0"}}},
	{"outer options, 6-in-4",
	 IN4_6,
	 {.pokes = {{AT_IP, 0x46}, {AT_IP + 3, 113}}, .insert = {INNER4, 4, "\x94\x04\0\0"}}},
	{"outer first fragment", IN4_4, {.pokes = {{AT_IP + 6, 0x20}}}},
	{"outer middle fragment", IN4_4, {.pokes = {{AT_IP + 6, 0x20}, {AT_IP + 7, 9}}}},
	{"outer last fragment", IN4_4, {.pokes = {{AT_IP + 6, 0}, {AT_IP + 7, 9}}}},
	{"outer last fragment, far offset", IN4_6, {.pokes = {{AT_IP + 6, 0x10}}}},
	{"outer IPv6 fragment",
	 IN6_4,
	 {.pokes = {{AT_IP + 6, 44}, {AT_IP + 5, 77}},
	  .insert = {INNER6, 8, "\x04\0\0\x01\0\0\0\x09"}}},
	{"outer IPv6 destination options",
	 IN6_6,
	 {.pokes = {{AT_IP + 6, 60}, {AT_IP + 5, 109}},
	  .insert = {INNER6, 8, "\x29\0\x04\x01\x04\x01\x01\0"}}},
	{"three tags", IN4_4, {.insert = {12, 12, "\x88\xa8\0\x01\x81\0\0\x02\x81\0\0\x03"}}},
	{"tag of another kind", IN4_4, {.insert = {12, 4, "\x91\0\0\x64"}}},
	{"EtherType of ARP", IN4_4, {.pokes = {{13, 0x06}}}},
	{"inner is IPv6, protocol says IPv4", IN4_6, {.pokes = {{AT_IP + 9, 4}}}},
	{"inner is IPv4, protocol says IPv6", IN4_4, {.pokes = {{AT_IP + 9, 41}}}},
	{"inner is IPv6, header says IPv4", IN6_6, {.pokes = {{AT_IP + 6, 4}}}},
	{"inner is IPv4, header says IPv6", IN6_4, {.pokes = {{AT_IP + 6, 41}}}},
	{"inner version 0", IN4_4, {.pokes = {{INNER4, 0x05}}}},
	{"inner version 5", IN4_4, {.pokes = {{INNER4, 0x55}}}},
	{"inner IPv6 version 7", IN6_6, {.pokes = {{INNER6, 0x70}}}},
	{"inner header of 4 words", IN4_4, {.pokes = {{INNER4, 0x44}}}},
	{"inner longer than the frame", IN4_4, {.pokes = {{INNER4 + 3, 82}}}},
	{"inner of 65535 bytes", IN6_4, {.pokes = {{INNER6 + 2, 0xff}, {INNER6 + 3, 0xff}}}},
	{"inner IPv6 longer than the frame", IN6_6, {.pokes = {{INNER6 + 5, 62}}}},
	{"inner IPv6 of 65535 bytes", IN4_6, {.pokes = {{INNER4 + 4, 0xff}, {INNER4 + 5, 0xff}}}},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void leaves_alone(void **state)
{
	const struct row *row = *state;
	struct frame sent;

	tunnel_build(&tunnels[row->mode], &sent);
	frame_edit(&sent, &row->edit);
	assert_left_alone(row->name, &sent);
}

/* Options of the inner packet are none of a tunnel's business, nor is a fragment inside. */
static void opens_odd_inner_packets(void **state)
{
	struct frame inner, sent;

	(void)state;
	frame_build(&inner, &tunnels[IN4_4].inner);
	frame_insert(&inner, AT_IPV4_L4, (const __u8 *)"\x94\x04\0\0", 4);
	inner.bytes[AT_IP] = 0x46;
	write16(&inner, AT_IP + 2, 85);
	write16(&inner, AT_IP + 6, 0x2000);
	frame_seal(&inner);
	sent = inner;
	frame_encapsulate(&sent, &tunnels[IN4_4].outer);
	assert_opened("options, first fragment", &sent, &inner);
	sent = inner;
	frame_encapsulate(&sent, &tunnels[IN6_4].outer);
	assert_opened("options, first fragment, 4-in-6", &sent, &inner);
}

/* A sender may allow routers to fragment the outer packet; this one came whole. */
static void opens_without_dont_fragment(void **state)
{
	struct frame inner, sent;

	(void)state;
	tunnel_build(&tunnels[IN4_4], &sent);
	sent.bytes[AT_IP + 6] = 0;
	frame_seal(&sent);
	frame_build(&inner, &tunnels[IN4_4].inner);
	assert_opened("DF is 0", &sent, &inner);
}

/* RFC 6040, 4.2: congestion met on the way reaches an inner packet that can say so. */
static void tells_congestion(void **state)
{
	enum { NOT_ECT, ECT_1, ECT_0, CE };
	static const struct {
		__u8 outer, inner, result;
	} marks[] = {
		/* clang-format off */
		{NOT_ECT, NOT_ECT, NOT_ECT}, {NOT_ECT, ECT_1, ECT_1},
		{NOT_ECT, ECT_0, ECT_0},     {NOT_ECT, CE, CE},
		{ECT_1, NOT_ECT, NOT_ECT},   {ECT_1, ECT_1, ECT_1},
		{ECT_1, CE, CE},
		{ECT_0, NOT_ECT, NOT_ECT},   {ECT_0, ECT_1, ECT_1},
		{ECT_0, ECT_0, ECT_0},       {ECT_0, CE, CE},
		{CE, NOT_ECT, NOT_ECT},      {CE, ECT_1, CE},
		{CE, ECT_0, CE},             {CE, CE, CE},
		/* clang-format on */
	};
	static const __u8 dscps[] = {0, 0x28, 0xb8, 0xfc};
	struct tunnel tunnel = *(const struct tunnel *)*state;
	struct frame sent, expected;
	char name[64];

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]) * sizeof(dscps); i++) {
		size_t mark = i / sizeof(dscps);
		__u8 dscp = dscps[i % sizeof(dscps)];

		tunnel.inner.traffic_class = dscp | marks[mark].inner;
		tunnel.outer.traffic_class = marks[mark].outer;
		tunnel_build(&tunnel, &sent);
		tunnel.inner.traffic_class = dscp | marks[mark].result;
		frame_build(&expected, &tunnel.inner);
		snprintf(name, sizeof(name), "%s, DSCP %#x, ECN %u outside, %u inside", tunnel.name,
			 dscp, marks[mark].outer, marks[mark].inner);
		assert_opened(name, &sent, &expected);
	}
}

/* The mark changes the inner checksum: from every value that it can have. */
static void tells_congestion_with_every_checksum(void **state)
{
	struct tunnel tunnel = tunnels[IN4_4];
	struct frame sent, expected;

	(void)state;
	tunnel.inner.payload_bytes = 0;
	tunnel.outer.traffic_class = 3;
	for (__u32 id = 0; id <= 0xffff; id++) {
		tunnel.inner.id = id;
		tunnel.inner.traffic_class = 1 + id % 2;
		tunnel_build(&tunnel, &sent);
		tunnel.inner.traffic_class = 3;
		frame_build(&expected, &tunnel.inner);
		assert_int_equal(world_run("node", &sent), XDP_PASS);
		assert_frame("identification", &sent, &expected);
	}
}

int main(void)
{
	static const struct tunnel_test kinds[] = {
		{"opens", opens},
		{"opens a padded frame", opens_padded},
		{"opens a tagged frame", opens_tagged},
		{"opens a jumbo frame", opens_jumbo},
		{"leaves a truncated one alone", leaves_truncated_alone},
		{"leaves an inner packet longer than the outer alone",
		 leaves_inner_longer_than_outer_alone},
		{"leaves what is for others alone", leaves_for_others_alone},
		{"tells congestion", tells_congestion},
	};
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(leaves_plain_packets_alone),
		cmocka_unit_test(opens_odd_inner_packets),
		cmocka_unit_test(opens_without_dont_fragment),
		cmocka_unit_test(tells_congestion_with_every_checksum),
	};
	const size_t kind_count = sizeof(kinds) / sizeof(kinds[0]);
	struct CMUnitTest tests[TUNNELS * kind_count + ROWS + sizeof(others) / sizeof(others[0])];
	size_t count = tunnel_tests(tests, tunnels, TUNNELS, kinds, kind_count);

	for (size_t i = 0; i < ROWS; i++)
		tests[count++] = (struct CMUnitTest){rows[i].name, leaves_alone, NULL, NULL,
						     (void *)&rows[i]};
	memcpy(tests + count, others, sizeof(others));
	return cmocka_run_group_tests_name("node", tests, node_open, world_close);
}
