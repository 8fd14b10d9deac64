/* SPDX-License-Identifier: GPL-2.0-only */
/* IPv4 options and IPv6 extension headers: on their way with every byte, or left to the stack. */
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

#define EXTENSIONS_MAX 8 /* two more than are followed */

/* RFC 8200, 4; their numbers by what a row is about. */
enum { HOPS = 0, ROUTING = 43, FRAGMENT = 44, ESP = 50, AUTH = 51, NOTHING = 59, DEST = 60 };

struct row {
	const char *name;
	struct extension chain[EXTENSIONS_MAX];
	__u32 count;
};

static const struct row taken[] = {
	{"hop-by-hop options", {{HOPS, 0, 0, 0, 0}}, 1},
	{"hop-by-hop options of 24 bytes", {{HOPS, 2, 0, 0, 0}}, 1},
	{"destination options", {{DEST, 0, 0, 0, 0}}, 1},
	{"destination options of 264 bytes", {{DEST, 32, 5, 0, 0}}, 1},
	{"a router alert", {{HOPS, 0, 5, 2, 0x0100}}, 1},
	{"a routing header at its end", {{ROUTING, 2, 2, 0, 0}}, 1},
	{"segment routing at its end", {{ROUTING, 4, 4, 0, 0}}, 1},
	{"an atomic fragment", {{FRAGMENT, 0, 0, 0, 9}}, 1},
	{"reserved bits of an atomic fragment", {{FRAGMENT, 0, 0, 6, 9}}, 1},
	{"in the order of RFC 8200",
	 {{HOPS, 0, 0, 0, 0},
	  {DEST, 1, 0, 0, 0},
	  {ROUTING, 2, 2, 0, 0},
	  {FRAGMENT, 0, 0, 0, 9},
	  {DEST, 0, 0, 0, 0}},
	 5},
	{"six headers",
	 {{HOPS, 0, 0, 0, 0},
	  {DEST, 0, 0, 0, 0},
	  {DEST, 1, 0, 0, 0},
	  {DEST, 2, 0, 0, 0},
	  {DEST, 3, 0, 0, 0},
	  {DEST, 4, 0, 0, 0}},
	 6},
};

static const struct row left[] = {
	{"seven headers",
	 {{HOPS, 0, 0, 0, 0},
	  {DEST, 0, 0, 0, 0},
	  {DEST, 0, 0, 0, 0},
	  {DEST, 0, 0, 0, 0},
	  {DEST, 0, 0, 0, 0},
	  {DEST, 0, 0, 0, 0},
	  {DEST, 0, 0, 0, 0}},
	 7},
	{"a routing header under way", {{ROUTING, 2, 2, 1, 0}}, 1},
	{"segment routing under way", {{ROUTING, 4, 4, 255, 0}}, 1},
	{"under way, behind others", {{HOPS, 0, 0, 0, 0}, {ROUTING, 0, 0, 1, 0}}, 2},
	{"two fragment headers", {{FRAGMENT, 0, 0, 1, 9}, {FRAGMENT, 0, 0, 1, 9}}, 2},
	{"an authentication header", {{AUTH, 4, 0, 0, 0}}, 1},
	{"a header of mobility", {{135, 0, 0, 0, 0}}, 1},
	{"a header of HIP", {{139, 0, 0, 0, 0}}, 1},
	{"a chain that ends in ESP", {{DEST, 0, 0, 0, 0}, {ESP, 0, 1, 1, 1}}, 2},
	{"a chain that ends in nothing", {{DEST, 0, 0, 0, 0}, {NOTHING, 0, 0, 0, 0}}, 2},
	{"further in than is looked at", {{DEST, 127, 5, 0, 0}}, 1},
};

#define TAKEN (sizeof(taken) / sizeof(taken[0]))
#define LEFT  (sizeof(left) / sizeof(left[0]))

static void build(struct frame *frame, const struct way *way, __u8 protocol)
{
	struct packet_fields fields = way_packet(way, protocol, way_port(protocol));

	frame_build(frame, &fields);
}

/* GUE's UDP checksum is 0 where it would cost a look at the whole packet. */
static void extensions_are_kept(void **state)
{
	static const struct manner manner = {.tags = "", .unchecked = true};
	const struct row *row = *state;
	struct frame frame;

	for (size_t i = 0; i < WAYS; i++) {
		if (!way_is_ipv6(&ways[i]))
			continue;
		build(&frame, &ways[i], IPPROTO_TCP);
		frame_add_extensions(&frame, row->chain, row->count);
		assert_forwarded_in("TCP", &ways[i], &frame, &manner);
		build(&frame, &ways[i], IPPROTO_UDP);
		frame_add_extensions(&frame, row->chain, row->count);
		assert_forwarded_in("UDP", &ways[i], &frame, &manner);
		build(&frame, &ways[i], IPPROTO_UDP);
		frame_add_extensions(&frame, row->chain, row->count);
		frame.bytes[AT_IP + 7] = 1;
		assert_dropped("at its last hop", &frame, "ttl_expired");
	}
}

static void extensions_are_left(void **state)
{
	const struct row *row = *state;
	struct frame frame;

	for (size_t i = 0; i < WAYS; i++) {
		if (!way_is_ipv6(&ways[i]))
			continue;
		build(&frame, &ways[i], IPPROTO_TCP);
		frame_add_extensions(&frame, row->chain, row->count);
		assert_left_to_stack(row->name, &frame);
	}
}

static void extensions_cut_off(void **state)
{
	const struct row *row = *state;
	struct frame frame;

	build(&frame, &ways[3], IPPROTO_TCP);
	frame_add_extensions(&frame, row->chain, row->count);
	assert_truncated_is_left(row->name, &frame);
}

/* The packet ends there, as its length says: within a header, or right behind one. */
static void extensions_at_the_packets_end(void **state)
{
	const struct row *row = *state;
	struct frame whole, frame;
	char name[96];
	__u32 l4_at;

	build(&whole, &ways[3], IPPROTO_TCP);
	l4_at = AT_IPV6_L4;
	frame_add_extensions(&whole, row->chain, row->count);
	for (__u32 i = 0; i < row->count; i++)
		l4_at += (row->chain[i].length + 1) * 8;
	for (__u32 length = AT_IPV6_L4; length < l4_at + 20; length++) {
		frame = whole;
		write16(&frame, AT_IP + 4, length - AT_IPV6_L4);
		snprintf(name, sizeof(name), "%s, a padded packet of %u bytes", row->name, length);
		assert_left_to_stack(name, &frame);
		frame.length_bytes = length;
		snprintf(name, sizeof(name), "%s, a packet of %u bytes", row->name, length);
		assert_left_to_stack(name, &frame);
	}
}

/* The length of a header leads behind the packet, or to what is no TCP header; never out of it. */
static void extension_lengths_that_lie(void **state)
{
	static const struct extension option = {DEST, 0, 0, 0, 0};
	struct frame frame;

	(void)state;
	build(&frame, &ways[3], IPPROTO_UDP); /* 108 bytes, and 8 of the option */
	frame_add_extensions(&frame, &option, 1);
	for (__u32 length = 14; length <= 255; length++) {
		frame.bytes[AT_IPV6_L4 + 1] = length;
		assert_left_to_stack("behind the packet", &frame);
	}
	frame.bytes[AT_IPV6_L4 + 1] = 13;
	assert_left_to_stack("no room for UDP", &frame);
}

static void unextended_services_are_found(void **state)
{
	static const struct extension option = {DEST, 0, 0, 0, 0};
	struct frame frame;

	(void)state;
	build(&frame, &ways[3], IPPROTO_TCP);
	frame_add_extensions(&frame, &option, 1);
	write16(&frame, AT_IPV6_L4 + 8 + 2, 81);
	assert_left_to_stack("another port behind options", &frame);
	build(&frame, &ways[3], IPPROTO_UDP);
	frame_add_extensions(&frame, &option, 1);
	frame.bytes[AT_IP + 39] ^= 0x80;
	assert_left_to_stack("another address before options", &frame);
}

/* A timestamp, a route recorded, an alert, then no operations: RFC 791, 3.1. */
static const __u8 options[40] = {68, 12, 5,  0,  1,  2,  3,  4,  5,   6, 7, 8, 7, 11,
				 4,  10, 11, 12, 13, 14, 15, 16, 17,  1, 1, 1, 1, 1,
				 1,  1,  1,  1,  1,  1,  1,  1,  148, 4, 0, 0};

static void options_are_kept(void **state)
{
	struct frame frame;
	char name[32];

	(void)state;
	for (__u32 words = 1; words <= 10; words++) {
		snprintf(name, sizeof(name), "%u words of options", words);
		for (size_t i = 0; i < WAYS; i++) {
			if (way_is_ipv6(&ways[i]))
				continue;
			build(&frame, &ways[i], IPPROTO_TCP);
			frame_add_options(&frame, options, words);
			assert_forwarded(name, &ways[i], &frame);
			build(&frame, &ways[i], IPPROTO_UDP);
			frame_add_options(&frame, options, words);
			assert_forwarded(name, &ways[i], &frame);
		}
	}
}

/* One way is enough for what does not get that far. */
static void options_are_left(void **state)
{
	struct frame whole, frame;
	char name[64];

	(void)state;
	for (__u32 words = 1; words <= 10; words++) {
		build(&whole, &ways[0], IPPROTO_TCP);
		frame_add_options(&whole, options, words);
		for (__u32 bit = 0; bit < 16; bit++) {
			frame = whole;
			write16(&frame, AT_IP + 10, read16(&frame, AT_IP + 10) ^ 1 << bit);
			snprintf(name, sizeof(name), "%u words, wrong checksum", words);
			assert_left_to_stack(name, &frame);
		}
		for (__u32 at = AT_IPV4_L4; at < AT_IPV4_L4 + words * 4; at++) {
			frame = whole;
			frame.bytes[at] ^= 0x10;
			snprintf(name, sizeof(name), "%u words, wrong options", words);
			assert_left_to_stack(name, &frame);
		}
		frame = whole;
		write16(&frame, AT_IPV4_L4 + words * 4 + 2, 81);
		assert_left_to_stack("another port behind options", &frame);
		snprintf(name, sizeof(name), "%u words", words);
		assert_truncated_is_left(name, &whole);
		for (__u32 bytes = 0; bytes < 20 + words * 4 + 20; bytes++) {
			frame = whole;
			write16(&frame, AT_IP + 2, bytes);
			frame_seal(&frame);
			snprintf(name, sizeof(name), "%u words, a packet of %u bytes", words,
				 bytes);
			assert_left_to_stack(name, &frame);
		}
	}
}

static size_t add_rows(struct CMUnitTest *tests, const char *format, CMUnitTestFunction run,
		       const struct row *rows, size_t count)
{
	char *name; /* cmocka wants it as long as the program runs */

	for (size_t i = 0; i < count; i++) {
		assert_true(asprintf(&name, format, rows[i].name) > 0);
		tests[i] = (struct CMUnitTest){name, run, NULL, NULL, (void *)&rows[i]};
	}
	return count;
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(extension_lengths_that_lie),
		cmocka_unit_test(unextended_services_are_found),
		cmocka_unit_test(options_are_kept),
		cmocka_unit_test(options_are_left),
	};
	struct CMUnitTest tests[3 * TAKEN + LEFT + sizeof(others) / sizeof(others[0])];
	size_t count = 0;

	count += add_rows(tests, "%s: kept", extensions_are_kept, taken, TAKEN);
	count += add_rows(tests + count, "%s: cut off", extensions_cut_off, taken, TAKEN);
	count += add_rows(tests + count, "%s: the packet's end", extensions_at_the_packets_end,
			  taken, TAKEN);
	count += add_rows(tests + count, "%s: left", extensions_are_left, left, LEFT);
	memcpy(tests + count, others, sizeof(others));
	return cmocka_run_group_tests_name("unusual", tests, ways_open, world_close);
}
