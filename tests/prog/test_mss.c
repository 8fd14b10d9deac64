/* SPDX-License-Identifier: GPL-2.0-only */
/* What a service's MSS does to SYNs: every shape of options, every offset, every checksum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>

#include "world.h"

#define TCP_CHECKSUM_AT    16 /* in the TCP header */
#define TCP_DATA_OFFSET_AT 12
#define TCP_OPTIONS_AT     20
#define OPTION_BYTES_MAX   40
#define PORT               80
#define PORT_UNCLAMPED     81
#define PAYLOAD_BYTES      9 /* odd, and a SYN may have one (RFC 7413) */

/* Services of 1400 bytes, and on another port of none. */
static const struct way {
	const char *name; /* also of the services */
	const char *vip;
	const char *client;
	const struct path *path;
	bool ipip;
	__u32 l4_at;
} ways[] = {
	{"ipv4-dsr", "192.0.2.1", "198.51.100.7", &near_ipv4, false, AT_IPV4_L4},
	{"ipv6-dsr", "2001:db8::1", "2001:db8:c::7", &near_ipv6, false, AT_IPV6_L4},
	{"ipv4-ipip", "192.0.2.2", "198.51.100.7", &near_ipv4, true, AT_IPV4_L4},
	{"ipv6-ipip", "2001:db8::2", "2001:db8:c::7", &near_ipv4, true, AT_IPV6_L4},
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* Options in hexadecimal as they come and as they go; NULL: as they came. */
static const struct row {
	const char *name;
	const char *in;
	const char *out;
} rows[] = {
	{"lowered", "020405b4", "02040578"},
	{"by one", "02040579", "02040578"},
	{"the greatest", "0204ffff", "02040578"},
	{"equal", "02040578", NULL},
	{"smaller by one", "02040577", NULL},
	{"smaller in its high byte alone", "020404ff", NULL},
	{"zero", "02040000", NULL},
	{"as Linux sends it", "020405b40402080a12345678000000000103030a",
	 "020405780402080a12345678000000000103030a"},
	{"as Windows sends it", "020405b40103030801010402", "020405780103030801010402"},
	{"behind one NOP", "01020405b4000000", "0102040578000000"},
	{"behind two NOPs", "0101020405b40000", "0101020405780000"},
	{"behind three NOPs", "010101020405b400", "0101010204057800"},
	{"behind a window scale", "030307020405b401", "0303070204057801"},
	{"last of 40 bytes",
	 "010101010101010101010101010101010101010101010101010101010101010101010101020405b4",
	 "01010101010101010101010101010101010101010101010101010101010101010101010102040578"},
	{"behind an option of the greatest length",
	 "fd2400000000000000000000000000000000000000000000000000000000000000000000020405b4",
	 "fd240000000000000000000000000000000000000000000000000000000000000000000002040578"},
	{"two of them", "020405b4020405dc", "0204057802040578"},
	{"a small one, then a great one", "02040218020405dc", "0204021802040578"},
	{"before a length that lies", "020405b408ff0000", "0204057808ff0000"},
	{"inside another option", "fe06020405b40000", NULL},
	{"behind the end of options", "00020405b4000000", NULL},
	{"behind the end, which has no length", "0002020405b40000", NULL},
	{"behind NOPs and the end", "01010000020405b4", NULL},
	{"length 0", "0200ffffffff0000", NULL},
	{"length 1", "0201ffffffff0000", NULL},
	{"length 2", "0202020405b40000", "0202020405780000"},
	{"length 3", "0203ffff020405b4", NULL},
	{"length 5", "0205ffffff020405b4000000", "0205ffffff02040578000000"},
	{"length 255", "02ffffff020405b4", NULL},
	{"behind an option of length 0", "0800020405b40000", NULL},
	{"behind an option of length 1", "0801020405b40000", NULL},
	{"behind one too long by a byte", "0809020405b40000", NULL},
	{"behind one that ends where the header does", "0808020405b40000", NULL},
	{"cut off behind its length", "01010204", NULL},
	{"cut off in its value", "010204ff", NULL},
	{"NOPs alone", "0101010101010101", NULL},
	{"no options", "", NULL},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static __u32 read_hex(const char *text, __u8 bytes[OPTION_BYTES_MAX])
{
	__u32 count = 0;
	int used;

	while (sscanf(text, " %2hhx%n", &bytes[count], &used) == 1) {
		text += used;
		if (++count == OPTION_BYTES_MAX)
			break;
	}
	assert_int_equal(count % 4, 0);
	return count;
}

/* The checksum over pseudo-header and segment as they stand now (RFC 9293, 3.1; RFC 8200, 8.1). */
static __u16 whole_checksum(const struct frame *frame, __u32 l4_at)
{
	__u32 addresses_at = is_ipv6(frame) ? AT_IP + 8 : AT_IP + 12;
	__u32 addresses_bytes = is_ipv6(frame) ? 32 : 8;
	__u32 segment_bytes =
		is_ipv6(frame) ? read16(frame, AT_IP + 4) : read16(frame, AT_IP + 2) - 20u;
	__u8 sum_of[40 + FRAME_BYTES_MAX] = {};
	__u8 *at = sum_of;

	memcpy(at, frame->bytes + addresses_at, addresses_bytes);
	at += addresses_bytes;
	at[1] = IPPROTO_TCP;
	at[2] = segment_bytes >> 8;
	at[3] = segment_bytes & 0xff;
	memcpy(at + 4, frame->bytes + l4_at, segment_bytes);
	return checksum(sum_of, addresses_bytes + 4 + segment_bytes);
}

static void seal_tcp(struct frame *frame, __u32 l4_at)
{
	write16(frame, l4_at + TCP_CHECKSUM_AT, 0);
	write16(frame, l4_at + TCP_CHECKSUM_AT, whole_checksum(frame, l4_at));
}

static void build_segment(const struct way *way, __u16 port, __u8 tcp_flags, const __u8 *options,
			  __u32 count, struct frame *frame)
{
	const struct packet_fields fields = {
		.source = way->client,
		.destination = way->vip,
		.source_port = 40001,
		.destination_port = port,
		.protocol = IPPROTO_TCP,
		.tcp_flags = tcp_flags,
		.ttl = 61,
		.payload_bytes = PAYLOAD_BYTES,
	};
	__u32 length_at;

	frame_build(frame, &fields);
	length_at = AT_IP + (is_ipv6(frame) ? 4 : 2);
	frame_insert(frame, way->l4_at + TCP_OPTIONS_AT, options, count);
	write16(frame, length_at, read16(frame, length_at) + count);
	if (!is_ipv6(frame))
		frame_seal(frame);
	frame->bytes[way->l4_at + TCP_DATA_OFFSET_AT] = (5 + count / 4) << 4;
	seal_tcp(frame, way->l4_at);
}

/*
 * @in must come out at the backend as @inside, but for what forwarding does. Both are edited: in the
 * IP packet, and in front of it.
 */
static void assert_sent_in(const char *name, const struct way *way, const struct frame *in,
			   const struct frame *inside, const struct edit *packet,
			   const struct edit *front)
{
	const struct outer_fields outer = {way->path->source, way->path->backend, 0, 0};
	struct frame expected = *inside;
	struct frame got = *in;
	int verdict;

	frame_edit(&got, packet);
	frame_edit(&got, front);
	verdict = world_send(&got);
	if (verdict != way->path->verdict)
		fail_msg("%s, %s: verdict %d", way->name, name, verdict);
	frame_hop(&expected);
	frame_edit(&expected, packet);
	if (way->ipip)
		frame_encapsulate(&expected, &outer);
	frame_address(&expected, &way->path->to, &way->path->from);
	frame_edit(&expected, front);
	assert_frame(name, &got, &expected);
}

static void assert_sent(const char *name, const struct way *way, const struct frame *in,
			const struct frame *inside)
{
	static const struct edit none;

	assert_sent_in(name, way, in, inside, &none, &none);
}

static void every_shape(void **state)
{
	const struct row *row = *state;
	__u8 before[OPTION_BYTES_MAX], after[OPTION_BYTES_MAX];
	__u32 count = read_hex(row->in, before);
	struct frame in, out;

	assert_int_equal(read_hex(row->out ? row->out : row->in, after), count);
	for (size_t i = 0; i < WAYS; i++) {
		build_segment(&ways[i], PORT, TCP_SYN, before, count, &in);
		build_segment(&ways[i], PORT, TCP_SYN, after, count, &out);
		assert_sent(row->name, &ways[i], &in, &out);
	}
}

/* Wherever the TCP header begins: behind tags, IPv4 options and IPv6 extension headers. */
static void every_place_of_the_header(void **state)
{
	static const __u8 before[] = {1, 2, 4, 0x05, 0xb4, 1, 1, 1};
	static const __u8 after[] = {1, 2, 4, 0x05, 0x78, 1, 1, 1};
	static const struct edit ipv4_options = {
		.insert = {AT_IPV4_L4, 4, "\x01\x01\x01\x01"},
		.pokes = {{AT_IP, 0x46}, {AT_IP + 3, 24 + 28 + PAYLOAD_BYTES}},
	};
	static const struct edit ipv6_hop_by_hop = {
		.insert = {AT_IPV6_L4, 8, "\x06\x00\x01\x04\x00\x00\x00\x00"},
		.pokes = {{AT_IP + 5, 8 + 28 + PAYLOAD_BYTES}, {AT_IP + 6, 0}},
	};
	static const struct edit none;
	static const struct edit tags[] = {
		{},
		{.insert = {AT_ETHERTYPE, 4, "\x81\x00\x00\x64"}},
		{.insert = {AT_ETHERTYPE, 8, "\x88\xa8\x00\x07\x81\x00\x00\x64"}},
	};
	struct frame in, out;

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		const struct edit *options =
			ways[i].l4_at == AT_IPV4_L4 ? &ipv4_options : &ipv6_hop_by_hop;

		build_segment(&ways[i], PORT, TCP_SYN, before, sizeof(before), &in);
		build_segment(&ways[i], PORT, TCP_SYN, after, sizeof(after), &out);
		for (size_t k = 0; k < sizeof(tags) / sizeof(tags[0]); k++) {
			assert_sent_in("plain", &ways[i], &in, &out, &none, &tags[k]);
			assert_sent_in("with options", &ways[i], &in, &out, options, &tags[k]);
		}
	}
}

/* Only a SYN says what its sender can take, and only where the service says so it is changed. */
static void nothing_else_is_changed(void **state)
{
	static const __u8 options[] = {2, 4, 0x05, 0xb4};
	static const __u8 flags[] = {TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST};
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		for (size_t k = 0; k < sizeof(flags); k++) {
			build_segment(&ways[i], PORT, flags[k], options, sizeof(options), &frame);
			assert_sent("no SYN", &ways[i], &frame, &frame);
		}
		build_segment(&ways[i], PORT_UNCLAMPED, TCP_SYN, options, sizeof(options), &frame);
		assert_sent("a service without MSS", &ways[i], &frame, &frame);
	}
}

static void every_offset(void **state)
{
	static const __u16 values[] = {0,    1,    0x00ff, 0x0100, 1400,
				       1401, 1460, 0x78ff, 9000,   0xffff};
	__u8 before[OPTION_BYTES_MAX], after[OPTION_BYTES_MAX];
	struct frame in, out;

	(void)state;
	for (__u32 offset = 0; offset <= OPTION_BYTES_MAX - 4; offset++) {
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			const struct way *way = &ways[i % WAYS];
			__u16 lowered = values[i] < 1400 ? values[i] : 1400;
			char name[64];

			memset(before, 1, sizeof(before));
			memset(after, 1, sizeof(after));
			memcpy(before + offset, (__u8[]){2, 4, values[i] >> 8, values[i]}, 4);
			memcpy(after + offset, (__u8[]){2, 4, lowered >> 8, lowered}, 4);
			snprintf(name, sizeof(name), "%u at offset %u", values[i], offset);
			build_segment(way, PORT, TCP_SYN, before, sizeof(before), &in);
			build_segment(way, PORT, TCP_SYN, after, sizeof(after), &out);
			assert_sent(name, way, &in, &out);
		}
	}
}

/* The header's length says where options end: what stands behind is the sender's data. */
static void every_header_length(void **state)
{
	static const __u8 pair[] = {1, 1, 1, 1, 1, 2, 4, 0xff, 0xff, 1, 1, 1};
	static const __u8 lowered[] = {2, 4, 1400 >> 8, 1400 & 0xff};
	struct frame in, out;

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		for (__u32 words = 5; words <= 5 + sizeof(pair) / 4; words++) {
			__u32 l4_at = ways[i].l4_at;

			build_segment(&ways[i], PORT, TCP_SYN, pair, sizeof(pair), &in);
			in.bytes[l4_at + TCP_DATA_OFFSET_AT] = words << 4;
			seal_tcp(&in, l4_at);
			out = in;
			if (words == 8)
				memcpy(out.bytes + l4_at + TCP_OPTIONS_AT + 5, lowered, 4);
			seal_tcp(&out, l4_at);
			assert_sent("a shorter header", &ways[i], &in, &out);
		}
	}
}

/* A SYN cut off anywhere is not a packet: the stack gets it as it came. */
static void every_truncation(void **state)
{
	static const __u8 options[] = {1, 2, 4, 0xff, 0xff, 1, 1, 1};
	struct frame whole, cut, got;

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		build_segment(&ways[i], PORT, TCP_SYN, options, sizeof(options), &whole);
		for (__u32 bytes = 14; bytes < whole.length_bytes; bytes++) {
			cut = whole;
			cut.length_bytes = bytes;
			got = cut;
			assert_int_equal(world_send(&got), XDP_PASS);
			assert_frame("cut off", &got, &cut);
		}
	}
}

/* Of a SYN that is cut off with its length put right, down to the header that its TCP claims. */
static void every_shorter_packet(void **state)
{
	static const __u8 options[] = {1, 2, 4, 0xff, 0xff, 1, 1, 1};
	static const __u8 lowered[] = {1, 2, 4, 1400 >> 8, 1400 & 0xff, 1, 1, 1};
	struct frame in, out;

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		for (__u32 fewer = 1; fewer <= PAYLOAD_BYTES + sizeof(options); fewer++) {
			struct frame *const both[] = {&in, &out};

			build_segment(&ways[i], PORT, TCP_SYN, options, sizeof(options), &in);
			build_segment(&ways[i], PORT, TCP_SYN, lowered, sizeof(lowered), &out);
			for (size_t k = 0; k < 2; k++) {
				__u32 length_at = AT_IP + (is_ipv6(both[k]) ? 4 : 2);

				write16(both[k], length_at, read16(both[k], length_at) - fewer);
				both[k]->length_bytes -= fewer;
				if (!is_ipv6(both[k]))
					frame_seal(both[k]);
				seal_tcp(both[k], ways[i].l4_at);
			}
			if (fewer <= PAYLOAD_BYTES) {
				assert_sent("a shorter packet", &ways[i], &in, &out);
				continue;
			}
			out = in;
			assert_int_equal(world_send(&out), XDP_PASS);
			assert_frame("a packet without its header", &out, &in);
		}
	}
}

/* All 2^16 values that the checksum can have before, with the value in one word and across two. */
static void every_checksum(void **state)
{
	/* Read in the other byte order it grows, so that the sum may overflow twice. */
	static const __u8 even[] = {2, 4, 0x06, 0x00};
	static const __u8 odd[] = {1, 2, 4, 0x06, 0x00, 1, 1, 1};
	static const __u8 even_out[] = {2, 4, 0x05, 0x78};
	static const __u8 odd_out[] = {1, 2, 4, 0x05, 0x78, 1, 1, 1};
	const struct way *way = *state;
	struct frame in[2], out[2];

	build_segment(way, PORT, TCP_SYN, even, sizeof(even), &in[0]);
	build_segment(way, PORT, TCP_SYN, even_out, sizeof(even_out), &out[0]);
	build_segment(way, PORT, TCP_SYN, odd, sizeof(odd), &in[1]);
	build_segment(way, PORT, TCP_SYN, odd_out, sizeof(odd_out), &out[1]);
	for (__u32 sequence = 0; sequence <= 0xffff; sequence++) {
		for (size_t i = 0; i < 2; i++) {
			write16(&in[i], way->l4_at + 4, sequence);
			seal_tcp(&in[i], way->l4_at);
			write16(&out[i], way->l4_at + 4, sequence);
			seal_tcp(&out[i], way->l4_at);
			assert_sent("checksum", way, &in[i], &out[i]);
		}
	}
}

/* RFC 1624: an update does not mend what was wrong, so that the receiver still sees it. */
static void wrong_checksum_stays_wrong(void **state)
{
	static const __u8 options[] = {2, 4, 0x05, 0xb4};
	__u32 checksum_at = ways[0].l4_at + TCP_CHECKSUM_AT;
	struct frame frame;

	(void)state;
	build_segment(&ways[0], PORT, TCP_SYN, options, sizeof(options), &frame);
	write16(&frame, checksum_at, read16(&frame, checksum_at) ^ 0x0400);
	assert_int_equal(world_send(&frame), XDP_TX);
	assert_int_equal(read16(&frame, ways[0].l4_at + TCP_OPTIONS_AT + 2), 1400);
	assert_int_not_equal(whole_checksum(&frame, ways[0].l4_at), 0);
}

static int open_services(void **state)
{
	if (world_open(state))
		return -1;
	for (size_t i = 0; i < WAYS; i++) {
		const char *forward = ways[i].ipip ? "ipip" : "dsr";

		sluice("service add %s --vip %s --port %u --proto tcp --forward %s --mss 1400",
		       ways[i].name, ways[i].vip, PORT, forward);
		sluice("backend add %s b1 --address %s", ways[i].name, ways[i].path->backend);
		sluice("service add %s-unclamped --vip %s --port %u --proto tcp --forward %s",
		       ways[i].name, ways[i].vip, PORT_UNCLAMPED, forward);
		sluice("backend add %s-unclamped b1 --address %s", ways[i].name,
		       ways[i].path->backend);
	}
	return 0;
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(nothing_else_is_changed),
		cmocka_unit_test(every_place_of_the_header),
		cmocka_unit_test(every_offset),
		cmocka_unit_test(every_header_length),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(every_shorter_packet),
		{"every_checksum: IPv4", every_checksum, NULL, NULL, (void *)&ways[0]},
		{"every_checksum: IPv6", every_checksum, NULL, NULL, (void *)&ways[1]},
		cmocka_unit_test(wrong_checksum_stays_wrong),
	};
	struct CMUnitTest tests[ROWS + sizeof(others) / sizeof(others[0])];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){rows[i].name, every_shape, NULL, NULL,
					       (void *)&rows[i]};
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests_name("mss", tests, open_services, world_close);
}
