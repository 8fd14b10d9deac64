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

#include "world.h"

struct way {
	const char *name; /* also of the services */
	bool ipip;
	const char *vip;
	const char *client;
	const struct path *path;
};

#define CLIENT_IPV4 "198.51.100.7"
#define CLIENT_IPV6 "2001:db8:c::7"

static const struct way ways[] = {
	{"dsr-ipv4-near", false, "192.0.2.1", CLIENT_IPV4, &near_ipv4},
	{"dsr-ipv4-far", false, "192.0.2.2", CLIENT_IPV4, &far_ipv4},
	{"dsr-ipv4-routed", false, "192.0.2.3", CLIENT_IPV4, &routed_ipv4},
	{"dsr-ipv6-near", false, "2001:db8::1", CLIENT_IPV6, &near_ipv6},
	{"dsr-ipv6-far", false, "2001:db8::2", CLIENT_IPV6, &far_ipv6},
	{"dsr-ipv4-by-ipv6-address", false, "192.0.2.4", CLIENT_IPV4, &near_ipv6},
	{"ipip-4in4-near", true, "192.0.2.5", CLIENT_IPV4, &near_ipv4},
	{"ipip-4in4-far", true, "192.0.2.6", CLIENT_IPV4, &far_ipv4},
	{"ipip-4in4-routed", true, "192.0.2.7", CLIENT_IPV4, &routed_ipv4},
	{"ipip-6in6-near", true, "2001:db8::3", CLIENT_IPV6, &near_ipv6},
	{"ipip-6in6-far", true, "2001:db8::4", CLIENT_IPV6, &far_ipv6},
	{"ipip-4in6-near", true, "192.0.2.8", CLIENT_IPV4, &near_ipv6},
	{"ipip-4in6-far", true, "192.0.2.9", CLIENT_IPV4, &far_ipv6},
	{"ipip-6in4-near", true, "2001:db8::5", CLIENT_IPV6, &near_ipv4},
	{"ipip-6in4-far", true, "2001:db8::6", CLIENT_IPV6, &far_ipv4},
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* A service of its own on the way's VIP; ports keep the services of one way apart. */
static void serve(const struct way *way, const char *name, unsigned int port, const char *protocol)
{
	sluice("service add %s --vip %s --port %u --proto %s --forward %s", name, way->vip, port,
	       protocol, way->ipip ? "ipip" : "dsr");
	sluice("backend add %s b1 --address %s", name, way->path->backend);
}

static struct packet_fields packet_of(const struct way *way, __u16 port)
{
	return (struct packet_fields){
		.source = way->client,
		.destination = way->vip,
		.source_port = 40001,
		.destination_port = port,
		.protocol = IPPROTO_TCP,
		.tcp_flags = TCP_SYN,
		.ttl = 61,
		.id = 0x1234,
		.payload_bytes = 100,
	};
}

static __u32 outer_bytes(const struct way *way)
{
	if (!way->ipip)
		return 0;
	return strchr(way->path->backend, ':') ? 40 : 20;
}

/* Which label a flow gets is the load balancer's secret; what labels do is a test of its own. */
static __u32 label_of(const struct way *way, const struct frame *got)
{
	if (outer_bytes(way) != 40)
		return 0;
	return (got->bytes[AT_IP + 1] & 0x0f) << 16 | read16(got, AT_IP + 2);
}

/* @in must come out where @way leads, changed as its mode says and not otherwise. */
static void assert_forwarded(const char *name, const struct way *way, const struct frame *in,
			     __u8 traffic_class)
{
	struct frame expected = *in;
	struct frame got = *in;
	struct outer_fields outer = {way->path->source, way->path->backend, traffic_class, 0};
	int verdict = world_send(&got);

	if (verdict != way->path->verdict)
		fail_msg("%s: verdict %d, expected %d", name, verdict, way->path->verdict);
	frame_hop(&expected);
	if (way->ipip) {
		outer.flow_label = label_of(way, &got);
		frame_encapsulate(&expected, &outer);
	}
	frame_address(&expected, &way->path->to, &way->path->from);
	assert_frame(name, &got, &expected);
}

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
	struct packet_fields fields = packet_of(way, 80);
	struct counts drops = drop_counts(NULL);
	struct frame syn, data, fin;

	serve(way, way->name, 80, "tcp");
	frame_build(&syn, &fields);
	fields.tcp_flags = TCP_ACK;
	fields.payload_bytes = 1201; /* odd */
	frame_build(&data, &fields);
	fields.tcp_flags = TCP_ACK | TCP_FIN;
	fields.payload_bytes = 0;
	frame_build(&fin, &fields);

	assert_forwarded("SYN", way, &syn, 0);
	assert_forwarded("SYN again", way, &syn, 0);
	assert_forwarded("data", way, &data, 0);
	assert_forwarded("more data", way, &data, 0);
	assert_forwarded("FIN", way, &fin, 0);

	assert_counts("the service", service_counts(way->name), 5,
		      2 * syn.length_bytes + 2 * data.length_bytes + fin.length_bytes, 1);
	assert_counts("the backend", backend_counts(way->name, "b1"), 5,
		      2 * syn.length_bytes + 2 * data.length_bytes + fin.length_bytes, 1);
	assert_int_equal(drop_counts(NULL).packets, drops.packets);
}

static void every_byte_udp(void **state)
{
	const struct way *way = *state;
	struct packet_fields fields = packet_of(way, 53);
	char service[64];
	struct frame datagram, empty;

	snprintf(service, sizeof(service), "%s-udp", way->name);
	serve(way, service, 53, "udp");
	fields.protocol = IPPROTO_UDP;
	frame_build(&datagram, &fields);
	fields.payload_bytes = 0;
	frame_build(&empty, &fields);

	assert_forwarded("datagram", way, &datagram, 0);
	assert_forwarded("second datagram", way, &datagram, 0);
	assert_forwarded("empty datagram", way, &empty, 0);
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
	struct packet_fields fields = packet_of(way, 81);
	char service[64], name[32];
	struct frame frame;

	snprintf(service, sizeof(service), "%s-class", way->name);
	serve(way, service, 81, "tcp");
	for (size_t i = 0; i < sizeof(classes); i++) {
		fields.traffic_class = classes[i];
		frame_build(&frame, &fields);
		snprintf(name, sizeof(name), "traffic class %#04x", classes[i]);
		assert_forwarded(name, way, &frame, classes[i]);
	}
}

/* We are a router: what would leave with 0 does not leave. */
static void hop_limits(void **state)
{
	static const __u8 alive[] = {2, 3, 64, 128, 129, 255};
	const struct way *way = *state;
	struct packet_fields fields = packet_of(way, 82);
	char service[64], name[32];
	struct frame frame;

	snprintf(service, sizeof(service), "%s-ttl", way->name);
	serve(way, service, 82, "tcp");
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
		assert_forwarded(name, way, &frame, 0);
	}
}

/* Both devices carry 1500 bytes of IP. */
static void longest_packet(void **state)
{
	const struct way *way = *state;
	struct packet_fields fields = packet_of(way, 83);
	__u16 headers = (strchr(way->vip, ':') ? 40 : 20) + 20 + outer_bytes(way);
	char service[64];
	struct frame frame;

	snprintf(service, sizeof(service), "%s-mtu", way->name);
	serve(way, service, 83, "tcp");
	fields.payload_bytes = 1500 - headers;
	frame_build(&frame, &fields);
	assert_forwarded("as long as the MTU", way, &frame, 0);
	fields.payload_bytes++;
	frame_build(&frame, &fields);
	assert_dropped("a byte too long", &frame, "too_big");
	assert_int_equal(service_counts(service).packets, 1);
}

/* Ethernet pads to 60 bytes: the padding may go along, but no length may count it. */
static void padding(void **state)
{
	const struct way *way = *state;
	struct packet_fields fields = packet_of(way, 84);
	char service[64];
	struct frame frame;

	snprintf(service, sizeof(service), "%s-padding", way->name);
	serve(way, service, 84, "tcp");
	fields.payload_bytes = 0;
	frame_build(&frame, &fields);
	memset(frame.bytes + frame.length_bytes, 0xee, 26);
	frame.length_bytes += 26;
	assert_forwarded("a short packet and 26 bytes of padding", way, &frame, 0);
	assert_counts("the service", service_counts(service), 1, frame.length_bytes, 1);
}

/* The identification takes the header's checksum through every value that it can have. */
static void every_ipv4_checksum(void **state)
{
	static const struct way dsr = {"", false, "192.0.2.20", CLIENT_IPV4, &near_ipv4};
	static const struct way ipip = {"", true, "192.0.2.21", CLIENT_IPV4, &near_ipv4};
	const struct way *const both[] = {&dsr, &ipip};
	struct frame frame;
	__u32 id;

	(void)state;
	serve(&dsr, "checksum-dsr", 80, "tcp");
	serve(&ipip, "checksum-ipip", 80, "tcp");
	for (size_t i = 0; i < 2; i++) {
		struct packet_fields fields = packet_of(both[i], 80);

		fields.payload_bytes = 0;
		for (id = 0; id <= 0xffff; id++) {
			fields.id = id;
			frame_build(&frame, &fields);
			assert_forwarded("identification", both[i], &frame, 0);
		}
	}
}

/* RFC 1624: an update does not mend what was wrong, so that the receiver still sees it. */
static void wrong_checksum_stays_wrong(void **state)
{
	static const struct way way = {"", false, "192.0.2.22", CLIENT_IPV4, &near_ipv4};
	struct packet_fields fields = packet_of(&way, 80);
	struct frame frame;

	(void)state;
	serve(&way, "checksum-wrong", 80, "tcp");
	frame_build(&frame, &fields);
	write16(&frame, AT_IP + 10, read16(&frame, AT_IP + 10) ^ 0x0400);
	assert_int_equal(world_send(&frame), XDP_TX);
	assert_int_not_equal(checksum(frame.bytes + AT_IP, 20), 0);
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
		cmocka_unit_test(wrong_checksum_stays_wrong),
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
	return cmocka_run_group_tests_name("forward", tests, world_open, world_close);
}
