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

#include "measure.h"

/* Conversations, and what is sent in them: all, what can be sent again, and what was. */
struct conversation {
	const char *name;
	struct step steps[8];
	__u64 segments, bytes, data_segments, again_segments, again_bytes;
};

/* clang-format off */
static const struct conversation conversations[] = {
	{"in order", {
		{SENT, 0, 1000, 5000}, {SENT, 0, 500, 6000}, {SENT, TCP_FIN, 100, 6500}},
		3, 1600, 3, 0, 0},
	{"the whole again", {
		{SENT, 0, 1000, 5000}, {SENT, 0, 1000, 6000}, {SENT, 0, 1000, 5000},
		{SENT, 0, 1000, 6000}, {SENT, 0, 1000, 7000}},
		5, 5000, 5, 2, 2000},
	{"a part again", {
		{SENT, 0, 1000, 5000}, {SENT, 0, 1000, 5400}, {SENT, 0, 400, 6000}},
		3, 2400, 3, 2, 1000},
	{"a larger packet is its segments", {
		{SENT, 0, 3000, 5000, .gso_segs = 3, .gso_bytes = 1000},
		{SENT, 0, 3000, 5000, .gso_segs = 3, .gso_bytes = 1000}},
		6, 6000, 6, 3, 3000},
	{"of a larger packet a part again", {
		{SENT, 0, 1500, 5000}, {SENT, 0, 3000, 5000, .gso_segs = 3, .gso_bytes = 1000}},
		4, 4500, 4, 2, 1500},
	{"a larger packet that does not say of how many", {
		{SENT, 0, 2001, 5000, .gso_bytes = 1000},
		{SENT, 0, 1000, 7001, .gso_bytes = 1000}},
		4, 3001, 4, 0, 0},
	{"acknowledgements are not sent again", {
		{SENT, 0, 100, 5000}, {SENT, 0, 0, 5100}, {SENT, 0, 0, 5100}, {SENT, 0, 0, 5100}},
		4, 100, 1, 0, 0},
	{"keepalives, with a byte and without", {
		{SENT, 0, 100, 5000}, {SENT, 0, 0, 5099}, {SENT, 0, 1, 5099}, {SENT, 0, 1, 5099}},
		4, 102, 3, 0, 0},
	{"one byte again, which the client is known to lack", {
		{RECEIVED, 0, 10, 1, 5000}, {SENT, 0, 1, 5000}, {SENT, 0, 1, 5000}},
		2, 2, 2, 1, 1},
	{"keepalives after all has arrived", {
		{RECEIVED, 0, 10, 1, 5000}, {SENT, 0, 1, 5000}, {RECEIVED, 0, 0, 11, 5001},
		{SENT, 0, 1, 5000}},
		2, 2, 2, 0, 0},
	{"FIN alone again", {
		{SENT, 0, 100, 5000}, {SENT, TCP_FIN, 0, 5100}, {SENT, TCP_FIN, 0, 5100}},
		3, 100, 3, 1, 0},
	{"the end and its FIN again", {
		{SENT, 0, 100, 5000}, {SENT, TCP_FIN, 50, 5100}, {SENT, TCP_FIN, 50, 5100},
		{SENT, 0, 0, 5151}},
		4, 200, 3, 1, 50},
	{"the end again, now with a FIN", {
		{SENT, 0, 100, 5000}, {SENT, TCP_FIN, 100, 5000}, {SENT, TCP_FIN, 0, 5100}},
		3, 200, 3, 2, 100},
	{"round the end of the numbers", {
		{SENT, 0, 1000, 0xfffffc18}, {SENT, 0, 1000, 0}, {SENT, 0, 1000, 1000},
		{SENT, 0, 1000, 0xfffffc18}, {SENT, 0, 1000, 0}, {SENT, 0, 1000, 2000}},
		6, 6000, 6, 2, 2000},
	{"across the end of the numbers", {
		{SENT, 0, 1000, 0xffffff00}, {SENT, 0, 1000, 0xffffff00}, {SENT, 0, 100, 744}},
		3, 2100, 3, 1, 1000},
	{"long before the end of the numbers", {
		{SENT, 0, 1000, 0xfffff000}, {SENT, 0, 3400, 0xfffff3e8},
		{SENT, 0, 1000, 0xfffff000}, {SENT, 0, 3400, 0xfffff3e8}},
		4, 8800, 4, 2, 4400},
	{"numbers of another flow with the same addresses", {
		{SENT, 0, 1000, 0x60000000}, {SENT, 0, 1000, 0x10000000},
		{SENT, 0, 1000, 0x10000000}},
		3, 3000, 3, 1, 1000},
	{"two changed places", {
		{SENT, 0, 100, 5000, 1, 77}, {SENT, 0, 100, 5200, 1, 77},
		{SENT, 0, 100, 5100, 1, 77}, {SENT, 0, 100, 5300, 1, 77}},
		4, 400, 4, 0, 0},
	{"several came late, of an earlier tick", {
		{SENT, 0, 100, 5000, 1, 77}, {SENT, 0, 100, 5200, 1, 77},
		{SENT, 0, 100, 5400, 1, 79}, {SENT, 0, 100, 5100, 1, 77},
		{SENT, 0, 100, 5300, 1, 78}},
		5, 500, 5, 0, 0},
	{"lost on the way here, and sent later", {
		{SENT, 0, 100, 5000, 1, 77}, {SENT, 0, 100, 5200, 1, 77},
		{SENT, 0, 100, 5100, 1, 78}},
		3, 300, 3, 1, 100},
	{"passed over, came late, and once more", {
		{SENT, 0, 100, 5000, 1, 77}, {SENT, 0, 100, 5200, 1, 77},
		{SENT, 0, 100, 5100, 1, 77}, {SENT, 0, 100, 5100, 1, 77}},
		4, 400, 4, 1, 100},
	{"passed nothing over, in the same tick", {
		{SENT, 0, 100, 5000, 1, 77}, {SENT, 0, 100, 5200, 1, 77},
		{SENT, 0, 100, 5000, 1, 77}, {SENT, 0, 100, 5200, 1, 77}},
		4, 400, 4, 2, 200},
	{"without timestamps nobody can tell", {
		{SENT, 0, 100, 5000}, {SENT, 0, 100, 5200}, {SENT, 0, 100, 5100}},
		3, 300, 3, 1, 100},
	{"a new SYN begins a new flow", {
		{SENT, 0, 1000, 5000}, {RECEIVED, TCP_SYN, 0, 900},
		{SENT, TCP_SYN | TCP_ACK, 0, 3000}, {SENT, 0, 1000, 3001}},
		3, 2000, 3, 0, 0},
	{"a new SYN-ACK alone, too", {
		{SENT, 0, 1000, 5000}, {SENT, TCP_SYN | TCP_ACK, 0, 3000}, {SENT, 0, 1000, 3001}},
		3, 2000, 3, 0, 0},
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
		struct measure_counters got = measure_talk(&measure_ends[i], talk->steps, count);

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
		struct measure_counters got = measure_talk(&measure_ends[i], steps, 8);

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
		{SENT, 0, 100, 4950}, /* of a new flow: that one is over */
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct measure_counters got = measure_talk(&measure_ends[i], steps, 5);

		assert_int_equal(got.resets_sent, 2);
		assert_int_equal(got.resets_received, 1);
		assert_int_equal(got.segments, 4);
		assert_int_equal(got.retransmitted_segments, 0);
	}
}

#define CONVERSATIONS (sizeof(conversations) / sizeof(conversations[0]))

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(handshakes),
		cmocka_unit_test(resets),
	};
	struct CMUnitTest tests[CONVERSATIONS + sizeof(others) / sizeof(others[0])];

	for (size_t i = 0; i < CONVERSATIONS; i++)
		tests[i] = (struct CMUnitTest){conversations[i].name, converses, NULL, NULL,
					       (void *)&conversations[i]};
	memcpy(tests + CONVERSATIONS, others, sizeof(others));
	return cmocka_run_group_tests_name("measure", tests, measure_load, measure_unload);
}
