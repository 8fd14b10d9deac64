/* SPDX-License-Identifier: GPL-2.0-only */
/* Which packets the TC programs take for a service's, and how long they take them to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>

#include "measure.h"

/* Which packets are a service's, whatever is around them. */
static void services(void **state)
{
	static const struct step step = {SENT, 0, 100, 5000};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ends ends = measure_ends[i];
		struct frame frame, tagged;

		measure_port++;
		measure_build(&frame, &ends, &step);
		tagged = frame;
		frame_insert(&tagged, AT_ETHERTYPE, (const __u8 *)"\x81\0\x60\x64", 4);
		measure_run(SENT, &tagged, 0, 0);
		assert_int_equal(measure_counted(TCP_SERVICE).segments, 1);
		frame_insert(&tagged, AT_ETHERTYPE, (const __u8 *)"\x88\xa8\x0f\xfe", 4);
		measure_run(SENT, &tagged, 0, 0);
		assert_int_equal(measure_counted(TCP_SERVICE).bytes, 100);
		measure_run(RECEIVED, &frame, 0, 0); /* the wrong way: that is the client's port */
		assert_int_equal(measure_counted(TCP_SERVICE).segments, 0);
		ends.service = measure_ends[i].other;
		measure_build(&frame, &ends, &step);
		measure_run(SENT, &frame, 0, 0);
		assert_int_equal(measure_counted(TCP_SERVICE).segments, 0);
		assert_int_equal(measure_counted(ANY_PORT_SERVICE).segments, 1);
		ends.service = measure_ends[i].client;
		measure_build(&frame, &ends, &step);
		measure_run(SENT, &frame, 0, 0);
		assert_int_equal(measure_counted(TCP_SERVICE).segments +
					 measure_counted(UDP_SERVICE).segments +
					 measure_counted(ANY_PORT_SERVICE).segments,
				 0);
	}
}

/* Only their number and bytes; nobody knows which datagrams belong together. */
static void datagrams(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct packet_fields fields = {
			measure_ends[i].service,
			measure_ends[i].client,
			UDP_PORT,
			measure_port,
			IPPROTO_UDP,
			.ttl = 64,
			.payload_bytes = 900,
		};
		struct measure_counters got;
		struct frame frame;

		frame_build(&frame, &fields);
		measure_run(SENT, &frame, 0, 0);
		measure_run(SENT, &frame, 3, 300);
		got = measure_counted(UDP_SERVICE);
		assert_int_equal(got.segments, 4);
		assert_int_equal(got.bytes, 1800);
		assert_int_equal(got.data_segments + got.retransmitted_segments, 0);
	}
}

/*
 * What is no whole segment, or says of itself what cannot be. How long a link header is, the program
 * does not know, so up to that much may lack unnoticed.
 */
static void malformed(void **state)
{
	static const struct step step = {SENT, 0, 100, 5000};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct frame good, frame;
		__u32 at, length_at;

		measure_port++;
		measure_build(&good, &measure_ends[i], &step);
		at = is_ipv6(&good) ? AT_IPV6_L4 : AT_IPV4_L4;
		length_at = is_ipv6(&good) ? AT_IP + 4 : AT_IP + 2;
		for (__u32 bytes = at; bytes < good.length_bytes - AT_IP; bytes++) {
			frame = good;
			frame.length_bytes = bytes;
			measure_run(SENT, &frame, 0, 0);
		}
		frame = good;
		frame.bytes[at + 12] = 0x40; /* a header of 16 bytes */
		measure_run(SENT, &frame, 0, 0);
		frame.bytes[at + 12] = 0xf0; /* of 60, of which the packet has not all */
		write16(&frame, length_at, read16(&frame, length_at) - 70);
		measure_run(SENT, &frame, 0, 0);
		frame = good;
		frame.bytes[AT_IP] = is_ipv6(&good) ? 0x50 : 0x44;
		measure_run(SENT, &frame, 0, 0);
		if (!is_ipv6(&good)) {
			frame = good;
			frame.bytes[AT_IP + 6] = 0x20; /* more fragments */
			measure_run(SENT, &frame, 0, 0);
		}
		assert_int_equal(measure_counted(TCP_SERVICE).segments, 0);
	}
}

/* Longer than IP can say: its length is 0, and in IPv6 an option may say it (RFC 2675). */
static void big_tcp(void **state)
{
	static const struct step step = {SENT, 0, 3000, 5000};

	(void)state;
	for (int i = 0; i < 3; i++) {
		const struct ends *ends = &measure_ends[i > 0];
		struct measure_counters got;
		struct frame frame;

		measure_port++;
		measure_build(&frame, ends, &step);
		write16(&frame, is_ipv6(&frame) ? AT_IP + 4 : AT_IP + 2, 0);
		if (i == 2) {
			frame.bytes[AT_IP + 6] = IPPROTO_HOPOPTS;
			frame_insert(&frame, AT_IPV6_L4, (const __u8 *)"\x06\0\xc2\x04\0\0\x0b\xcc",
				     8);
		}
		measure_run(SENT, &frame, 3, 1000);
		got = measure_counted(TCP_SERVICE);
		assert_int_equal(got.segments, 3);
		assert_int_equal(got.bytes, 3000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services),
		cmocka_unit_test(datagrams),
		cmocka_unit_test(malformed),
		cmocka_unit_test(big_tcp),
	};

	return cmocka_run_group_tests_name("measured packets", tests, measure_load, measure_unload);
}
