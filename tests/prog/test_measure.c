/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the TC programs count of packets that have no TCP socket: each test is a short conversation,
 * in both families, and the counters that must come of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <netinet/in.h>

#include "measure.h"

/* Conversations, and what is sent in them: all, what can be sent again, and what was. */
struct conversation {
	const char *name;
	struct step steps[8];
	__u64 segments, bytes, data_segments, again_segments, again_bytes;
};

/* clang-format off: a step a line. */
static const struct conversation conversations[] = {
	{"in order",
	 {{SENT, 0, 1000, 5000}, {SENT, 0, 500, 6000}, {SENT, TCP_FIN, 100, 6500}},
	 3,
	 1600,
	 3,
	 0,
	 0},
	{"the whole again",
	 {{SENT, 0, 1000, 5000},
	  {SENT, 0, 1000, 6000},
	  {SENT, 0, 1000, 5000},
	  {SENT, 0, 1000, 6000},
	  {SENT, 0, 1000, 7000}},
	 5,
	 5000,
	 5,
	 2,
	 2000},
	{"a part again",
	 {{SENT, 0, 1000, 5000}, {SENT, 0, 1000, 5400}, {SENT, 0, 400, 6000}},
	 3,
	 2400,
	 3,
	 2,
	 1000},
	{"a larger packet is its segments",
	 {{SENT, 0, 3000, 5000, .gso_segs = 3, .gso_bytes = 1000},
	  {SENT, 0, 3000, 5000, .gso_segs = 3, .gso_bytes = 1000}},
	 6,
	 6000,
	 6,
	 3,
	 3000},
	{"of a larger packet a part again",
	 {{SENT, 0, 1500, 5000}, {SENT, 0, 3000, 5000, .gso_segs = 3, .gso_bytes = 1000}},
	 4,
	 4500,
	 4,
	 2,
	 1500},
	{"a larger packet that does not say of how many",
	 {{SENT, 0, 2001, 5000, .gso_bytes = 1000}, {SENT, 0, 1000, 7001, .gso_bytes = 1000}},
	 4,
	 3001,
	 4,
	 0,
	 0},
	{"acknowledgements are not sent again",
	 {{SENT, 0, 100, 5000}, {SENT, 0, 0, 5100}, {SENT, 0, 0, 5100}, {SENT, 0, 0, 5100}},
	 4,
	 100,
	 1,
	 0,
	 0},
	{"keepalives, with a byte and without",
	 {{SENT, 0, 100, 5000}, {SENT, 0, 0, 5099}, {SENT, 0, 1, 5099}, {SENT, 0, 1, 5099}},
	 4,
	 102,
	 3,
	 0,
	 0},
	{"one byte again, which the client is known to lack",
	 {{RECEIVED, 0, 10, 1, 5000}, {SENT, 0, 1, 5000}, {SENT, 0, 1, 5000}},
	 2,
	 2,
	 2,
	 1,
	 1},
	{"keepalives after all has arrived",
	 {{RECEIVED, 0, 10, 1, 5000},
	  {SENT, 0, 1, 5000},
	  {RECEIVED, 0, 0, 11, 5001},
	  {SENT, 0, 1, 5000}},
	 2,
	 2,
	 2,
	 0,
	 0},
	{"FIN alone again",
	 {{SENT, 0, 100, 5000}, {SENT, TCP_FIN, 0, 5100}, {SENT, TCP_FIN, 0, 5100}},
	 3,
	 100,
	 3,
	 1,
	 0},
	{"the end and its FIN again",
	 {{SENT, 0, 100, 5000},
	  {SENT, TCP_FIN, 50, 5100},
	  {SENT, TCP_FIN, 50, 5100},
	  {SENT, 0, 0, 5151}},
	 4,
	 200,
	 3,
	 1,
	 50},
	{"the end again, now with a FIN",
	 {{SENT, 0, 100, 5000}, {SENT, TCP_FIN, 100, 5000}, {SENT, TCP_FIN, 0, 5100}},
	 3,
	 200,
	 3,
	 2,
	 100},
	{"round the end of the numbers",
	 {{SENT, 0, 1000, 0xfffffc18},
	  {SENT, 0, 1000, 0},
	  {SENT, 0, 1000, 1000},
	  {SENT, 0, 1000, 0xfffffc18},
	  {SENT, 0, 1000, 0},
	  {SENT, 0, 1000, 2000}},
	 6,
	 6000,
	 6,
	 2,
	 2000},
	{"across the end of the numbers",
	 {{SENT, 0, 1000, 0xffffff00}, {SENT, 0, 1000, 0xffffff00}, {SENT, 0, 100, 744}},
	 3,
	 2100,
	 3,
	 1,
	 1000},
	{"numbers of another flow with the same addresses",
	 {{SENT, 0, 1000, 0x60000000}, {SENT, 0, 1000, 0x10000000}, {SENT, 0, 1000, 0x10000000}},
	 3,
	 3000,
	 3,
	 1,
	 1000},
	{"two changed places",
	 {{SENT, 0, 100, 5000, 1, 77},
	  {SENT, 0, 100, 5200, 1, 77},
	  {SENT, 0, 100, 5100, 1, 77},
	  {SENT, 0, 100, 5300, 1, 77}},
	 4,
	 400,
	 4,
	 0,
	 0},
	{"several came late, of an earlier tick",
	 {{SENT, 0, 100, 5000, 1, 77},
	  {SENT, 0, 100, 5200, 1, 77},
	  {SENT, 0, 100, 5400, 1, 79},
	  {SENT, 0, 100, 5100, 1, 77},
	  {SENT, 0, 100, 5300, 1, 78}},
	 5,
	 500,
	 5,
	 0,
	 0},
	{"lost on the way here, and sent later",
	 {{SENT, 0, 100, 5000, 1, 77}, {SENT, 0, 100, 5200, 1, 77}, {SENT, 0, 100, 5100, 1, 78}},
	 3,
	 300,
	 3,
	 1,
	 100},
	{"passed over, came late, and once more",
	 {{SENT, 0, 100, 5000, 1, 77},
	  {SENT, 0, 100, 5200, 1, 77},
	  {SENT, 0, 100, 5100, 1, 77},
	  {SENT, 0, 100, 5100, 1, 77}},
	 4,
	 400,
	 4,
	 1,
	 100},
	{"without timestamps nobody can tell",
	 {{SENT, 0, 100, 5000}, {SENT, 0, 100, 5200}, {SENT, 0, 100, 5100}},
	 3,
	 300,
	 3,
	 1,
	 100},
	{"a new SYN begins a new flow",
	 {{SENT, 0, 1000, 5000},
	  {RECEIVED, TCP_SYN, 0, 900},
	  {SENT, TCP_SYN | TCP_ACK, 0, 3000},
	  {SENT, 0, 1000, 3001}},
	 3,
	 2000,
	 3,
	 0,
	 0},
};
/* clang-format on */

static size_t count_steps(const struct step *steps, size_t room)
{
	size_t count = 0;

	while (count < room &&
	       (steps[count].flags || steps[count].payload_bytes || steps[count].sequence))
		count++;
	return count;
}

static void converses(void **state)
{
	const struct conversation *talk = *state;
	size_t count = count_steps(talk->steps, sizeof(talk->steps) / sizeof(talk->steps[0]));

	for (int i = 0; i < 2; i++) {
		struct measure_counters got;

		measure_port++;
		measure_play(&measure_ends[i], talk->steps, count);
		got = measure_counted(TCP_SERVICE);
		assert_int_equal(got.segments, talk->segments);
		assert_int_equal(got.bytes, talk->bytes);
		assert_int_equal(got.data_segments, talk->data_segments);
		assert_int_equal(got.retransmitted_segments, talk->again_segments);
		assert_int_equal(got.retransmitted_bytes, talk->again_bytes);
		assert_int_equal(got.resets_sent + got.resets_received, 0);
	}
}

static void handshakes(void **state)
{
	static const struct step steps[] = {
		{RECEIVED, TCP_SYN, 0, 900},        {RECEIVED, TCP_SYN, 0, 900},
		{SENT, TCP_SYN | TCP_ACK, 0, 3000}, {SENT, TCP_SYN | TCP_ACK, 0, 3000},
		{RECEIVED, TCP_SYN, 0, 900},        {SENT, TCP_SYN | TCP_ACK, 0, 3000},
		{RECEIVED, TCP_SYN, 0, 901}, /* another one */
		{SENT, TCP_SYN | TCP_ACK, 0, 4000},
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct measure_counters got;

		measure_port++;
		measure_play(&measure_ends[i], steps, 8);
		got = measure_counted(TCP_SERVICE);
		assert_int_equal(got.syn_retransmits_received, 2);
		assert_int_equal(got.syn_retransmits_sent, 2);
		assert_int_equal(got.segments, 4);
		assert_int_equal(got.data_segments, 4);
		assert_int_equal(got.retransmitted_segments, 2);
		assert_int_equal(got.retransmitted_bytes, 0);
	}
}

static void resets(void **state)
{
	static const struct step steps[] = {
		{SENT, 0, 100, 5000},
		{SENT, TCP_RST, 0, 5000},
		{SENT, TCP_RST | TCP_ACK, 0, 5000},
		{RECEIVED, TCP_RST, 0, 77},
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct measure_counters got;

		measure_port++;
		measure_play(&measure_ends[i], steps, 4);
		got = measure_counted(TCP_SERVICE);
		assert_int_equal(got.resets_sent, 2);
		assert_int_equal(got.resets_received, 1);
		assert_int_equal(got.segments, 3);
		assert_int_equal(got.retransmitted_segments, 0);
	}
}

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

#define CONVERSATIONS (sizeof(conversations) / sizeof(conversations[0]))

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(handshakes), cmocka_unit_test(resets),
		cmocka_unit_test(services),   cmocka_unit_test(datagrams),
		cmocka_unit_test(malformed),  cmocka_unit_test(big_tcp),
	};
	struct CMUnitTest tests[CONVERSATIONS + sizeof(others) / sizeof(others[0])];

	for (size_t i = 0; i < CONVERSATIONS; i++)
		tests[i] = (struct CMUnitTest){conversations[i].name, converses, NULL, NULL,
					       (void *)&conversations[i]};
	memcpy(tests + CONVERSATIONS, others, sizeof(others));
	return cmocka_run_group_tests_name("measure", tests, measure_load, measure_unload);
}
