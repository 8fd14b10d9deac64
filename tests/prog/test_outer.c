/* SPDX-License-Identifier: GPL-2.0-only */
/* What of an outer header varies by flow, so that receivers spread flows over their queues. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>

#include "world.h"

static void serve(const char *mode, const char *name, const char *vip, const struct path *path)
{
	sluice("service add %s --vip %s --port 80 --proto tcp --forward %s", name, vip, mode);
	sluice("backend add %s b1 --address %s", name, path->backend);
}

/* Send the SYN of flow @number; @frame is what came out. */
static void send_flow(const char *vip, unsigned int number, __u16 payload_bytes,
		      struct frame *frame)
{
	char source[INET_ADDRSTRLEN];
	struct packet_fields fields = {
		.source = source,
		.destination = vip,
		.source_port = number & 0xffff,
		.destination_port = 80,
		.protocol = IPPROTO_TCP,
		.tcp_flags = TCP_SYN,
		.ttl = 64,
		.payload_bytes = payload_bytes,
	};

	snprintf(source, sizeof(source), "198.51.100.%u", number >> 16 & 0xff);
	frame_build(frame, &fields);
	assert_int_equal(world_send(frame), XDP_TX);
}

/*
 * How many of a thousand flows have other bytes than flow 0 there, of the first byte what the mask
 * leaves. Packets of one flow must have the same outer header.
 */
static unsigned int count_varied(const char *vip, __u32 at, __u32 bytes, __u8 first_mask)
{
	struct frame frame, first, again;
	unsigned int varied = 0;

	for (unsigned int number = 0; number < 1000; number++) {
		send_flow(vip, number, 0, &frame);
		send_flow(vip, number, 0, &again);
		assert_frame("the same flow", &again, &frame);
		frame.bytes[at] &= first_mask;
		if (number == 0)
			first = frame;
		varied += memcmp(frame.bytes + at, first.bytes + at, bytes) != 0;
	}
	return varied;
}

/* RFC 6438. Labels have 20 bits: of a thousand flows hardly one has that of flow 0. */
static void flow_labels_vary(void **state)
{
	(void)state;
	serve("ipip", "labels", "192.0.2.1", &near_ipv6);
	assert_in_range(count_varied("192.0.2.1", AT_IP + 1, 3, 0x0f), 990, 999);
}

/* The address that the route would use is one address, for every flow. */
static void sources_are_fixed_by_default(void **state)
{
	(void)state;
	serve("ipip", "fixed-4", "192.0.2.2", &near_ipv4);
	serve("ipip", "fixed-6", "192.0.2.3", &near_ipv6);
	assert_int_equal(count_varied("192.0.2.2", AT_IP + 12, 4, 0xff), 0);
	assert_int_equal(count_varied("192.0.2.3", AT_IP + 8, 16, 0xff), 0);
}

/* Behind it are UDP and GUE, of which test_gue knows more. */
static void gue_varies_likewise(void **state)
{
	(void)state;
	world_load("vary-gue", "load:\n  tunnel_source_ipv4: 10.55.64.0/18\n"
			       "  tunnel_source_ipv6: fd00:55::/112\n");
	serve("gue", "gue-4", "192.0.2.7", &near_ipv4);
	serve("gue", "gue-6", "192.0.2.8", &near_ipv6);
	assert_in_range(count_varied("192.0.2.7", AT_IP + 12, 4, 0xff), 950, 999);
	assert_in_range(count_varied("192.0.2.8", AT_IP + 20, 4, 0xff), 950, 999);
	assert_in_range(count_varied("192.0.2.8", AT_IP + 1, 3, 0x0f), 990, 999);
}

/* They stay within the prefixes that were configured. */
static void sources_vary_within_prefixes(void **state)
{
	static const __u8 prefix_ipv6[14] = {0xfd, 0, 0, 0x55};
	struct frame frame;

	(void)state;
	world_load("vary", "load:\n  tunnel_source_ipv4: 10.55.64.0/18\n"
			   "  tunnel_source_ipv6: fd00:55::/112\n");
	serve("ipip", "vary-4", "192.0.2.4", &near_ipv4);
	serve("ipip", "vary-6", "192.0.2.5", &near_ipv6);
	for (unsigned int number = 0; number < 200; number++) {
		send_flow("192.0.2.4", number, 0, &frame);
		assert_int_equal(frame.bytes[AT_IP + 12], 10);
		assert_int_equal(frame.bytes[AT_IP + 13], 55);
		assert_int_equal(frame.bytes[AT_IP + 14] & 0xc0, 64);
		send_flow("192.0.2.5", number, 0, &frame);
		assert_memory_equal(frame.bytes + AT_IP + 8, prefix_ipv6, sizeof(prefix_ipv6));
	}
	assert_in_range(count_varied("192.0.2.4", AT_IP + 12, 4, 0xff), 950, 999);
	assert_in_range(count_varied("192.0.2.5", AT_IP + 20, 4, 0xff), 950, 999);
}

/* Sources of 24 random bits take the checksum everywhere, also where it carries twice. */
static void checksums_follow_sources(void **state)
{
	struct frame frame;

	(void)state;
	world_load("sources", "load:\n  tunnel_source_ipv4: 11.0.0.0/8\n");
	serve("ipip", "sources", "192.0.2.6", &near_ipv4);
	for (unsigned int number = 0; number < 200000; number++) {
		send_flow("192.0.2.6", number, 0, &frame);
		if (checksum(frame.bytes + AT_IP, 20))
			fail_msg("flow %u: the outer checksum is wrong", number);
	}
}

/*
 * As a little-endian machine reads them, the words of this header add up to 0x1ffffffff, and the
 * halves of that and its carry to 0x1ffff: folded once more, that carries once more.
 */
static void checksum_carries_thrice(void **state)
{
	struct frame frame;

	(void)state;
	ip("route add 112.251.190.0/24 via 10.0.1.9");
	sluice("service add carries --vip 192.0.2.9 --port 80 --proto tcp --forward ipip");
	sluice("backend add carries b1 --address 112.251.190.255");
	send_flow("192.0.2.9", 1, 195, &frame);
	assert_int_equal(read16(&frame, AT_IP + 2), 255);
	assert_int_equal(checksum(frame.bytes + AT_IP, 20), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(flow_labels_vary),
		cmocka_unit_test(sources_are_fixed_by_default),
		cmocka_unit_test(checksum_carries_thrice),
		cmocka_unit_test_teardown(sources_vary_within_prefixes, world_use_main),
		cmocka_unit_test_teardown(gue_varies_likewise, world_use_main),
		cmocka_unit_test_teardown(checksums_follow_sources, world_use_main),
	};

	return cmocka_run_group_tests_name("outer", tests, world_open, world_close);
}
