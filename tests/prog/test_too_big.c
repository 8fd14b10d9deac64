/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets that are too long for the way to their backend: what their senders are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>

#include "icmp.h"
#include "world.h"

/* A service and how long a packet may be on the way to its backend. */
struct way {
	const char *name;
	const char *mode;
	const char *vip;
	const char *backend;
	__u16 carries_bytes;
	__u16 told_bytes;
};

/* NEAR carries 1500 bytes, the routes behind it less. */
static const struct way ways[] = {
	{"dsr-ipv4", "dsr", "192.0.2.1", "10.0.1.2", 1500, 1500},
	{"dsr-ipv6", "dsr", "2001:db8::1", "fd00:0:0:1::2", 1500, 1500},
	{"ipip-4in4", "ipip", "192.0.2.2", "10.0.1.3", 1480, 1480},
	{"ipip-4in6", "ipip", "192.0.2.3", "fd00:0:0:1::3", 1460, 1460},
	{"ipip-6in4", "ipip", "2001:db8::2", "10.0.1.4", 1480, 1480},
	{"ipip-6in6", "ipip", "2001:db8::3", "fd00:0:0:1::4", 1460, 1460},
	{"narrow-dsr", "dsr", "192.0.2.4", "10.9.1.2", 400, 400},
	{"narrow-4in4", "ipip", "192.0.2.5", "10.9.1.3", 380, 380},
	{"narrow-6in4", "ipip", "2001:db8::4", "10.9.1.4", 380, 1280},
	{"least-dsr", "dsr", "192.0.2.6", "10.9.2.2", 68, 68},
	{"least-4in4", "ipip", "192.0.2.7", "10.9.2.3", 48, 68},
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

static bool way_is_ipv6(const struct way *way)
{
	return strchr(way->vip, ':');
}

/* A datagram whose IP packet has that many bytes. */
static void build(struct frame *frame, const struct way *way, const char *client, __u32 bytes)
{
	struct packet_fields fields = {
		.source = client,
		.destination = way->vip,
		.source_port = 40001,
		.destination_port = 53,
		.protocol = IPPROTO_UDP,
		.ttl = 57,
		.traffic_class = 0x2a,
		.id = 0x1234,
		.payload_bytes = bytes - (way_is_ipv6(way) ? 40 : 20) - 8,
	};

	frame_build(frame, &fields);
}

static const char *client_of(const struct way *way)
{
	return way_is_ipv6(way) ? "2001:db8:c::7" : "198.51.100.7";
}

static int open_services(void **state)
{
	if (world_open(state))
		return -1;
	ip("route add 10.9.1.0/24 via 10.0.1.9 mtu 400");
	ip("route add 10.9.2.0/24 via 10.0.1.9 mtu 68");
	for (size_t i = 0; i < WAYS; i++) {
		sluice("service add %s --vip %s --port 53 --proto udp --forward %s", ways[i].name,
		       ways[i].vip, ways[i].mode);
		sluice("backend add %s b1 --address %s", ways[i].name, ways[i].backend);
	}
	return 0;
}

static void assert_told(const char *name, const struct frame *in, const struct frame *expected)
{
	struct frame got = *in;
	int verdict = world_send(&got);

	if (verdict != XDP_TX)
		fail_msg("%s: verdict %d, expected XDP_TX", name, verdict);
	assert_frame(name, &got, expected);
}

/* The longest that fits is sent on; a byte more is answered, and many more, too. */
static void every_byte(void **state)
{
	struct counts drops = drop_counts("too_big");
	__u64 errors = memory_read().too_big_errors;
	struct frame in, expected;
	char name[80];

	(void)state;
	for (size_t i = 0; i < WAYS * 3; i++) {
		const struct way *way = &ways[i / 3];
		const __u32 sizes[] = {way->carries_bytes + 1,
				       way->carries_bytes + 2,
				       way->carries_bytes + 100,
				       1501,
				       3600,
				       9000};

		build(&in, way, client_of(way), way->carries_bytes);
		if (way->carries_bytes >= 68) {
			frame_tag(&in, i % 3);
			assert_int_equal(world_send(&in), XDP_TX);
			assert_memory_equal(in.bytes + 6, near_ipv4.from.byte, 6);
		}
		for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
			build(&in, way, client_of(way), sizes[j]);
			too_big_build(&expected, &in, way->told_bytes);
			frame_tag(&in, i % 3);
			frame_tag(&expected, i % 3);
			snprintf(name, sizeof(name), "%s, %zu tags, %u bytes", way->name, i % 3,
				 sizes[j]);
			assert_told(name, &in, &expected);
			drops.packets++;
			drops.bytes += in.length_bytes;
			errors++;
		}
	}
	assert_int_equal(memory_read().too_big_errors, errors);
	assert_int_equal(drop_counts("too_big").packets, drops.packets);
	assert_int_equal(drop_counts("too_big").bytes, drops.bytes);
}

/* What is quoted ends where the packet ends or the limit is; checked around both. */
static void every_quote(void **state)
{
	const struct way *const narrow[] = {&ways[6], &ways[8]};
	struct frame in, expected;
	char name[64];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (__u32 bytes = narrow[i]->carries_bytes + 1; bytes <= 1300; bytes++) {
			build(&in, narrow[i], client_of(narrow[i]), bytes);
			too_big_build(&expected, &in, narrow[i]->told_bytes);
			snprintf(name, sizeof(name), "%s, %u bytes", narrow[i]->name, bytes);
			assert_told(name, &in, &expected);
		}
	}
}

/* Options are quoted with the rest; the padding of a frame is not. */
static void options_and_padding(void **state)
{
	static const struct edit options = {
		.pokes = {{AT_IP, 0x46}, {AT_IP + 2, 1}, {AT_IP + 3, 0x9a}},
		.insert = {AT_IPV4_L4, 4, "\1\1\1\1"},
	};
	struct frame in, expected;

	(void)state;
	build(&in, &ways[6], client_of(&ways[6]), 406);
	frame_edit(&in, &options); /* 410 bytes */
	too_big_build(&expected, &in, 400);
	assert_told("options", &in, &expected);

	build(&in, &ways[9], client_of(&ways[9]), 69);
	too_big_build(&expected, &in, 68);
	memset(in.bytes + in.length_bytes, 0xee, 30);
	in.length_bytes += 30;
	assert_told("padding", &in, &expected);
}

/* The client's identification takes the error's checksum through every value. */
static void every_checksum(void **state)
{
	struct frame in, expected;

	(void)state;
	build(&in, &ways[9], client_of(&ways[9]), 69);
	for (__u32 number = 0; number <= 0xffff; number++) {
		write16(&in, AT_IPV4_L4 + 9, number);
		too_big_build(&expected, &in, 68);
		assert_told("checksum", &in, &expected);
	}
}

/* Nobody is told who could not have sent it, or would be told for many. */
static void sources(void **state)
{
	static const char *const nobody[] = {
		"0.0.0.0",   "127.0.0.1", "224.0.0.1", "239.255.255.255", "255.255.255.255",
		"192.0.2.1", "::",        "::1",       "ff02::1",         "2001:db8::1",
	};
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		build(&frame, &ways[strchr(nobody[i], ':') ? 1 : 0], nobody[i], 1501);
		assert_dropped(nobody[i], &frame, "too_big");
	}
	build(&frame, &ways[0], client_of(&ways[0]), 1501);
	frame.bytes[0] |= 1;
	assert_dropped("a frame for a group of stations", &frame, "too_big");
}

/* RFC 1122, 3.2.2: neither errors nor later fragments bring forth errors. */
static void not_for_these(void **state)
{
	static const struct edit later = {.pokes = {{AT_IP + 6, 0x00}, {AT_IP + 7, 0xb9}}};
	struct frame inner, error;

	(void)state;
	build(&inner, &ways[0], client_of(&ways[0]), 1501);
	frame_edit(&inner, &later);
	assert_dropped("a later fragment", &inner, "too_big");

	/* About what the VIP sent to a client: so long a quote is allowed, not usual. */
	build(&error, &ways[6], client_of(&ways[6]), 500);
	memmove(error.bytes + AT_IPV4_L4 + 8, error.bytes + AT_IP, 80);
	error.bytes[AT_IP + 9] = IPPROTO_ICMP;
	memcpy(error.bytes + AT_IPV4_L4, "\x03\x01\x00\x00\x00\x00\x00\x00", 8);
	memcpy(error.bytes + AT_IPV4_L4 + 8 + 12, error.bytes + AT_IP + 16, 4);
	memcpy(error.bytes + AT_IPV4_L4 + 8 + 16, error.bytes + AT_IP + 12, 4);
	write16(&error, AT_IPV4_L4 + 8 + 20, 53);
	write16(&error, AT_IPV4_L4 + 8 + 22, 40001);
	frame_seal(&error);
	frame_seal_icmp(&error, AT_IP);
	assert_dropped("an ICMP error", &error, "too_big");
}

static void budget(void **state)
{
	struct frame in, expected;

	(void)state;
	build(&in, &ways[2], client_of(&ways[2]), 1481);
	too_big_build(&expected, &in, 1480);
	budget_set(BUDGET_NEVER, 2);
	assert_told("first", &in, &expected);
	assert_told("second", &in, &expected);
	assert_dropped("third", &in, "too_big");
	budget_set(0, 0);
	assert_told("after a long time", &in, &expected);
	assert_int_equal(memory_read().errors_left, 999);
	assert_int_equal(memory_read().echoes_left, 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_byte, budget_fill),
		cmocka_unit_test_setup(every_quote, budget_fill),
		cmocka_unit_test_setup(options_and_padding, budget_fill),
		cmocka_unit_test_setup(every_checksum, budget_fill),
		cmocka_unit_test_setup(sources, budget_fill),
		cmocka_unit_test_setup(not_for_these, budget_fill),
		cmocka_unit_test(budget),
	};

	return cmocka_run_group_tests_name("too big", tests, open_services, world_close);
}
