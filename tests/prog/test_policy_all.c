/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules for all traffic: also for what is for no service, whatever it carries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>

#include "policy_world.h"

#define RULE(text) "    - {" text "}\n"

static const char deny[] = RULE("action: deny, source: 198.51.100.0/24, comment: deny 4")
	RULE("action: deny, source: '2001:db8:c::/48', comment: deny 6")
		RULE("action: allow, source: 198.51.100.128/25, comment: allow");

enum base { IPV4_TCP, IPV4_UDP, IPV6_TCP };

static const struct row {
	const char *name;
	enum base base;
	struct edit edit;
	bool judged; /* there is an IP header to judge by */
} rows[] = {
	{"TCP", IPV4_TCP, {}, true},
	{"UDP", IPV4_UDP, {}, true},
	{"IPv6 TCP", IPV6_TCP, {}, true},
	{"ICMP", IPV4_TCP, {.pokes = {{AT_IP + 9, 1}}}, true},
	{"SCTP", IPV4_TCP, {.pokes = {{AT_IP + 9, 132}}}, true},
	{"GRE", IPV4_TCP, {.pokes = {{AT_IP + 9, 47}}}, true},
	{"ESP in IPv6", IPV6_TCP, {.pokes = {{AT_IP + 6, 50}}}, true},
	{"ICMPv6, neighbour discovery", IPV6_TCP, {.pokes = {{AT_IP + 6, 58}}}, true},
	{"IPv4 in IPv6", IPV6_TCP, {.pokes = {{AT_IP + 6, 4}}}, true},
	{"a later fragment", IPV4_TCP, {.pokes = {{AT_IP + 7, 9}}}, true},
	{"a length that lies", IPV4_TCP, {.pokes = {{AT_IP + 2, 9}}}, true},
	{"one tag", IPV4_TCP, {.insert = {12, 4, "\x81\x00\x00\x64"}}, true},
	{"two tags", IPV6_TCP, {.insert = {12, 8, "\x88\xa8\x00\x64\x81\x00\x00\xc8"}}, true},
	{"three tags",
	 IPV4_TCP,
	 {.insert = {12, 12, "\x88\xa8\x00\x64\x81\x00\x00\xc8\x81\x00\x00\x01"}},
	 false},
	{"ARP", IPV4_TCP, {.pokes = {{12, 0x08}, {13, 0x06}}}, false},
	{"a tag and ARP", IPV4_TCP, {.insert = {12, 6, "\x81\x00\x00\x64\x08\x06"}}, false},
	{"IPv4 version 5", IPV4_TCP, {.pokes = {{AT_IP, 0x55}}}, false},
	{"IPv6 version 4", IPV6_TCP, {.pokes = {{AT_IP, 0x40}}}, false},
};

static void build(struct frame *frame, const struct row *row, bool denied)
{
	struct packet_fields fields = policy_packet(denied ? "198.51.100.7" : "198.51.101.7",
						    NOT_OURS, row->base == IPV4_UDP ? 53 : 80);

	if (row->base == IPV6_TCP) {
		fields.source = denied ? "2001:db8:c::7" : "2001:db8:d::7";
		fields.destination = "2001:db8::99";
	}
	frame_build(frame, &fields);
	frame_edit(frame, &row->edit);
}

static void assert_verdict(const char *name, const struct frame *in, int expected)
{
	struct counts before = drop_counts("denied"), after;
	struct frame out = *in;
	int verdict = world_send(&out);

	if (verdict != expected)
		fail_msg("%s: verdict %d, expected %d", name, verdict, expected);
	assert_frame(name, &out, in);
	after = drop_counts("denied");
	assert_int_equal(after.packets, before.packets + (expected == XDP_DROP));
	assert_int_equal(after.bytes, before.bytes + (expected == XDP_DROP ? in->length_bytes : 0));
}

static void what_is_not_ours(void **state)
{
	const struct row *row = *state;
	struct frame frame;

	policy_set(deny, true);
	build(&frame, row, true);
	assert_verdict(row->name, &frame, row->judged ? XDP_DROP : XDP_PASS);
	build(&frame, row, false);
	assert_verdict(row->name, &frame, XDP_PASS);
	policy_set(deny, false);
	build(&frame, row, true);
	assert_verdict(row->name, &frame, XDP_PASS);
}

/* A header whose checksum is wrong is the stack's to drop, but for whoever may not get that far. */
static void wrong_checksum(void **state)
{
	struct packet_fields fields = policy_packet("198.51.100.7", VIP_IPV4, 80);
	struct frame frame;

	(void)state;
	policy_set(deny, true);
	frame_build(&frame, &fields);
	frame.bytes[AT_IP + 10] ^= 1;
	assert_verdict("wrong checksum", &frame, XDP_DROP);
}

static void counted_by_the_rule(void **state)
{
	(void)state;
	policy_set(deny, true);
	assert_int_equal(policy_send("198.51.100.7", NOT_OURS, 80), XDP_DROP);
	assert_int_equal(policy_send("198.51.100.200", NOT_OURS, 80), XDP_PASS);
	assert_int_equal(policy_send("2001:db8:c::7", "2001:db8::99", 22), XDP_DROP);
	assert_int_equal(policy_rule_counts("deny 4").dropped_packets, 1);
	assert_int_equal(policy_rule_counts("deny 6").dropped_packets, 1);
	assert_int_equal(policy_rule_counts("allow").packets, 1);
	assert_int_equal(policy_rule_counts("allow").dropped_packets, 0);
	/* Packets for services are asked once, as before. */
	assert_int_equal(policy_send("198.51.100.7", VIP_IPV4, 80), XDP_DROP);
	assert_int_equal(policy_rule_counts("deny 4").packets, 2);
}

static void rules_of_services_are_theirs(void **state)
{
	(void)state;
	policy_set(RULE("action: deny, source: 198.51.100.0/24, service: web4")
			   RULE("action: deny, source: 198.51.100.0/24, port: 22")
				   RULE("action: deny, service: web6"),
		   true);
	assert_int_equal(policy_send("198.51.100.7", VIP_IPV4, 80), XDP_DROP);
	assert_int_equal(policy_send("198.51.100.7", VIP_IPV4, 22), XDP_PASS);
	assert_int_equal(policy_send("198.51.100.7", NOT_OURS, 22), XDP_PASS);
	assert_int_equal(policy_send("2001:db8:c::7", VIP_IPV6, 22), XDP_PASS);
}

static void limits_and_every_source(void **state)
{
	unsigned int passed = 0;

	(void)state;
	policy_set(RULE("action: limit, packets: 1, burst_ms: 10000"), true);
	for (int i = 0; i < 40; i++)
		passed += policy_send("198.51.100.7", NOT_OURS, 22) == XDP_PASS;
	assert_int_equal(passed, 10);
}

#define ROWS (sizeof(rows) / sizeof(rows[0]))

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test_setup(wrong_checksum, policy_none),
		cmocka_unit_test_setup(counted_by_the_rule, policy_none),
		cmocka_unit_test_setup(rules_of_services_are_theirs, policy_none),
		cmocka_unit_test_setup(limits_and_every_source, policy_none),
	};
	struct CMUnitTest tests[ROWS + sizeof(others) / sizeof(others[0])];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = what_is_not_ours,
			.initial_state = (void *)&rows[i],
		};
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests_name("all traffic", tests, policy_open, world_close);
}
