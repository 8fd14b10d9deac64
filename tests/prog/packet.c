/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <netinet/in.h>

#include "packet.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd

const struct mac client_mac = {{0x02, 0, 0, 0, 0, 0x01}};
const struct mac balancer_mac = {{0x02, 0, 0, 0, 0x01, 0}};

__u16 read16(const struct frame *frame, __u32 at)
{
	return frame->bytes[at] << 8 | frame->bytes[at + 1];
}

void write16(struct frame *frame, __u32 at, __u16 value)
{
	frame->bytes[at] = value >> 8;
	frame->bytes[at + 1] = value & 0xff;
}

bool is_ipv6(const struct frame *frame)
{
	return read16(frame, AT_ETHERTYPE) == ETHERTYPE_IPV6;
}

static __u32 sum_words(const __u8 *bytes, size_t count)
{
	__u32 sum = 0;
	size_t i;

	for (i = 0; i + 1 < count; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	if (count % 2)
		sum += bytes[count - 1] << 8;
	return sum;
}

static __u16 fold(__u32 sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

__u16 checksum(const __u8 *bytes, size_t count)
{
	return fold(sum_words(bytes, count));
}

static bool text_is_ipv6(const char *address)
{
	return strchr(address, ':') != NULL;
}

static void write_address(__u8 *to, const char *address)
{
	int family = text_is_ipv6(address) ? AF_INET6 : AF_INET;

	if (inet_pton(family, address, to) != 1)
		fail_msg("'%s' is no address", address);
}

void frame_address(struct frame *frame, const struct mac *to, const struct mac *from)
{
	memcpy(frame->bytes, to->byte, sizeof(to->byte));
	memcpy(frame->bytes + sizeof(to->byte), from->byte, sizeof(from->byte));
}

/* RFC 791, 3.1. Never fragmented, as path MTU discovery wants it. */
static void write_ipv4(struct frame *frame, const char *source, const char *destination,
		       __u8 protocol, __u8 ttl, __u8 traffic_class, __u16 id, __u16 length_bytes)
{
	__u8 *ip = frame->bytes + AT_IP;

	memset(ip, 0, 20);
	write16(frame, AT_ETHERTYPE, ETHERTYPE_IPV4);
	ip[0] = 0x45;
	ip[1] = traffic_class;
	write16(frame, AT_IP + 2, length_bytes);
	write16(frame, AT_IP + 4, id);
	ip[6] = 0x40;
	ip[8] = ttl;
	ip[9] = protocol;
	write_address(ip + 12, source);
	write_address(ip + 16, destination);
	write16(frame, AT_IP + 10, checksum(ip, 20));
}

/* RFC 8200, 3. */
static void write_ipv6(struct frame *frame, const char *source, const char *destination,
		       __u8 protocol, __u8 ttl, __u8 traffic_class, __u32 label,
		       __u16 payload_bytes)
{
	__u8 *ip = frame->bytes + AT_IP;

	write16(frame, AT_ETHERTYPE, ETHERTYPE_IPV6);
	ip[0] = 0x60 | traffic_class >> 4;
	ip[1] = (traffic_class << 4 & 0xf0) | (label >> 16 & 0x0f);
	write16(frame, AT_IP + 2, label & 0xffff);
	write16(frame, AT_IP + 4, payload_bytes);
	ip[6] = protocol;
	ip[7] = ttl;
	write_address(ip + 8, source);
	write_address(ip + 24, destination);
}

/* RFC 9293, 3.1, and RFC 768; the payload is a pattern that no shift by some bytes maps to itself. */
static void write_l4(struct frame *frame, __u32 at, const struct packet_fields *fields)
{
	bool tcp = fields->protocol == IPPROTO_TCP;
	__u32 header_bytes = tcp ? 20 : 8;
	__u32 l4_bytes = header_bytes + fields->payload_bytes;
	__u8 *l4 = frame->bytes + at;
	__u32 addresses_at = is_ipv6(frame) ? AT_IP + 8 : AT_IP + 12;
	__u32 i, sum;

	memset(l4, 0, header_bytes);
	write16(frame, at, fields->source_port);
	write16(frame, at + 2, fields->destination_port);
	if (tcp) {
		memcpy(l4 + 4, "\x12\x34\x56\x78\x9a\xbc\xde\xf0", 8);
		l4[12] = 0x50;
		l4[13] = fields->tcp_flags;
		write16(frame, at + 14, 0x2000);
	} else {
		write16(frame, at + 4, l4_bytes);
	}
	for (i = 0; i < fields->payload_bytes; i++)
		l4[header_bytes + i] = i * 7 + i / 256 + 1;
	sum = sum_words(frame->bytes + addresses_at, at - addresses_at) + fields->protocol +
	      l4_bytes + sum_words(l4, l4_bytes);
	write16(frame, at + (tcp ? 16 : 6), fold(sum));
}

void fields_turn(struct packet_fields *fields)
{
	const struct packet_fields there = *fields;

	fields->source = there.destination;
	fields->destination = there.source;
	fields->source_port = there.destination_port;
	fields->destination_port = there.source_port;
}

void frame_build(struct frame *frame, const struct packet_fields *fields)
{
	__u16 l4_bytes = (fields->protocol == IPPROTO_TCP ? 20 : 8) + fields->payload_bytes;
	bool ipv6 = text_is_ipv6(fields->destination);
	__u32 l4_at = ipv6 ? AT_IPV6_L4 : AT_IPV4_L4;

	memset(frame, 0, sizeof(*frame));
	frame_address(frame, &balancer_mac, &client_mac);
	if (ipv6)
		write_ipv6(frame, fields->source, fields->destination, fields->protocol,
			   fields->ttl, fields->traffic_class, 0x54321, l4_bytes);
	else
		write_ipv4(frame, fields->source, fields->destination, fields->protocol,
			   fields->ttl, fields->traffic_class, fields->id, l4_bytes + 20);
	write_l4(frame, l4_at, fields);
	frame->length_bytes = l4_at + l4_bytes;
}

void frame_insert(struct frame *frame, __u32 at, const __u8 *bytes, __u32 count)
{
	memmove(frame->bytes + at + count, frame->bytes + at, frame->length_bytes - at);
	memcpy(frame->bytes + at, bytes, count);
	frame->length_bytes += count;
}

void frame_tag(struct frame *frame, unsigned int count)
{
	static const char *const tags[] = {"", "\x81\x00\x60\x64",
					   "\x88\xa8\x2f\xfe\x81\x00\x60\x64"};

	frame_insert(frame, AT_ETHERTYPE, (const __u8 *)tags[count], count * 4);
}

void frame_seal(struct frame *frame)
{
	write16(frame, AT_IP + 10, 0);
	write16(frame, AT_IP + 10,
		checksum(frame->bytes + AT_IP, (frame->bytes[AT_IP] & 0x0f) * 4));
}

void frame_edit(struct frame *frame, const struct edit *edit)
{
	size_t i;

	if (edit->insert.count)
		frame_insert(frame, edit->insert.at, (const __u8 *)edit->insert.bytes,
			     edit->insert.count);
	for (i = 0; i < 3 && edit->pokes[i].at; i++)
		frame->bytes[edit->pokes[i].at] = edit->pokes[i].value;
	if (read16(frame, AT_ETHERTYPE) == ETHERTYPE_IPV4 && frame->bytes[AT_IP] >> 4 == 4)
		frame_seal(frame);
}

/* RFC 792; RFC 4443, 2.3 adds a pseudo-header. */
void frame_seal_icmp(struct frame *frame, __u32 ip_at)
{
	const __u8 *ip = frame->bytes + ip_at;
	bool ipv6 = ip[0] >> 4 == 6;
	__u32 header_bytes = ipv6 ? 40 : (ip[0] & 0x0f) * 4;
	__u32 at = ip_at + header_bytes;
	__u32 bytes = ipv6 ? read16(frame, ip_at + 4) : read16(frame, ip_at + 2) - header_bytes;
	__u32 sum = ipv6 ? sum_words(ip + 8, 32) + bytes + IPPROTO_ICMPV6 : 0;

	write16(frame, at + 2, 0);
	write16(frame, at + 2, fold(sum + sum_words(frame->bytes + at, bytes)));
}

static void add_to_length(struct frame *frame, int bytes)
{
	__u32 at = AT_IP + (is_ipv6(frame) ? 4 : 2);

	write16(frame, at, read16(frame, at) + bytes);
}

void frame_add_options(struct frame *frame, const __u8 *options, __u32 words)
{
	frame_insert(frame, AT_IPV4_L4, options, words * 4);
	frame->bytes[AT_IP] += words;
	add_to_length(frame, words * 4);
	frame_seal(frame);
}

static bool holds_options(__u8 type)
{
	return type == IPPROTO_HOPOPTS || type == IPPROTO_DSTOPTS;
}

void frame_add_extensions(struct frame *frame, const struct extension *extensions, __u32 count)
{
	__u8 bytes[256 * 8] = {};

	while (count--) {
		const struct extension *extension = &extensions[count];
		__u32 length = (extension->length + 1) * 8;
		bool pad = holds_options(extension->type) && !extension->third;

		memset(bytes, 0, length);
		bytes[0] = frame->bytes[AT_IP + 6];
		bytes[1] = extension->length;
		bytes[2] = pad ? 1 : extension->third; /* RFC 8200, 4.2: PadN */
		bytes[3] = pad ? length - 4 : extension->fourth;
		bytes[4] = extension->number >> 24;
		bytes[5] = extension->number >> 16;
		bytes[6] = extension->number >> 8;
		bytes[7] = extension->number;
		frame_insert(frame, AT_IPV6_L4, bytes, length);
		frame->bytes[AT_IP + 6] = extension->type;
		add_to_length(frame, length);
	}
}

void frame_fragment(struct frame *fragment, const struct frame *whole, __u32 offset_bytes,
		    __u32 bytes, __u32 identification)
{
	__u32 at = is_ipv6(whole) ? AT_IPV6_L4 : AT_IPV4_L4;
	__u32 whole_bytes = whole->length_bytes - at;
	bool more = offset_bytes + bytes < whole_bytes;

	*fragment = *whole;
	fragment->length_bytes = at + bytes;
	memcpy(fragment->bytes + at, whole->bytes + at + offset_bytes, bytes);
	add_to_length(fragment, (int)bytes - (int)whole_bytes);
	if (is_ipv6(whole)) {
		const struct extension header = {IPPROTO_FRAGMENT, 0, offset_bytes >> 8,
						 (offset_bytes & 0xff) | more, identification};

		frame_add_extensions(fragment, &header, 1);
	} else {
		write16(fragment, AT_IP + 4, identification);
		write16(fragment, AT_IP + 6, offset_bytes / 8 | (more ? 0x2000 : 0));
		frame_seal(fragment);
	}
}

/* RFC 792; RFC 4443, 3. */
void frame_error(struct frame *error, const struct frame *quoted, const char *reporter, __u8 type,
		 __u8 code, __u32 quote_bytes)
{
	bool ipv6 = is_ipv6(quoted);
	__u32 at = ipv6 ? AT_IPV6_L4 : AT_IPV4_L4;
	char source[INET6_ADDRSTRLEN];

	inet_ntop(ipv6 ? AF_INET6 : AF_INET, quoted->bytes + AT_IP + (ipv6 ? 8 : 12), source,
		  sizeof(source));
	memset(error, 0, sizeof(*error));
	frame_address(error, &balancer_mac, &client_mac);
	if (ipv6)
		write_ipv6(error, reporter, source, IPPROTO_ICMPV6, 59, 0, 0, 8 + quote_bytes);
	else
		write_ipv4(error, reporter, source, IPPROTO_ICMP, 59, 0xc0, 0x4321,
			   28 + quote_bytes);
	error->bytes[at] = type;
	error->bytes[at + 1] = code;
	write16(error, at + 6, 1400); /* an MTU, where the type has one */
	memcpy(error->bytes + at + 8, quoted->bytes + AT_IP, quote_bytes);
	error->length_bytes = at + 8 + quote_bytes;
	frame_seal_icmp(error, AT_IP);
}

void frame_hop(struct frame *frame)
{
	if (is_ipv6(frame)) {
		frame->bytes[AT_IP + 7]--;
		return;
	}
	frame->bytes[AT_IPV4_TTL]--;
	frame_seal(frame);
}

void frame_encapsulate(struct frame *frame, const struct outer_fields *outer)
{
	static const __u8 room[40];
	__u16 inner_bytes = read16(frame, AT_IP + (is_ipv6(frame) ? 4 : 2));
	__u8 protocol = is_ipv6(frame) ? IPPROTO_IPV6 : IPPROTO_IPIP;

	if (is_ipv6(frame))
		inner_bytes += 40;
	if (text_is_ipv6(outer->destination)) {
		frame_insert(frame, AT_IP, room, 40);
		write_ipv6(frame, outer->source, outer->destination, protocol, 64,
			   outer->traffic_class, outer->flow_label, inner_bytes);
	} else {
		frame_insert(frame, AT_IP, room, 20);
		write_ipv4(frame, outer->source, outer->destination, protocol, 64,
			   outer->traffic_class, 0, inner_bytes + 20);
	}
}

/* Sixteen bytes a line; those that differ are marked below. */
static void print_difference(const struct frame *got, const struct frame *expected)
{
	__u32 most = got->length_bytes > expected->length_bytes ? got->length_bytes
								: expected->length_bytes;
	const struct frame *const sides[] = {got, expected};
	static const char *const titles[] = {"got     ", "expected"};
	__u32 line, side, i;

	for (line = 0; line < most; line += 16) {
		if (line + 16 <= got->length_bytes && line + 16 <= expected->length_bytes &&
		    !memcmp(got->bytes + line, expected->bytes + line, 16))
			continue;
		for (side = 0; side < 2; side++) {
			fprintf(stderr, "# %s %4u:", titles[side], line);
			for (i = line; i < line + 16 && i < sides[side]->length_bytes; i++)
				fprintf(stderr, "%c%02x",
					got->bytes[i] == expected->bytes[i] ? ' ' : '*',
					sides[side]->bytes[i]);
			fputc('\n', stderr);
		}
	}
}

void assert_frame(const char *name, const struct frame *got, const struct frame *expected)
{
	if (got->length_bytes == expected->length_bytes &&
	    !memcmp(got->bytes, expected->bytes, got->length_bytes))
		return;
	print_difference(got, expected);
	fail_msg("%s: the frame that came out (%u bytes) is not the expected one (%u bytes)", name,
		 got->length_bytes, expected->length_bytes);
}
