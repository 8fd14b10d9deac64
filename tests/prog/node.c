/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>

#include "node.h"

int node_open(void **state)
{
	if (world_open(state))
		return -1;
	sluice("attach " NEAR " --role node");
	return 0;
}

size_t tunnel_tests(struct CMUnitTest *tests, const struct tunnel *tunnels, size_t tunnel_count,
		    const struct tunnel_test *kinds, size_t kind_count)
{
	size_t count = tunnel_count * kind_count;
	char *name; /* cmocka wants it as long as the program runs */
	size_t i;

	for (i = 0; i < count; i++) {
		const struct tunnel *tunnel = &tunnels[i / kind_count];
		const struct tunnel_test *kind = &kinds[i % kind_count];

		if (asprintf(&name, "%s: %s", tunnel->name, kind->name) < 0)
			abort();
		tests[i] = (struct CMUnitTest){name, kind->run, NULL, NULL, (void *)tunnel};
	}
	return count;
}

static __u32 gue_bytes(const struct tunnel *tunnel, __u32 address_bytes)
{
	const struct gue_fields *gue = &tunnel->gue;

	if (!gue->destination_port)
		return 0;
	return 8 + 4 + (gue->hops_given ? 4 + gue->hop_count * address_bytes : 0);
}

__u32 tunnel_outer_bytes(const struct tunnel *tunnel)
{
	bool ipv6 = strchr(tunnel->outer.destination, ':') != NULL;

	return (ipv6 ? 40 : 20) + gue_bytes(tunnel, ipv6 ? 16 : 4);
}

/* RFC 768 and RFC 8200, 8.1: both addresses, the length and the protocol stand before it. */
static __u16 udp_checksum(const struct frame *frame, __u32 udp_at, __u32 udp_bytes)
{
	__u32 addresses_bytes = is_ipv6(frame) ? 32 : 8;
	__u8 covered[FRAME_BYTES_MAX + 48] = {};
	__u16 sum;

	memcpy(covered, frame->bytes + udp_at - addresses_bytes, addresses_bytes);
	covered[addresses_bytes + 2] = udp_bytes >> 8;
	covered[addresses_bytes + 3] = udp_bytes & 0xff;
	covered[addresses_bytes + 7] = IPPROTO_UDP;
	memcpy(covered + addresses_bytes + 8, frame->bytes + udp_at, udp_bytes);
	sum = checksum(covered, addresses_bytes + 8 + udp_bytes);
	return sum ? sum : 0xffff;
}

/* GLB's: https://github.com/github/glb-director, docs; @at is behind the outer IP header. */
static void write_gue(struct frame *frame, const struct gue_fields *gue, __u32 at,
		      __u8 inner_protocol, __u32 udp_bytes)
{
	int family = is_ipv6(frame) ? AF_INET6 : AF_INET;
	__u32 address_bytes = is_ipv6(frame) ? 16 : 4;
	__u8 *header = frame->bytes + at + 8;

	write16(frame, at, gue->source_port);
	write16(frame, at + 2, gue->destination_port);
	write16(frame, at + 4, udp_bytes);
	header[1] = inner_protocol;
	if (gue->hops_given) {
		header[0] = 1 + gue->hop_count * address_bytes / 4;
		header[6] = gue->next_hop;
		header[7] = gue->hop_count;
		for (int i = 0; i < gue->hop_count; i++)
			assert_int_equal(
				inet_pton(family, gue->hops[i], header + 8 + i * address_bytes), 1);
	}
	if (gue->checksum)
		write16(frame, at + 6, udp_checksum(frame, at, udp_bytes));
}

void frame_tunnel(struct frame *frame, const struct tunnel *tunnel)
{
	static const __u8 room[8 + 8 + GUE_HOPS * 16];
	__u8 inner_protocol = is_ipv6(frame) ? IPPROTO_IPV6 : IPPROTO_IPIP;
	__u32 at, bytes, length_at, udp_bytes;

	frame_encapsulate(frame, &tunnel->outer);
	if (!tunnel->gue.destination_port)
		return;
	at = is_ipv6(frame) ? AT_IPV6_L4 : AT_IPV4_L4;
	bytes = gue_bytes(tunnel, is_ipv6(frame) ? 16 : 4);
	length_at = is_ipv6(frame) ? AT_IP + 4 : AT_IP + 2;
	frame_insert(frame, at, room, bytes);
	write16(frame, length_at, read16(frame, length_at) + bytes);
	udp_bytes = read16(frame, length_at) - (is_ipv6(frame) ? 0 : 20);
	frame->bytes[is_ipv6(frame) ? AT_IP + 6 : AT_IP + 9] = IPPROTO_UDP;
	if (!is_ipv6(frame))
		frame_seal(frame);
	write_gue(frame, &tunnel->gue, at, inner_protocol, udp_bytes);
}

void tunnel_build(const struct tunnel *tunnel, struct frame *frame)
{
	frame_build(frame, &tunnel->inner);
	frame_tunnel(frame, tunnel);
}

static struct node_counters run_node(const char *name, struct frame *frame, int expected)
{
	struct node_counters before = node_counts();
	struct node_counters after;
	int verdict = world_run("node", frame);

	if (verdict != expected)
		fail_msg("%s: verdict %d, expected %d", name, verdict, expected);
	after = node_counts();
	after.packets -= before.packets;
	after.bytes -= before.bytes;
	after.passed_on -= before.passed_on;
	after.no_neighbour -= before.no_neighbour;
	return after;
}

void assert_opened(const char *name, const struct frame *sent, const struct frame *expected)
{
	struct frame frame = *sent;
	struct node_counters counted = run_node(name, &frame, XDP_PASS);

	assert_frame(name, &frame, expected);
	if (counted.packets != 1 || counted.bytes != expected->length_bytes || counted.passed_on ||
	    counted.no_neighbour)
		fail_msg("%s: not counted as it should be", name);
}

void assert_left_alone(const char *name, const struct frame *sent)
{
	struct frame frame = *sent;
	struct node_counters counted = run_node(name, &frame, XDP_PASS);

	assert_frame(name, &frame, sent);
	if (counted.packets || counted.bytes || counted.passed_on || counted.no_neighbour)
		fail_msg("%s: counted", name);
}

void assert_passed_on(const char *name, const struct frame *sent, const struct frame *expected,
		      int verdict)
{
	struct frame frame = *sent;
	struct node_counters counted = run_node(name, &frame, verdict);

	assert_frame(name, &frame, expected);
	if (counted.passed_on != 1 || counted.packets || counted.no_neighbour)
		fail_msg("%s: not counted as it should be", name);
}
