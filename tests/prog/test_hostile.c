/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of every kind with every byte of their headers changed: left to the stack as they came,
 * dropped for a reason that is counted, answered, or sent on as what they are and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include "icmp.h"
#include "way.h"

#define RANDOM_FRAMES 2000 /* of each way and kind */

enum kind { TCP, UDP, EXTENDED, TAGGED, FIRST, LATER, ERROR, ECHO, KINDS };

static const char *const kinds[KINDS] = {
	"TCP",      "UDP", "extended", "tagged", "a first fragment", "a later fragment",
	"an error", "echo"};

/* One of each mode and family. */
static const char *const chosen[] = {"dsr-ipv4-near",  "dsr-ipv6-near", "ipip-4in6-near",
				     "ipip-6in4-near", "gue-4in4-near", "gue-6in6-near",
				     "gue-4in6-near",  "gue-6in4-near"};

static struct {
	long passed, dropped, answered, sent;
} verdicts;

static const struct way *find_way(const char *name)
{
	for (size_t i = 0; i < WAYS; i++) {
		if (!strcmp(ways[i].name, name))
			return &ways[i];
	}
	fail_msg("no way %s", name);
	return NULL;
}

static void build(struct frame *frame, const struct way *way, enum kind kind)
{
	static const struct extension chain[] = {{IPPROTO_HOPOPTS, 0, 0, 0, 0},
						 {IPPROTO_ROUTING, 2, 2, 0, 0},
						 {IPPROTO_DSTOPTS, 1, 0, 0, 0}};
	__u8 protocol = kind == UDP ? IPPROTO_UDP : IPPROTO_TCP;
	struct packet_fields fields = way_packet(way, protocol, way_port(protocol));
	bool ipv6 = way_is_ipv6(way);
	struct frame whole;

	fields.payload_bytes = kind >= FIRST ? 40 : 5;
	if (kind == ERROR)
		fields_turn(&fields);
	frame_build(&whole, &fields);
	*frame = whole;
	if (kind == EXTENDED && ipv6)
		frame_add_extensions(frame, chain, 3);
	else if (kind == EXTENDED)
		frame_add_options(frame, (const __u8 *)"\x44\x0c\5\0\1\2\3\4\5\6\7\x08", 3);
	else if (kind == TAGGED)
		frame_insert(frame, AT_ETHERTYPE, (const __u8 *)"\x88\xa8\0\7\x81\0\0\x64", 8);
	else if (kind == FIRST || kind == LATER)
		frame_fragment(frame, &whole, kind == LATER ? 24 : 0, 32, 0x1234);
	else if (kind == ERROR)
		frame_error(frame, &whole, way->client, 3, 0, 60);
	else if (kind == ECHO)
		echo_build(frame, ipv6 ? IPV6 : IPV4, &(const struct ping){1, 1, 40}, false);
}

/* Behind Ethernet and up to two tags. */
static __u32 ip_at(const struct frame *frame)
{
	__u32 at = AT_ETHERTYPE;

	while (at < AT_ETHERTYPE + 8 &&
	       (read16(frame, at) == 0x8100 || read16(frame, at) == 0x88a8))
		at += 4;
	return at + 2;
}

/* Whose VIP it is for: changed bytes may have led it to another way than its own. */
static const struct way *way_of(const char *name, const struct frame *frame)
{
	__u32 at = ip_at(frame);
	bool ipv6 = frame->bytes[at] >> 4 == 6;
	char vip[INET6_ADDRSTRLEN];

	inet_ntop(ipv6 ? AF_INET6 : AF_INET, frame->bytes + at + (ipv6 ? 24 : 16), vip,
		  sizeof(vip));
	for (size_t i = 0; i < WAYS; i++) {
		if (!strcmp(ways[i].vip, vip))
			return &ways[i];
	}
	fail_msg("%s: sent on, and %s is no VIP", name, vip);
	return NULL;
}

/*
 * What was sent on has the same tags, then what its way puts around, then the packet as it came,
 * with one hop less; and both lengths say where it ends.
 */
static void assert_sound(const char *name, const struct way *way, const struct frame *in,
			 const struct frame *out)
{
	__u32 outer_bytes = way_outer_bytes(way);
	__u32 at = ip_at(in);
	__u32 inner_at = at + outer_bytes;
	struct frame inner = {.length_bytes = in->length_bytes - at + AT_IP};
	bool ipv6 = in->bytes[at] >> 4 == 6;
	__u32 bytes;

	memcpy(inner.bytes + AT_ETHERTYPE, in->bytes + at - 2, inner.length_bytes - AT_ETHERTYPE);
	bytes = read16(&inner, AT_IP + (ipv6 ? 4 : 2)) + (ipv6 ? 40 : 0);
	frame_hop(&inner);
	if (out->length_bytes != in->length_bytes + outer_bytes ||
	    memcmp(out->bytes + AT_ETHERTYPE, in->bytes + AT_ETHERTYPE, at - AT_IP) ||
	    memcmp(out->bytes + inner_at, inner.bytes + AT_IP, in->length_bytes - at))
		fail_msg("%s: not sent on as it came", name);
	if (AT_IP + bytes > inner.length_bytes)
		fail_msg("%s: longer than its frame", name);
	if (outer_bytes && out->bytes[at] >> 4 == 6)
		assert_int_equal(read16(out, at + 4), bytes + outer_bytes - 40);
	else if (outer_bytes)
		assert_int_equal(read16(out, at + 2), bytes + outer_bytes);
}

static void send_in(const char *name, const struct frame *in)
{
	struct frame out = *in;
	const struct way *way;
	int verdict = world_send(&out);

	if (verdict == XDP_PASS) {
		verdicts.passed++;
		assert_frame(name, &out, in);
	} else if (verdict == XDP_DROP) {
		verdicts.dropped++;
	} else if (verdict == XDP_TX && !memcmp(out.bytes, in->bytes + 6, 6)) {
		verdicts.answered++;
		assert_int_equal(out.bytes[ip_at(&out)] >> 4, in->bytes[ip_at(in)] >> 4);
	} else {
		verdicts.sent++;
		way = way_of(name, in);
		if (verdict != way->path->verdict || memcmp(out.bytes, way->path->to.byte, 6))
			fail_msg("%s: verdict %d, not to the backend of %s", name, verdict,
				 way->name);
		assert_sound(name, way, in, &out);
	}
}

/* So that it is not for its checksum that it is refused. */
static void seal(struct frame *frame)
{
	__u32 at = ip_at(frame);
	struct frame untagged = *frame;

	if (frame->bytes[at] >> 4 != 4 || at + (frame->bytes[at] & 15) * 4 > frame->length_bytes)
		return;
	memmove(untagged.bytes + AT_IP, frame->bytes + at, frame->length_bytes - at);
	frame_seal(&untagged);
	memcpy(frame->bytes + at, untagged.bytes + AT_IP, 20);
}

static void each_byte(const struct way *way, enum kind kind)
{
	struct frame whole, frame;
	char name[96];

	build(&whole, way, kind);
	for (__u32 at = AT_ETHERTYPE; at < whole.length_bytes; at++) {
		for (__u32 value = 0; value <= 255; value++) {
			frame = whole;
			frame.bytes[at] = value;
			seal(&frame);
			snprintf(name, sizeof(name), "%s, %s, byte %u is %#x", way->name,
				 kinds[kind], at, value);
			send_in(name, &frame);
		}
	}
}

/* Always the same numbers (Knuth's MMIX). */
static __u32 draw(void)
{
	static __u64 state = 1;

	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}

static void some_bytes(const struct way *way, enum kind kind)
{
	struct frame whole, frame;
	char name[96];

	build(&whole, way, kind);
	for (int i = 0; i < RANDOM_FRAMES; i++) {
		frame = whole;
		for (__u32 changes = 1 + draw() % 4; changes; changes--)
			frame.bytes[AT_ETHERTYPE + draw() % (whole.length_bytes - AT_ETHERTYPE)] =
				draw() % 3 ? draw() : draw() % 64;
		if (draw() % 4 == 0)
			frame.length_bytes -= draw() % (whole.length_bytes - AT_IP);
		seal(&frame);
		snprintf(name, sizeof(name), "%s, %s, random frame %d", way->name, kinds[kind], i);
		send_in(name, &frame);
	}
}

/* Of the reasons that there are for these. */
static long count_drops(void)
{
	long drops = drop_counts("ttl_expired").packets + drop_counts("too_big").packets;

	assert_int_equal(drop_counts(NULL).packets, drops);
	return drops;
}

static void every_way(void (*run)(const struct way *way, enum kind kind))
{
	struct cpu_memory before = memory_read();
	long drops = count_drops();
	long echoes, errors;

	memset(&verdicts, 0, sizeof(verdicts));
	for (size_t i = 0; i < sizeof(chosen) / sizeof(chosen[0]); i++) {
		for (enum kind kind = 0; kind < KINDS; kind++)
			run(find_way(chosen[i]), kind);
	}
	echoes = memory_read().echo_replies - before.echo_replies;
	errors = memory_read().too_big_errors - before.too_big_errors;
	assert_int_equal(verdicts.answered, echoes + errors);
	assert_int_equal(verdicts.dropped, count_drops() - drops - errors);
	/* Or all of this would show nothing. */
	assert_int_not_equal(verdicts.passed, 0);
	assert_int_not_equal(verdicts.dropped, 0);
	assert_int_not_equal(verdicts.answered, 0);
	assert_int_not_equal(verdicts.sent, 0);
}

static void every_byte_changed(void **state)
{
	(void)state;
	every_way(each_byte);
}

static void some_bytes_changed(void **state)
{
	(void)state;
	every_way(some_bytes);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_byte_changed, budget_fill),
		cmocka_unit_test_setup(some_bytes_changed, budget_fill),
	};

	return cmocka_run_group_tests_name("hostile", tests, ways_open, world_close);
}
