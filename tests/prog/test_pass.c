/* SPDX-License-Identifier: GPL-2.0-only */
/* What is not for a service, not understood, or lies: the stack's, with every byte untouched. */
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

/* A packet that the services of this program take; each row is one of them, spoilt. */
enum base { TCP4, UDP4, TCP6, UDP6 };

static const struct packet_fields bases[] = {
	[TCP4] = {"198.51.100.7", "192.0.2.1", 40001, 80, IPPROTO_TCP, TCP_SYN, 64, 0, 1, 40},
	[UDP4] = {"198.51.100.7", "192.0.2.1", 40001, 53, IPPROTO_UDP, 0, 64, 0, 1, 40},
	[TCP6] = {"2001:db8:c::7", "2001:db8::1", 40001, 80, IPPROTO_TCP, TCP_SYN, 64, 0, 0, 40},
	[UDP6] = {"2001:db8:c::7", "2001:db8::1", 40001, 53, IPPROTO_UDP, 0, 64, 0, 0, 40},
};

struct row {
	const char *name;
	enum base base;
	struct edit edit;
};

/* Lengths: IPv4 TCP 80 = 20 + 20 + 40, UDP 68 = 20 + 8 + 40; IPv6 payload TCP 60, UDP 48. */
static const struct row rows[] = {
	{"IPv4 TCP: another address", TCP4, {.pokes = {{AT_IP + 19, 2}}}},
	{"IPv4 TCP: another network", TCP4, {.pokes = {{AT_IP + 16, 193}}}},
	{"IPv4 TCP: another port", TCP4, {.pokes = {{AT_IPV4_L4 + 3, 81}}}},
	{"IPv4 TCP: the port's upper byte", TCP4, {.pokes = {{AT_IPV4_L4 + 2, 1}}}},
	{"IPv4 TCP: only UDP has this port", TCP4, {.pokes = {{AT_IPV4_L4 + 3, 53}}}},
	{"IPv4 TCP: port 0", TCP4, {.pokes = {{AT_IPV4_L4 + 3, 0}}}},
	{"IPv4 UDP: another address", UDP4, {.pokes = {{AT_IP + 19, 2}}}},
	{"IPv4 UDP: another port", UDP4, {.pokes = {{AT_IPV4_L4 + 3, 54}}}},
	{"IPv4 UDP: only TCP has this port", UDP4, {.pokes = {{AT_IPV4_L4 + 3, 80}}}},
	{"IPv6 TCP: another address", TCP6, {.pokes = {{AT_IP + 39, 2}}}},
	{"IPv6 TCP: another network", TCP6, {.pokes = {{AT_IP + 24, 0x21}}}},
	{"IPv6 TCP: another port", TCP6, {.pokes = {{AT_IPV6_L4 + 3, 81}}}},
	{"IPv6 TCP: only UDP has this port", TCP6, {.pokes = {{AT_IPV6_L4 + 3, 53}}}},
	{"IPv6 UDP: another address", UDP6, {.pokes = {{AT_IP + 39, 2}}}},
	{"IPv6 UDP: only TCP has this port", UDP6, {.pokes = {{AT_IPV6_L4 + 3, 80}}}},

	{"ICMP echo request",
	 TCP4,
	 {.pokes = {{AT_IP + 9, 1}, {AT_IPV4_L4, 8}, {AT_IPV4_L4 + 1, 0}}}},
	{"ICMP unreachable",
	 TCP4,
	 {.pokes = {{AT_IP + 9, 1}, {AT_IPV4_L4, 3}, {AT_IPV4_L4 + 1, 4}}}},
	{"ICMPv6 echo request",
	 TCP6,
	 {.pokes = {{AT_IP + 6, 58}, {AT_IPV6_L4, 128}, {AT_IPV6_L4 + 1, 0}}}},
	{"ICMPv6 too big",
	 TCP6,
	 {.pokes = {{AT_IP + 6, 58}, {AT_IPV6_L4, 2}, {AT_IPV6_L4 + 1, 0}}}},
	{"IPv4 SCTP", TCP4, {.pokes = {{AT_IP + 9, 132}}}},
	{"IPv4 UDP-Lite", UDP4, {.pokes = {{AT_IP + 9, 136}}}},
	{"IPv4 protocol 0", TCP4, {.pokes = {{AT_IP + 9, 0}}}},
	{"IPv4 in IPv4", TCP4, {.pokes = {{AT_IP + 9, 4}}}},
	{"IPv6 without next header", TCP6, {.pokes = {{AT_IP + 6, 59}}}},
	{"IPv6 ESP", TCP6, {.pokes = {{AT_IP + 6, 50}}}},

	{"EtherType of ARP", TCP4, {.pokes = {{12, 0x08}, {13, 0x06}}}},
	{"EtherType of LLDP", TCP4, {.pokes = {{12, 0x88}, {13, 0xcc}}}},
	{"EtherType of PPPoE", TCP4, {.pokes = {{12, 0x88}, {13, 0x64}}}},
	{"a length where the EtherType is", TCP4, {.pokes = {{12, 0x00}, {13, 0x60}}}},
	{"EtherType swapped", TCP4, {.pokes = {{12, 0x00}, {13, 0x08}}}},
	{"IPv6 under IPv4's EtherType", TCP6, {.pokes = {{12, 0x08}, {13, 0x00}}}},
	{"IPv4 under IPv6's EtherType", TCP4, {.pokes = {{12, 0x86}, {13, 0xdd}}}},
	{"three tags",
	 TCP4,
	 {.insert = {12, 12, "\x88\xa8\x00\x64\x81\x00\x00\xc8\x81\x00\x00\x01"}}},
	{"a tag of another EtherType", TCP4, {.insert = {12, 4, "\x91\x00\x00\x64"}}},
	{"a tag and what is not IP", TCP4, {.insert = {12, 6, "\x81\x00\x00\x64\x08\x06"}}},

	{"IPv4 longer than its frame", TCP4, {.pokes = {{AT_IP + 3, 81}}}},
	{"IPv4 of 65535 bytes", TCP4, {.pokes = {{AT_IP + 2, 0xff}, {AT_IP + 3, 0xff}}}},
	{"IPv4 of length 0", TCP4, {.pokes = {{AT_IP + 3, 0}}}},
	{"IPv4 shorter than its header", TCP4, {.pokes = {{AT_IP + 3, 19}}}},
	{"IPv4 without room for TCP", TCP4, {.pokes = {{AT_IP + 3, 39}}}},
	{"IPv4 of a header alone, TCP", TCP4, {.pokes = {{AT_IP + 3, 20}}}},
	{"IPv4 without room for UDP", UDP4, {.pokes = {{AT_IP + 3, 27}}}},
	{"IPv4 version 0", TCP4, {.pokes = {{AT_IP, 0x05}}}},
	{"IPv4 version 5", TCP4, {.pokes = {{AT_IP, 0x55}}}},
	{"IPv4 version 6", TCP4, {.pokes = {{AT_IP, 0x65}}}},
	{"IPv4 header of 0 words", TCP4, {.pokes = {{AT_IP, 0x40}}}},
	{"IPv4 header of 4 words", TCP4, {.pokes = {{AT_IP, 0x44}}}},
	{"IPv4 header of 6 words, none there", TCP4, {.pokes = {{AT_IP, 0x46}}}},
	{"IPv4 header of 15 words", TCP4, {.pokes = {{AT_IP, 0x4f}}}},
	{"IPv6 longer than its frame", TCP6, {.pokes = {{AT_IP + 5, 61}}}},
	{"IPv6 of 65535 bytes", TCP6, {.pokes = {{AT_IP + 4, 0xff}, {AT_IP + 5, 0xff}}}},
	{"IPv6 whose length wraps 16 bits",
	 TCP6,
	 {.pokes = {{AT_IP + 4, 0xff}, {AT_IP + 5, 0xd8}}}},
	{"IPv6 without payload", TCP6, {.pokes = {{AT_IP + 5, 0}}}},
	{"IPv6 without room for TCP", TCP6, {.pokes = {{AT_IP + 5, 19}}}},
	{"IPv6 without room for UDP", UDP6, {.pokes = {{AT_IP + 5, 7}}}},
	{"IPv6 version 4", TCP6, {.pokes = {{AT_IP, 0x40}}}},
	{"IPv6 version 0", TCP6, {.pokes = {{AT_IP, 0x00}}}},
	{"IPv6 version 15", TCP6, {.pokes = {{AT_IP, 0xf0}}}},
	{"TCP header of 0 words", TCP4, {.pokes = {{AT_IPV4_L4 + 12, 0x00}}}},
	{"TCP header of 4 words", TCP4, {.pokes = {{AT_IPV4_L4 + 12, 0x40}}}},
	{"TCP header past the packet", TCP4, {.pokes = {{AT_IP + 3, 60}, {AT_IPV4_L4 + 12, 0xb0}}}},
	{"TCP header past the frame, IPv6",
	 TCP6,
	 {.pokes = {{AT_IP + 5, 40}, {AT_IPV6_L4 + 12, 0xf0}}}},
	{"UDP of length 0", UDP4, {.pokes = {{AT_IPV4_L4 + 5, 0}}}},
	{"UDP shorter than its header", UDP4, {.pokes = {{AT_IPV4_L4 + 5, 7}}}},
	{"UDP longer than its packet", UDP4, {.pokes = {{AT_IPV4_L4 + 5, 49}}}},
	{"UDP of 65535 bytes", UDP6, {.pokes = {{AT_IPV6_L4 + 4, 0xff}, {AT_IPV6_L4 + 5, 0xff}}}},
	{"UDP longer than its packet, IPv6", UDP6, {.pokes = {{AT_IPV6_L4 + 5, 49}}}},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void assert_taken(const char *name, const struct frame *frame)
{
	struct frame out = *frame;
	int verdict = world_send(&out);

	if (verdict != XDP_TX)
		fail_msg("%s: verdict %d, expected XDP_TX", name, verdict);
}

static void assert_nothing_counted(struct counts service_before, struct counts drops_before)
{
	assert_int_equal(service_counts(NULL).packets, service_before.packets);
	assert_int_equal(service_counts(NULL).bytes, service_before.bytes);
	assert_int_equal(drop_counts(NULL).packets, drops_before.packets);
}

static void passes(void **state)
{
	const struct row *row = *state;
	struct counts services = service_counts(NULL);
	struct counts drops = drop_counts(NULL);
	struct frame frame;

	frame_build(&frame, &bases[row->base]);
	frame_edit(&frame, &row->edit);
	assert_left_to_stack(row->name, &frame);
	assert_nothing_counted(services, drops);
}

/* Without this, rows would pass for want of a service. */
static void unspoilt_is_taken(void **state)
{
	struct frame frame;

	(void)state;
	for (enum base base = TCP4; base <= UDP6; base++) {
		frame_build(&frame, &bases[base]);
		assert_taken("a whole packet", &frame);
	}
}

/* The frame ends too early, and its lengths still say what they said. */
static void truncated_frames(void **state)
{
	struct frame whole;

	(void)state;
	for (enum base base = TCP4; base <= UDP6; base++) {
		frame_build(&whole, &bases[base]);
		assert_truncated_is_left("a whole packet", &whole);
	}
}

/* RFC 1812, 5.2.2. Only the values that fold to a right sum are taken. */
static void every_wrong_checksum(void **state)
{
	struct frame frame;
	__u16 right;

	(void)state;
	frame_build(&frame, &bases[TCP4]);
	right = read16(&frame, AT_IP + 10);
	for (__u32 wrong = 0; wrong <= 0xffff; wrong++) {
		write16(&frame, AT_IP + 10, wrong);
		if (wrong != right)
			assert_left_to_stack("a wrong checksum", &frame);
	}
}

static void set_ip_length(struct frame *frame, __u32 frame_bytes)
{
	if (is_ipv6(frame)) {
		write16(frame, AT_IP + 4, frame_bytes > AT_IPV6_L4 ? frame_bytes - AT_IPV6_L4 : 0);
	} else {
		write16(frame, AT_IP + 2, frame_bytes - AT_IP);
		frame_seal(frame);
	}
}

/*
 * The packet ends within its TCP or UDP header, and its IP length says so: in a frame that ends
 * there, and in one that Ethernet has padded with what looks like the rest of the header.
 */
static void runt_packets(void **state)
{
	static const __u32 needed[] = {
		[TCP4] = AT_IPV4_L4 + 20,
		[UDP4] = AT_IPV4_L4 + 8,
		[TCP6] = AT_IPV6_L4 + 20,
		[UDP6] = AT_IPV6_L4 + 8,
	};
	struct frame frame;
	char name[64];

	(void)state;
	for (enum base base = TCP4; base <= UDP6; base++) {
		for (__u32 length = AT_IP; length < needed[base]; length++) {
			frame_build(&frame, &bases[base]);
			set_ip_length(&frame, length);
			snprintf(name, sizeof(name), "base %u, padded runt of %u bytes", base,
				 length);
			assert_left_to_stack(name, &frame);
			frame.length_bytes = length;
			snprintf(name, sizeof(name), "base %u, runt of %u bytes", base, length);
			assert_left_to_stack(name, &frame);
		}
	}
}

/* TCP options that fill the header to the end of the packet are no lie. */
static void longest_tcp_header_is_taken(void **state)
{
	struct frame frame;

	(void)state;
	frame_build(&frame, &bases[TCP4]);
	frame.bytes[AT_IPV4_L4 + 12] = 0xf0;
	assert_taken("60 bytes of TCP header, 60 bytes of TCP", &frame);
}

static __u32 place_of(const struct packet_fields *fields)
{
	return world_place(fields->destination, fields->destination_port, fields->protocol);
}

/*
 * Addresses, then ports, that the packet path looks for in the very place where a service stands.
 * The key comes of the default seed, so they are always the same ones.
 */
static void same_place_is_not_same_service(void **state)
{
	static const char *const formats[] = {
		[TCP4] = "198.%u.%u.%u", [TCP6] = "2001:db8:c:%x::%x:%x", [UDP6] = NULL};
	char destination[64];
	unsigned int addresses = 0, ports = 0;
	struct frame frame;

	(void)state;
	for (enum base base = TCP4; base <= UDP6; base++) {
		struct packet_fields fields = bases[base];
		__u32 place = place_of(&fields);

		for (__u32 port = 1; port <= 0xffff; port++) {
			fields.destination_port = port;
			if (port == bases[base].destination_port || place_of(&fields) != place)
				continue;
			frame_build(&frame, &fields);
			assert_left_to_stack("another port", &frame);
			ports++;
		}
		fields = bases[base];
		fields.destination = destination;
		for (__u32 i = 0; i < 1 << 18 && formats[base]; i++) {
			snprintf(destination, sizeof(destination), formats[base], i >> 16,
				 i >> 8 & 0xff, i & 0xff);
			if (place_of(&fields) != place)
				continue;
			frame_build(&frame, &fields);
			assert_left_to_stack(destination, &frame);
			addresses++;
		}
	}
	assert_int_not_equal(addresses, 0);
	assert_int_not_equal(ports, 0);
}

/* ::ffff:a.b.c.d is how IPv4 is written inside, so it must not come in from outside. */
static void ipv4_mapped_destination(void **state)
{
	struct packet_fields fields = bases[TCP6];
	struct frame frame;

	(void)state;
	fields.destination = "::ffff:192.0.2.1";
	frame_build(&frame, &fields);
	assert_left_to_stack("TCP to ::ffff:192.0.2.1", &frame);
	fields = bases[UDP6];
	fields.destination = "::ffff:192.0.2.1";
	frame_build(&frame, &fields);
	assert_left_to_stack("UDP to ::ffff:192.0.2.1", &frame);
}

static void arp(void **state)
{
	/* RFC 826: who has 192.0.2.1, tell 10.0.1.7. */
	static const char request[] = "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\x08\x06"
				      "\0\x01\x08\0\x06\x04\0\x01"
				      "\x02\0\0\0\0\x01\x0a\0\x01\x07"
				      "\0\0\0\0\0\0\xc0\0\x02\x01";
	struct frame frame = {.length_bytes = 60};

	(void)state;
	memcpy(frame.bytes, request, sizeof(request) - 1);
	assert_left_to_stack("a request for the VIP", &frame);
}

static int open_services(void **state)
{
	static const char *const vips[][3] = {
		{"ipv4", "192.0.2.1", "10.0.1.2"},
		{"ipv6", "2001:db8::1", "fd00:0:0:1::2"},
	};

	if (world_open(state))
		return -1;
	for (size_t i = 0; i < 2; i++) {
		sluice("service add tcp-%s --vip %s --port 80 --proto tcp", vips[i][0], vips[i][1]);
		sluice("backend add tcp-%s b1 --address %s", vips[i][0], vips[i][2]);
		sluice("service add udp-%s --vip %s --port 53 --proto udp", vips[i][0], vips[i][1]);
		sluice("backend add udp-%s b1 --address %s", vips[i][0], vips[i][2]);
	}
	return 0;
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(unspoilt_is_taken),
		cmocka_unit_test(truncated_frames),
		cmocka_unit_test(every_wrong_checksum),
		cmocka_unit_test(runt_packets),
		cmocka_unit_test(longest_tcp_header_is_taken),
		cmocka_unit_test(same_place_is_not_same_service),
		cmocka_unit_test(ipv4_mapped_destination),
		cmocka_unit_test(arp),
	};
	struct CMUnitTest tests[ROWS + sizeof(others) / sizeof(others[0])];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){rows[i].name, passes, NULL, NULL, (void *)&rows[i]};
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests_name("pass", tests, open_services, world_close);
}
