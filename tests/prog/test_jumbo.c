/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames that lie in several buffers, of which a program sees the first: whole on their way. */
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

static __u32 longest_payload(const struct way *way, __u8 protocol)
{
	return 9000 - way_outer_bytes(way) - (way_is_ipv6(way) ? 40 : 20) -
	       (protocol == IPPROTO_TCP ? 20 : 8);
}

/* Around a page, which is what a buffer has, and to the end of a usual jumbo frame. */
static void every_byte(void **state)
{
	static const char tag[] = "\x81\x00\x00\x64";
	static const __u8 protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct frame frame;
	char name[64];

	(void)state;
	for (size_t i = 0; i < 2 * WAYS; i++) {
		const struct way *way = &ways[i / 2];
		__u8 protocol = protocols[i % 2];
		struct packet_fields fields = way_packet(way, protocol, way_port(protocol));
		const __u16 payloads[] = {2000, 3300, 3500, 3700,
					  4096, 8191, 8800, longest_payload(way, protocol)};

		fields.tcp_flags = TCP_ACK;
		for (size_t k = 0; k < sizeof(payloads) / sizeof(payloads[0]); k++) {
			for (__u32 tag_bytes = 0; tag_bytes <= 4; tag_bytes += 4) {
				const struct manner manner = {tag, tag_bytes, false};

				fields.payload_bytes = payloads[k];
				frame_build(&frame, &fields);
				snprintf(name, sizeof(name), "%u bytes of payload, %u of tags",
					 payloads[k], tag_bytes);
				assert_forwarded_in(name, way, &frame, &manner);
			}
		}
		assert_int_equal(frame.length_bytes + way_outer_bytes(way), 9014);
	}
}

/* Every length at which the last byte may be in another buffer. */
static void every_length(void **state)
{
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct packet_fields fields = way_packet(&ways[i], IPPROTO_UDP, 53);

		if (strstr(ways[i].name, "near") == NULL)
			continue;
		for (fields.payload_bytes = 3200; fields.payload_bytes < 3900;
		     fields.payload_bytes += 3) {
			frame_build(&frame, &fields);
			assert_forwarded("around a page", &ways[i], &frame);
		}
	}
}

static void a_byte_too_long(void **state)
{
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct packet_fields fields = way_packet(&ways[i], IPPROTO_UDP, 53);
		struct counts too_big = drop_counts("too_big");

		fields.payload_bytes = longest_payload(&ways[i], IPPROTO_UDP) + 1;
		frame_build(&frame, &fields);
		assert_int_equal(world_send(&frame), XDP_TX);
		assert_memory_equal(frame.bytes, client_mac.byte, sizeof(client_mac.byte));
		assert_int_equal(drop_counts("too_big").packets, too_big.packets + 1);
	}
}

/* Longer than its frame, or not for us. */
static void left(void **state)
{
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct packet_fields fields = way_packet(&ways[i], IPPROTO_UDP, 53);

		fields.payload_bytes = longest_payload(&ways[i], IPPROTO_UDP);
		frame_build(&frame, &fields);
		frame.length_bytes--;
		assert_left_to_stack("a byte too short", &frame);
		frame.length_bytes = 4200;
		assert_left_to_stack("cut behind the first buffer", &frame);
		fields.destination_port = 54;
		frame_build(&frame, &fields);
		assert_left_to_stack("another port", &frame);
	}
}

/* Fragments and what comes behind options may be long, too. */
static void unusual(void **state)
{
	static const struct manner unchecked = {.tags = "", .unchecked = true};
	static const struct extension option = {IPPROTO_DSTOPTS, 3, 0, 0, 0};
	struct frame whole, frame;

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct packet_fields fields = way_packet(&ways[i], IPPROTO_UDP, 53);
		bool ipv6 = way_is_ipv6(&ways[i]);

		fields.payload_bytes = 8600;
		frame_build(&whole, &fields);
		frame = whole;
		if (ipv6)
			frame_add_extensions(&frame, &option, 1);
		else
			frame_add_options(&frame, (const __u8 *)"\1\1\1\1\1\1\1\1", 2);
		assert_forwarded_in("options", &ways[i], &frame,
				    &(const struct manner){.tags = "", .unchecked = ipv6});
		frame_fragment(&frame, &whole, 0, 8000, 0x77);
		assert_forwarded_in("a first fragment", &ways[i], &frame, &unchecked);
		frame_fragment(&frame, &whole, 2000, 6608, 0x77);
		assert_forwarded_in("the last fragment", &ways[i], &frame, &unchecked);
	}
}

/* Both devices and all the ways on carry jumbo frames before services look at them. */
static int open_services(void **state)
{
	(void)state;
	if (world_make())
		return -1;
	ip("link set peer1 mtu 9000");
	ip("link set peer2 mtu 9000");
	ip("link set " NEAR " mtu 9000");
	ip("link set " FAR " mtu 9000");
	return ways_load();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte),      cmocka_unit_test(every_length),
		cmocka_unit_test(a_byte_too_long), cmocka_unit_test(left),
		cmocka_unit_test(unusual),
	};

	return cmocka_run_group_tests_name("jumbo", tests, open_services, world_close);
}
