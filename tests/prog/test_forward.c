/* SPDX-License-Identifier: GPL-2.0-only */
/* Forwarding: every mode and address family, every byte, and what stops a packet on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>

#include "way.h"

static void assert_counts(const char *name, struct counts got, long packets, long bytes,
			  long new_flows)
{
	if (got.packets != packets || got.bytes != bytes || got.new_flows != new_flows)
		fail_msg("%s counts %ld packets, %ld bytes, %ld new flows, expected %ld, %ld, %ld",
			 name, got.packets, got.bytes, got.new_flows, packets, bytes, new_flows);
}

static void every_byte_tcp(void **state)
{
	const struct way *way = *state;
	struct packet_fields fields = way_packet(way, IPPROTO_TCP, 80);
	struct counts drops = drop_counts(NULL);
	struct frame syn, data, fin;

	way_serve(way, way->name, 80, "tcp");
	frame_build(&syn, &fields);
	fields.tcp_flags = TCP_ACK;
	fields.payload_bytes = 1201; /* odd */
	frame_build(&data, &fields);
	fields.tcp_flags = TCP_ACK | TCP_FIN;
	fields.payload_bytes = 0;
	frame_build(&fin, &fields);

	assert_forwarded("SYN", way, &syn);
	assert_forwarded("SYN again", way, &syn);
	assert_forwarded("data", way, &data);
	assert_forwarded("more data", way, &data);
	assert_forwarded("FIN", way, &fin);

	assert_counts("the service", service_counts(way->name), 5,
		      2 * syn.length_bytes + 2 * data.length_bytes + fin.length_bytes, 1);
	assert_counts("the backend", backend_counts(way->name, "b1"), 5,
		      2 * syn.length_bytes + 2 * data.length_bytes + fin.length_bytes, 1);
	assert_int_equal(drop_counts(NULL).packets, drops.packets);
}

static void every_byte_udp(void **state)
{
	const struct way *way = *state;
	struct packet_fields fields = way_packet(way, IPPROTO_UDP, 53);
	char service[64];
	struct frame datagram, empty;

	snprintf(service, sizeof(service), "%s-udp", way->name);
	way_serve(way, service, 53, "udp");
	frame_build(&datagram, &fields);
	fields.payload_bytes = 0;
	frame_build(&empty, &fields);

	assert_forwarded("datagram", way, &datagram);
	assert_forwarded("second datagram", way, &datagram);
	assert_forwarded("empty datagram", way, &empty);
	assert_counts("the service", service_counts(service), 3,
		      2 * datagram.length_bytes + empty.length_bytes, 1);
	assert_counts("the backend", backend_counts(service, "b1"), 3,
		      2 * datagram.length_bytes + empty.length_bytes, 1);
}

/* RFC 6040, 4.1: the outer header has the inner one's DSCP and ECN. */
static void traffic_class(void **state)
{
	static const __u8 classes[] = {0x00, 0x01, 0x02, 0x03, 0x28, 0xb8, 0xfe, 0xff};
	const struct way *way = *state;
	struct packet_fields fields = way_packet(way, IPPROTO_TCP, 81);
	char service[64], name[32];
	struct frame frame;

	snprintf(service, sizeof(service), "%s-class", way->name);
	way_serve(way, service, 81, "tcp");
	for (size_t i = 0; i < sizeof(classes); i++) {
		fields.traffic_class = classes[i];
		frame_build(&frame, &fields);
		snprintf(name, sizeof(name), "traffic class %#04x", classes[i]);
		assert_forwarded(name, way, &frame);
	}
}

/* We are a router: what would leave with 0 does not leave. */
static void hop_limits(void **state)
{
	static const __u8 alive[] = {2, 3, 64, 128, 129, 255};
	const struct way *way = *state;
	struct packet_fields fields = way_packet(way, IPPROTO_TCP, 82);
	char service[64], name[32];
	struct frame frame;

	snprintf(service, sizeof(service), "%s-ttl", way->name);
	way_serve(way, service, 82, "tcp");
	for (fields.ttl = 0; fields.ttl < 2; fields.ttl++) {
		frame_build(&frame, &fields);
		snprintf(name, sizeof(name), "TTL %u", fields.ttl);
		assert_dropped(name, &frame, "ttl_expired");
	}
	assert_counts("the service", service_counts(service), 0, 0, 0);
	for (size_t i = 0; i < sizeof(alive); i++) {
		fields.ttl = alive[i];
		frame_build(&frame, &fields);
		snprintf(name, sizeof(name), "TTL %u", fields.ttl);
		assert_forwarded(name, way, &frame);
	}
}

/* Both devices carry 1500 bytes of IP. What is said of longer ones, test_too_big looks at. */
static void longest_packet(void **state)
{
	const struct way *way = *state;
	struct packet_fields fields = way_packet(way, IPPROTO_TCP, 83);
	__u16 headers = (way_is_ipv6(way) ? 40 : 20) + 20 + way_outer_bytes(way);
	struct counts too_big = drop_counts("too_big");
	char service[64];
	struct frame frame;

	snprintf(service, sizeof(service), "%s-mtu", way->name);
	way_serve(way, service, 83, "tcp");
	fields.payload_bytes = 1500 - headers;
	frame_build(&frame, &fields);
	assert_forwarded("as long as the MTU", way, &frame);
	fields.payload_bytes++;
	frame_build(&frame, &fields);
	assert_int_equal(world_send(&frame), XDP_TX);
	assert_memory_equal(frame.bytes, client_mac.byte, sizeof(client_mac.byte));
	assert_int_equal(drop_counts("too_big").packets, too_big.packets + 1);
	assert_int_equal(service_counts(service).packets, 1);
}

/* Ethernet pads to 60 bytes: the padding may go along, but no length may count it. */
static void padding(void **state)
{
	const struct way *way = *state;
	struct packet_fields fields = way_packet(way, IPPROTO_TCP, 84);
	char service[64];
	struct frame frame;

	snprintf(service, sizeof(service), "%s-padding", way->name);
	way_serve(way, service, 84, "tcp");
	fields.payload_bytes = 0;
	frame_build(&frame, &fields);
	memset(frame.bytes + frame.length_bytes, 0xee, 26);
	frame.length_bytes += 26;
	assert_forwarded("a short packet and 26 bytes of padding", way, &frame);
	assert_counts("the service", service_counts(service), 1, frame.length_bytes, 1);
}

/* The identification takes the header's checksum through every value that it can have. */
static void every_ipv4_checksum(void **state)
{
	static const struct way dsr = {"", "dsr", "192.0.2.20", "198.51.100.7", &near_ipv4};
	static const struct way ipip = {"", "ipip", "192.0.2.21", "198.51.100.7", &near_ipv4};
	const struct way *const both[] = {&dsr, &ipip};
	struct frame frame;
	__u32 id;

	(void)state;
	way_serve(&dsr, "checksum-dsr", 80, "tcp");
	way_serve(&ipip, "checksum-ipip", 80, "tcp");
	for (size_t i = 0; i < 2; i++) {
		struct packet_fields fields = way_packet(both[i], IPPROTO_TCP, 80);

		fields.payload_bytes = 0;
		for (id = 0; id <= 0xffff; id++) {
			fields.id = id;
			frame_build(&frame, &fields);
			assert_forwarded("identification", both[i], &frame);
		}
	}
}

/* Each service takes slots, and what they replace is kept for a while. */
static int open_world(void **state)
{
	(void)state;
	if (world_make())
		return -1;
	world_load("forward", "load:\n  slots_max: 4194304\n");
	return 0;
}

int main(void)
{
	static const struct {
		const char *name;
		CMUnitTestFunction run;
	} of_each_way[] = {
		{"TCP", every_byte_tcp},
		{"UDP", every_byte_udp},
		{"traffic class", traffic_class},
		{"hop limit", hop_limits},
		{"longest packet", longest_packet},
		{"padding", padding},
	};
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(every_ipv4_checksum),
	};
	const size_t kinds = sizeof(of_each_way) / sizeof(of_each_way[0]);
	const size_t rest = sizeof(others) / sizeof(others[0]);
	struct CMUnitTest tests[WAYS * kinds + rest];
	char names[WAYS * kinds][64];

	for (size_t i = 0; i < WAYS * kinds; i++) {
		const struct way *way = &ways[i / kinds];

		snprintf(names[i], sizeof(names[i]), "%s: %s", way->name,
			 of_each_way[i % kinds].name);
		tests[i] = (struct CMUnitTest){names[i], of_each_way[i % kinds].run, NULL, NULL,
					       (void *)way};
	}
	memcpy(tests + WAYS * kinds, others, sizeof(others));
	return cmocka_run_group_tests_name("forward", tests, open_world, world_close);
}
