/* SPDX-License-Identifier: GPL-2.0-only */
/* VLAN tags: on the way out as they were on the way in, whatever is inside and around. */
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

static const struct row {
	const char *name;
	const char *tags;
	__u32 tag_bytes;
} rows[] = {
	{"802.1Q", "\x81\x00\x00\x64", 4},
	{"802.1Q, priority and drop eligible", "\x81\x00\xff\xfe", 4},
	{"priority tag", "\x81\x00\xe0\x00", 4},
	{"tag of nothing", "\x81\x00\x00\x00", 4},
	{"802.1ad", "\x88\xa8\x00\x07", 4},
	{"QinQ", "\x88\xa8\x00\x07\x81\x00\x60\x64", 8},
	{"802.1Q twice", "\x81\x00\x00\x07\x81\x00\x00\x64", 8},
	{"802.1ad twice", "\x88\xa8\x0f\xfe\x88\xa8\x0f\xff", 8},
	{"802.1Q around 802.1ad", "\x81\x00\x00\x07\x88\xa8\x00\x00", 8},
};

static const struct row left[] = {
	{"three tags", "\x88\xa8\x00\x07\x88\xa8\x00\x07\x81\x00\x00\x64", 12},
	{"four tags", "\x81\x00\x00\x01\x81\x00\x00\x02\x81\x00\x00\x03\x81\x00\x00\x04", 16},
	{"QinQ of before 802.1ad", "\x91\x00\x00\x07", 4},
	{"QinQ of before 802.1ad inside", "\x81\x00\x00\x07\x91\x00\x00\x64", 8},
	{"MPLS inside", "\x81\x00\x00\x07\x88\x47\x00\x64", 8},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define LEFT (sizeof(left) / sizeof(left[0]))

/* What comes tagged; the first two have a checksum that is known outside, too. */
enum kind { TCP, UDP, EXTENDED, FRAGMENT, ERROR, KINDS };

static const char *const kinds[KINDS] = {"TCP", "UDP", "extended", "a fragment", "an error"};

static void build(struct frame *frame, const struct way *way, enum kind kind)
{
	static const struct extension option = {IPPROTO_DSTOPTS, 1, 0, 0, 0};
	__u8 protocol = kind == TCP ? IPPROTO_TCP : IPPROTO_UDP;
	struct packet_fields fields = way_packet(way, protocol, way_port(protocol));
	struct frame whole;

	if (kind == ERROR)
		fields_turn(&fields);
	frame_build(&whole, &fields);
	*frame = whole;
	if (kind == EXTENDED && way_is_ipv6(way))
		frame_add_extensions(frame, &option, 1);
	else if (kind == EXTENDED)
		frame_add_options(frame, (const __u8 *)"\x94\x04\x00\x00", 1);
	else if (kind == FRAGMENT)
		frame_fragment(frame, &whole, 48, 40, 0x1234);
	else if (kind == ERROR)
		frame_error(frame, &whole, way_is_ipv6(way) ? "2001:db8:c::9" : "198.51.100.9", 3,
			    0, 60);
}

static bool is_unchecked(const struct way *way, enum kind kind)
{
	return kind > EXTENDED || (kind == EXTENDED && way_is_ipv6(way));
}

static void tags_are_kept(void **state)
{
	const struct row *row = *state;
	struct frame frame;
	char name[80];

	for (size_t i = 0; i < WAYS; i++) {
		for (enum kind kind = 0; kind < KINDS; kind++) {
			const struct manner manner = {row->tags, row->tag_bytes,
						      is_unchecked(&ways[i], kind)};

			build(&frame, &ways[i], kind);
			snprintf(name, sizeof(name), "%s, %s", row->name, kinds[kind]);
			assert_forwarded_in(name, &ways[i], &frame, &manner);
		}
	}
}

static void put_on(struct frame *frame, const struct row *row)
{
	frame_insert(frame, AT_ETHERTYPE, (const __u8 *)row->tags, row->tag_bytes);
}

static void other_tags_are_left(void **state)
{
	const struct row *row = *state;
	struct frame frame;

	for (size_t i = 0; i < WAYS; i++) {
		for (enum kind kind = 0; kind < KINDS; kind++) {
			build(&frame, &ways[i], kind);
			put_on(&frame, row);
			assert_left_to_stack(row->name, &frame);
		}
	}
}

/* Whose tags must still be on: another port, a wrong checksum, no hop left, ARP, IPv6 as IPv4. */
static void not_ours(void **state)
{
	const struct row *row = *state;
	struct packet_fields fields = way_packet(&ways[0], IPPROTO_TCP, 81);
	struct frame frame;

	frame_build(&frame, &fields);
	put_on(&frame, row);
	assert_left_to_stack("another port", &frame);
	build(&frame, &ways[3], UDP);
	frame.bytes[AT_IP + 39] ^= 0x40;
	put_on(&frame, row);
	assert_left_to_stack("another address", &frame);
	build(&frame, &ways[0], TCP);
	frame.bytes[AT_IP + 10] ^= 1;
	put_on(&frame, row);
	assert_left_to_stack("a wrong checksum", &frame);
	build(&frame, &ways[0], TCP);
	write16(&frame, AT_ETHERTYPE, 0x0806);
	put_on(&frame, row);
	assert_left_to_stack("ARP", &frame);
	build(&frame, &ways[3], TCP);
	write16(&frame, AT_ETHERTYPE, 0x0800);
	put_on(&frame, row);
	assert_left_to_stack("IPv6 as IPv4", &frame);
	fields.ttl = 1;
	fields.destination_port = 80;
	frame_build(&frame, &fields);
	put_on(&frame, row);
	assert_dropped("at its last hop", &frame, "ttl_expired");
}

/* The MTU is of the packet, and tags are none of it; what is said of longer ones comes tagged. */
static void longest_packet(void **state)
{
	const struct row *row = *state;
	const struct manner manner = {row->tags, row->tag_bytes, false};
	struct frame frame;

	for (size_t i = 0; i < WAYS; i++) {
		struct packet_fields fields = way_packet(&ways[i], IPPROTO_UDP, 53);
		struct counts too_big = drop_counts("too_big");

		fields.payload_bytes =
			1500 - way_outer_bytes(&ways[i]) - (way_is_ipv6(&ways[i]) ? 40 : 20) - 8;
		frame_build(&frame, &fields);
		assert_forwarded_in("as long as the MTU", &ways[i], &frame, &manner);
		fields.payload_bytes++;
		frame_build(&frame, &fields);
		put_on(&frame, row);
		assert_int_equal(world_send(&frame), XDP_TX);
		assert_memory_equal(frame.bytes, client_mac.byte, sizeof(client_mac.byte));
		assert_memory_equal(frame.bytes + AT_ETHERTYPE, row->tags, row->tag_bytes);
		assert_int_equal(read16(&frame, AT_ETHERTYPE + row->tag_bytes),
				 way_is_ipv6(&ways[i]) ? 0x86dd : 0x0800);
		assert_int_equal(drop_counts("too_big").packets, too_big.packets + 1);
	}
}

static void cut_off(void **state)
{
	const struct row *row = *state;
	struct frame frame;

	for (enum kind kind = 0; kind < KINDS; kind++) {
		for (size_t i = 0; i <= 3; i += 3) {
			build(&frame, &ways[i], kind);
			put_on(&frame, row);
			assert_truncated_is_left(kinds[kind], &frame);
		}
	}
}

static size_t add_rows(struct CMUnitTest *tests, const char *what, CMUnitTestFunction run,
		       const struct row *of, size_t count)
{
	char *name; /* cmocka wants it as long as the program runs */

	for (size_t i = 0; i < count; i++) {
		assert_true(asprintf(&name, "%s: %s", of[i].name, what) > 0);
		tests[i] = (struct CMUnitTest){name, run, NULL, NULL, (void *)&of[i]};
	}
	return count;
}

int main(void)
{
	struct CMUnitTest tests[3 * ROWS + 2 + LEFT];
	size_t count = add_rows(tests, "kept", tags_are_kept, rows, ROWS);

	count += add_rows(tests + count, "not ours", not_ours, rows, ROWS);
	count += add_rows(tests + count, "cut off", cut_off, rows, ROWS);
	count += add_rows(tests + count, "longest packet", longest_packet, rows, 1);
	count += add_rows(tests + count, "longest packet", longest_packet, rows + 5, 1);
	count += add_rows(tests + count, "left", other_tags_are_left, left, LEFT);
	return cmocka_run_group_tests_name("tags", tests, ways_open, world_close);
}
