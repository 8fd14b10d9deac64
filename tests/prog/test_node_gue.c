/* SPDX-License-Identifier: GPL-2.0-only */
/* GUE at the node: each lie that a header can tell, and the port that it listens to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>

#include "node.h"

/* Its hops were all tried, so that the packet is opened unless something is wrong with it. */
static const struct tunnel tunnels[] = {
	{"IPv4",
	 {"10.0.1.9", OURS_IPV4, 0, 0},
	 {"198.51.100.7", "192.0.2.1", 40001, 80, IPPROTO_TCP, TCP_ACK, 63, 0, 9, 41},
	 {50001, 19523, false, true, 2, 2, {"10.0.1.2", "10.0.2.2"}}},
	{"IPv6",
	 {"fd00:0:0:1::9", OURS_IPV6, 0, 0x12345},
	 {"198.51.100.7", "192.0.2.1", 40001, 80, IPPROTO_TCP, TCP_ACK, 63, 0, 9, 41},
	 {50001, 19523, false, true, 2, 2, {"fd00:0:0:1::2", "fd00:0:0:2::2"}}},
	{"IPv4, plain",
	 {"10.0.1.9", OURS_IPV4, 0, 0},
	 {"2001:db8:c::7", "2001:db8::1", 40001, 53, IPPROTO_UDP, 0, 63, 0, 0, 41},
	 {50001, 19523, false, false, 0, 0, {}}},
};

#define TUNNELS (sizeof(tunnels) / sizeof(tunnels[0]))

/* Where GUE's header begins. */
static __u32 gue_at(const struct frame *frame)
{
	return (is_ipv6(frame) ? AT_IPV6_L4 : AT_IPV4_L4) + 8;
}

/* All values of one byte of the header but the true one. */
static void assert_byte_matters(const struct tunnel *tunnel, __u32 offset, const char *what)
{
	struct frame whole, sent;
	char name[80];

	tunnel_build(tunnel, &whole);
	for (int value = 0; value < 256; value++) {
		sent = whole;
		sent.bytes[gue_at(&whole) + offset] = value;
		if (value == whole.bytes[gue_at(&whole) + offset])
			continue;
		snprintf(name, sizeof(name), "%s: %s %#x", tunnel->name, what, value);
		assert_left_alone(name, &sent);
	}
}

static void leaves_other_versions_and_lengths_alone(void **state)
{
	assert_byte_matters(*state, 0, "version, control and length");
}

static void leaves_other_protocols_alone(void **state)
{
	assert_byte_matters(*state, 1, "protocol");
}

static void leaves_flags_alone(void **state)
{
	assert_byte_matters(*state, 2, "flags");
	assert_byte_matters(*state, 3, "flags");
}

static void leaves_other_private_data_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_byte_matters(&tunnels[i], 4, "type of private data");
		assert_byte_matters(&tunnels[i], 5, "type of private data");
		assert_byte_matters(&tunnels[i], 7, "number of hops");
	}
}

static void leaves_other_udp_lengths_alone(void **state)
{
	static const __u32 large[] = {255, 256, 511, 1024, 32768, 65535};
	const struct tunnel *tunnel = *state;
	struct frame whole, sent;
	__u32 at, length;
	char name[80];

	tunnel_build(tunnel, &whole);
	at = gue_at(&whole) - 4;
	for (size_t i = 0; i < 200 + sizeof(large) / sizeof(large[0]); i++) {
		length = i < 200 ? i : large[i - 200];
		if (length == read16(&whole, at))
			continue;
		sent = whole;
		write16(&sent, at, length);
		snprintf(name, sizeof(name), "%s: UDP length %u", tunnel->name, length);
		assert_left_alone(name, &sent);
	}
}

static void leaves_other_ports_alone(void **state)
{
	static const __u16 ports[] = {1, 53, 6080, 6081, 4789, 19522, 19524, 0x434c, 65535};
	struct tunnel tunnel = *(const struct tunnel *)*state;
	struct frame sent;

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		tunnel.gue.destination_port = ports[i];
		tunnel_build(&tunnel, &sent);
		assert_left_alone("port", &sent);
	}
}

static void leaves_fragments_alone(void **state)
{
	struct frame sent;

	(void)state;
	tunnel_build(&tunnels[0], &sent);
	for (int i = 0; i < 14; i++) {
		write16(&sent, AT_IP + 6, 1 << i);
		frame_seal(&sent);
		assert_left_alone("fragment", &sent);
	}
}

/* The source port spreads flows over queues and says nothing; a checksum may be there or not. */
static void opens_whatever_source_port_and_checksum(void **state)
{
	static const __u16 ports[] = {0, 1, 19523, 40001, 65535};
	struct tunnel tunnel = *(const struct tunnel *)*state;
	struct frame sent, inner;

	frame_build(&inner, &tunnel.inner);
	for (size_t i = 0; i < 2 * sizeof(ports) / sizeof(ports[0]); i++) {
		tunnel.gue.source_port = ports[i / 2];
		tunnel.gue.checksum = i % 2;
		tunnel_build(&tunnel, &sent);
		assert_opened(tunnel.name, &sent, &inner);
	}
}

/* The inner packet may be shorter than the datagram around it. */
static void opens_with_bytes_behind_inner(void **state)
{
	struct tunnel tunnel = *(const struct tunnel *)*state;
	struct frame sent, inner;
	__u32 length_at;

	tunnel_build(&tunnel, &sent);
	frame_build(&inner, &tunnel.inner);
	length_at = is_ipv6(&sent) ? AT_IP + 4 : AT_IP + 2;
	write16(&sent, length_at, read16(&sent, length_at) + 4);
	if (!is_ipv6(&sent))
		frame_seal(&sent);
	sent.length_bytes += 4;
	inner.length_bytes += 4;
	assert_opened("behind the datagram", &sent, &inner);
	write16(&sent, gue_at(&sent) - 4, read16(&sent, gue_at(&sent) - 4) + 4);
	assert_opened("in the datagram", &sent, &inner);
}

static void listens_to_the_port_it_is_told(void **state)
{
	struct tunnel tunnel = tunnels[0];
	struct frame sent, inner;

	(void)state;
	tunnel.outer.destination = "10.0.2.1";
	frame_build(&inner, &tunnel.inner);
	world_load("port", "");
	sluice("attach " FAR " --role node --gue-port 6080");
	tunnel_build(&tunnel, &sent);
	assert_left_alone("port 19523", &sent);
	tunnel.gue.destination_port = 6080;
	tunnel_build(&tunnel, &sent);
	assert_opened("port 6080", &sent, &inner);
}

int main(void)
{
	static const struct tunnel_test kinds[] = {
		{"leaves other versions and lengths alone",
		 leaves_other_versions_and_lengths_alone},
		{"leaves other protocols alone", leaves_other_protocols_alone},
		{"leaves flags alone", leaves_flags_alone},
		{"leaves other UDP lengths alone", leaves_other_udp_lengths_alone},
		{"leaves other ports alone", leaves_other_ports_alone},
		{"opens whatever source port and checksum",
		 opens_whatever_source_port_and_checksum},
		{"opens with bytes behind the inner packet", opens_with_bytes_behind_inner},
	};
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(leaves_other_private_data_alone),
		cmocka_unit_test(leaves_fragments_alone),
		cmocka_unit_test_setup_teardown(listens_to_the_port_it_is_told, NULL,
						world_use_main),
	};
	const size_t kind_count = sizeof(kinds) / sizeof(kinds[0]);
	struct CMUnitTest tests[TUNNELS * kind_count + sizeof(others) / sizeof(others[0])];
	size_t count = tunnel_tests(tests, tunnels, TUNNELS, kinds, kind_count);

	memcpy(tests + count, others, sizeof(others));
	return cmocka_run_group_tests_name("node_gue", tests, node_open, world_close);
}
