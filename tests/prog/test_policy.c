/* SPDX-License-Identifier: GPL-2.0-only */
/* Which rule decides over a packet, and that it does: allow and deny. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>

#include "policy_world.h"

/* @rule: the comment of the one that must count the packet; "": none does. */
struct probe {
	const char *source, *destination;
	__u16 port;
	const char *rule;
};

#define PROBES_MAX 8

/* Comments of rules that deny begin with "deny". */
struct row {
	const char *name;
	const char *rules;
	struct probe probes[PROBES_MAX];
};

#define RULE(text) "    - {" text "}\n"

static const struct row rows[] = {
	{"an IPv4 prefix and what is around it",
	 RULE("action: deny, source: 198.51.100.64/26, comment: deny a"),
	 {{"198.51.100.63", VIP_IPV4, 80, ""},
	  {"198.51.100.64", VIP_IPV4, 80, "deny a"},
	  {"198.51.100.127", VIP_IPV4, 53, "deny a"},
	  {"198.51.100.128", VIP_IPV4, 80, ""},
	  {"198.51.99.64", VIP_IPV4, 80, ""},
	  {"2001:db8:c::40", VIP_IPV6, 80, ""}}},
	{"an IPv6 prefix and what is around it",
	 RULE("action: deny, source: '2001:db8:c:40::/58', comment: deny a"),
	 {{"2001:db8:c:3f:ffff:ffff:ffff:ffff", VIP_IPV6, 80, ""},
	  {"2001:db8:c:40::", VIP_IPV6, 80, "deny a"},
	  {"2001:db8:c:7f:ffff:ffff:ffff:ffff", VIP_IPV6, 53, "deny a"},
	  {"2001:db8:c:80::", VIP_IPV6, 80, ""},
	  {"198.51.100.64", VIP_IPV4, 80, ""}}},
	{"single addresses",
	 RULE("action: deny, source: 198.51.100.7, comment: deny a")
		 RULE("action: deny, source: '2001:db8:c::7', comment: deny b"),
	 {{"198.51.100.6", VIP_IPV4, 80, ""},
	  {"198.51.100.7", VIP_IPV4, 80, "deny a"},
	  {"198.51.100.8", VIP_IPV4, 80, ""},
	  {"2001:db8:c::6", VIP_IPV6, 80, ""},
	  {"2001:db8:c::7", VIP_IPV6, 80, "deny b"},
	  {"2001:db8:c::8", VIP_IPV6, 80, ""}}},
	{"short prefixes",
	 RULE("action: deny, source: 128.0.0.0/1, comment: deny a")
		 RULE("action: deny, source: '2000::/3', comment: deny b"),
	 {{"127.255.255.255", VIP_IPV4, 80, ""},
	  {"128.0.0.0", VIP_IPV4, 80, "deny a"},
	  {"255.255.255.254", VIP_IPV4, 80, "deny a"},
	  {"1fff::1", VIP_IPV6, 80, ""},
	  {"2000::", VIP_IPV6, 80, "deny b"},
	  {"3fff:ffff::1", VIP_IPV6, 80, "deny b"},
	  {"4000::", VIP_IPV6, 80, ""}}},
	{"the first and the last addresses",
	 RULE("action: deny, source: 0.0.0.0/8, comment: deny a")
		 RULE("action: deny, source: 255.255.255.0/24, comment: deny b")
			 RULE("action: deny, source: '::/16', comment: deny c")
				 RULE("action: deny, source: 'ffff:ffff::/32', comment: deny d"),
	 {{"0.0.0.0", VIP_IPV4, 80, "deny a"},
	  {"1.0.0.0", VIP_IPV4, 80, ""},
	  {"255.255.254.255", VIP_IPV4, 80, ""},
	  {"255.255.255.255", VIP_IPV4, 80, "deny b"},
	  {"::", VIP_IPV6, 80, "deny c"},
	  {"ffff:fffe:ffff::", VIP_IPV6, 80, ""},
	  {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", VIP_IPV6, 80, "deny d"}}},
	{"every source",
	 RULE("action: deny, comment: deny a"),
	 {{"198.51.100.7", VIP_IPV4, 80, "deny a"},
	  {"2001:db8:c::7", VIP_IPV6, 53, "deny a"},
	  {"198.51.100.7", NOT_OURS, 80, ""}}},
	{"every IPv4 source by its prefix",
	 RULE("action: deny, source: 0.0.0.0/0, comment: deny a"),
	 {{"198.51.100.7", VIP_IPV4, 80, "deny a"}, {"2001:db8:c::7", VIP_IPV6, 80, ""}}},
	{"longer prefixes inside shorter ones, whatever their order and action",
	 RULE("action: deny, source: 198.51.100.0/28, comment: deny 28")
		 RULE("action: allow, source: 198.51.0.0/16, comment: allow 16")
			 RULE("action: allow, source: 198.51.100.4/30, comment: allow 30")
				 RULE("action: deny, source: 198.0.0.0/8, comment: deny 8") RULE(
					 "action: deny, source: 198.51.100.5, comment: deny 32")
					 RULE("action: allow, comment: allow any"),
	 {{"198.1.1.1", VIP_IPV4, 80, "deny 8"},
	  {"198.51.1.1", VIP_IPV4, 80, "allow 16"},
	  {"198.51.100.3", VIP_IPV4, 80, "deny 28"},
	  {"198.51.100.4", VIP_IPV4, 80, "allow 30"},
	  {"198.51.100.5", VIP_IPV4, 80, "deny 32"},
	  {"198.51.100.8", VIP_IPV4, 80, "deny 28"},
	  {"198.51.100.16", VIP_IPV4, 80, "allow 16"},
	  {"199.0.0.0", VIP_IPV4, 80, "allow any"}}},
	{"the same in IPv6",
	 RULE("action: deny, source: '2001:db8:c::/64', comment: deny 64")
		 RULE("action: allow, source: '2001:db8::/32', comment: allow 32")
			 RULE("action: allow, source: '2001:db8:c::4:0/112', comment: allow 112")
				 RULE("action: deny, source: '2000::/4', comment: deny 4"),
	 {{"2002::1", VIP_IPV6, 80, "deny 4"},
	  {"2001:db8:d::1", VIP_IPV6, 80, "allow 32"},
	  {"2001:db8:c::1", VIP_IPV6, 80, "deny 64"},
	  {"2001:db8:c::4:1", VIP_IPV6, 80, "allow 112"},
	  {"2001:db8:c::5:1", VIP_IPV6, 80, "deny 64"},
	  {"2001:db8:c:1::1", VIP_IPV6, 80, "allow 32"}}},
	{"of the same length: deny before limit before allow",
	 RULE("action: allow, source: 198.51.100.0/24, comment: allow a")
		 RULE("action: limit, source: 198.51.100.0/24, packets: 1000000, comment: limit a")
			 RULE("action: deny, source: 198.51.100.0/24, comment: deny a")
				 RULE("action: allow, source: 198.51.101.0/24, comment: allow b")
					 RULE("action: limit, source: 198.51.101.0/24, packets: "
					      "1000000, comment: limit b"),
	 {{"198.51.100.7", VIP_IPV4, 80, "deny a"}, {"198.51.101.7", VIP_IPV4, 80, "limit b"}}},
	{"of the same length and action: the one of a service",
	 RULE("action: deny, source: 198.51.100.0/24, comment: deny all")
		 RULE("action: deny, source: 198.51.100.0/24, service: web4, comment: deny web4"),
	 {{"198.51.100.7", VIP_IPV4, 80, "deny web4"}, {"198.51.100.7", VIP_IPV4, 53, "deny all"}}},
	{"of the same length: the stronger action, be it for all",
	 RULE("action: allow, source: 198.51.100.0/24, service: web4, comment: allow web4")
		 RULE("action: deny, source: 198.51.100.0/24, comment: deny all"),
	 {{"198.51.100.7", VIP_IPV4, 80, "deny all"}}},
	{"the longer prefix, be it for all",
	 RULE("action: deny, source: 198.51.100.0/24, service: web4, comment: deny web4")
		 RULE("action: allow, source: 198.51.100.0/25, comment: allow all")
			 RULE("action: deny, service: web4, comment: deny any"),
	 {{"198.51.100.7", VIP_IPV4, 80, "allow all"},
	  {"198.51.100.200", VIP_IPV4, 80, "deny web4"},
	  {"198.51.101.1", VIP_IPV4, 80, "deny any"},
	  {"198.51.101.1", VIP_IPV4, 53, ""}}},
	{"otherwise the older",
	 RULE("action: deny, source: 198.51.100.0/24, port: 80, comment: deny old")
		 RULE("action: deny, source: 198.51.100.0/24, service: web4, comment: deny new"),
	 {{"198.51.100.7", VIP_IPV4, 80, "deny old"}}},
	{"a destination",
	 RULE("action: deny, source: 198.51.100.0/24, destination: 192.0.2.0/31, comment: deny a")
		 RULE("action: deny, destination: '2001:db8::2', comment: deny b"),
	 {{"198.51.100.7", VIP_IPV4, 80, "deny a"},
	  {"198.51.100.7", VIP_IPV4, 53, "deny a"},
	  {"198.51.100.7", OTHER_IPV4, 80, ""},
	  {"2001:db8:c::7", OTHER_IPV6, 80, "deny b"},
	  {"2001:db8:c::7", VIP_IPV6, 80, ""}}},
	{"a protocol",
	 RULE("action: deny, source: 198.51.100.0/24, proto: udp, comment: deny udp"),
	 {{"198.51.100.7", VIP_IPV4, 53, "deny udp"}, {"198.51.100.7", VIP_IPV4, 80, ""}}},
	{"a port, also of services that have all",
	 RULE("action: deny, source: 198.51.100.0/24, port: 80, comment: deny 80")
		 RULE("action: allow, source: 198.51.0.0/16, comment: allow 16") RULE(
			 "action: deny, source: 198.51.0.0/17, service: all4, comment: deny all4"),
	 {{"198.51.100.7", VIP_IPV4, 80, "deny 80"},
	  {"198.51.100.7", OTHER_IPV4, 80, "deny 80"},
	  {"198.51.100.7", OTHER_IPV4, 81, "deny all4"},
	  {"198.51.200.7", OTHER_IPV4, 80, "allow 16"},
	  {"198.51.100.7", OTHER_IPV4, 0x5000, "deny all4"},
	  {"198.51.100.7", VIP_IPV4, 53, "allow 16"}}},
	{"one source, destination, port and protocol",
	 RULE("action: deny, source: 198.51.100.7, destination: 192.0.2.2, port: 443, proto: tcp, "
	      "comment: deny a"),
	 {{"198.51.100.7", OTHER_IPV4, 443, "deny a"},
	  {"198.51.100.7", OTHER_IPV4, 444, ""},
	  {"198.51.100.8", OTHER_IPV4, 443, ""},
	  {"198.51.100.7", VIP_IPV4, 80, ""}}},
	{"a service that is not there",
	 RULE("action: deny, service: nowhere, comment: deny a"),
	 {{"198.51.100.7", VIP_IPV4, 80, ""}}},
};

static void check(const struct row *row, const struct probe *probe)
{
	bool deny = !strncmp(probe->rule, "deny", 4);
	int expected = !strcmp(probe->destination, NOT_OURS) ? XDP_PASS : deny ? XDP_DROP : XDP_TX;
	struct rule_counters before = {}, after = {};
	struct packet_fields fields = policy_packet(probe->source, probe->destination, probe->port);
	struct frame frame, out;
	int verdict;

	frame_build(&frame, &fields);
	if (*probe->rule)
		before = policy_rule_counts(probe->rule);
	out = frame;
	verdict = world_send(&out);
	if (verdict != expected)
		fail_msg("%s: %s to %s port %u: verdict %d, expected %d", row->name, probe->source,
			 probe->destination, probe->port, verdict, expected);
	if (deny)
		assert_frame(row->name, &out, &frame);
	if (!*probe->rule)
		return;
	after = policy_rule_counts(probe->rule);
	if (after.packets != before.packets + 1 ||
	    after.bytes != before.bytes + frame.length_bytes ||
	    after.dropped_packets != before.dropped_packets + deny ||
	    after.dropped_bytes != before.dropped_bytes + deny * frame.length_bytes)
		fail_msg("%s: %s to %s port %u: not counted by %s", row->name, probe->source,
			 probe->destination, probe->port, probe->rule);
}

static void rule_decides(void **state)
{
	const struct row *row = *state;

	policy_set(row->rules, false);
	for (size_t i = 0; i < PROBES_MAX && row->probes[i].source; i++)
		check(row, &row->probes[i]);
}

/* Of an open flow as of its first packet, and from the moment that the rules change. */
static void rules_hold_for_open_flows(void **state)
{
	static const char *const sources[] = {"198.51.100.7", "2001:db8:c::7"};
	static const char *const vips[] = {VIP_IPV4, VIP_IPV6};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct packet_fields fields = policy_packet(sources[i], vips[i], 80);
		struct frame syn, ack, out;

		policy_set("", false);
		frame_build(&syn, &fields);
		fields.tcp_flags = TCP_ACK;
		frame_build(&ack, &fields);
		assert_int_equal(world_send(&syn), XDP_TX);
		for (int again = 0; again < 3; again++) {
			out = ack;
			assert_int_equal(world_send(&out), XDP_TX);
		}
		policy_set(RULE("action: deny, source: 198.51.100.7")
				   RULE("action: deny, source: '2001:db8:c::7'"),
			   false);
		assert_dropped("of an open flow", &ack, "denied");
		policy_set("", false);
		out = ack;
		assert_int_equal(world_send(&out), XDP_TX);
	}
}

/* A request to answer, of the same addresses. */
static void build_echo(struct frame *echo, const struct frame *tcp)
{
	*echo = *tcp;
	echo->bytes[AT_IP + 9] = IPPROTO_ICMP;
	echo->bytes[AT_IPV4_L4] = 8;
	echo->bytes[AT_IPV4_L4 + 1] = 0;
	frame_seal_icmp(echo, AT_IP);
	frame_seal(echo);
}

/* Everything that a denied source can send to a VIP, plain or not, tagged or not. */
static void all_kinds_are_denied(void **state)
{
	static const char *const tags[] = {"", "\x81\x00\x00\x64",
					   "\x88\xa8\x00\x07\x81\x00\x00\x64"};
	static const __u32 tag_bytes[] = {0, 4, 8};
	struct packet_fields fields = policy_packet("198.51.100.7", VIP_IPV4, 80);
	struct packet_fields answer = fields;
	struct frame kinds[6], whole, frame;

	(void)state;
	policy_set(RULE("action: deny, source: 198.51.100.7, comment: deny a"), false);
	frame_build(&whole, &fields);
	fields.payload_bytes = 800;
	frame_build(&frame, &fields);
	kinds[0] = whole;
	kinds[1] = whole;
	frame_add_options(&kinds[1], (const __u8 *)"\x94\x04\x00\x00", 1);
	frame_fragment(&kinds[2], &frame, 0, 400, 77);
	frame_fragment(&kinds[3], &frame, 400, 400, 77);
	build_echo(&kinds[4], &whole);
	/* An error about a flow of another client. */
	answer.source = VIP_IPV4;
	answer.destination = "198.51.100.8";
	answer.source_port = 80;
	answer.destination_port = 40001;
	frame_build(&frame, &answer);
	frame_error(&kinds[5], &frame, "198.51.100.7", 3, 1, 28);
	for (size_t kind = 0; kind < 6; kind++) {
		for (size_t tag = 0; tag < 3; tag++) {
			char name[32];

			frame = kinds[kind];
			frame_insert(&frame, AT_ETHERTYPE, (const __u8 *)tags[tag], tag_bytes[tag]);
			snprintf(name, sizeof(name), "kind %zu, %zu tags", kind, tag);
			assert_dropped(name, &frame, "denied");
		}
	}
	assert_int_equal(policy_rule_counts("deny a").dropped_packets, 18);
}

/* Whoever tells of a denied source's flow is not that source. */
static void errors_about_denied_sources_pass(void **state)
{
	struct packet_fields answer = policy_packet(VIP_IPV4, "198.51.100.7", 40001);
	struct frame quoted, error;

	(void)state;
	policy_set(RULE("action: deny, source: 198.51.100.7"), false);
	answer.source_port = 80;
	frame_build(&quoted, &answer);
	frame_error(&error, &quoted, "198.51.100.9", 3, 1, 28);
	assert_int_equal(world_send(&error), XDP_TX);
}

/* What is not for a service is the stack's, whoever sends it. */
static void others_are_not_asked(void **state)
{
	(void)state;
	policy_set(RULE("action: deny, source: 198.51.100.7, comment: deny a"), false);
	assert_int_equal(policy_send("198.51.100.7", NOT_OURS, 80), XDP_PASS);
	assert_int_equal(policy_send("198.51.100.7", VIP_IPV4, 81), XDP_PASS);
	assert_int_equal(policy_rule_counts("deny a").packets, 0);
}

#define ROWS (sizeof(rows) / sizeof(rows[0]))

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test_setup(rules_hold_for_open_flows, policy_none),
		cmocka_unit_test_setup(all_kinds_are_denied, policy_none),
		cmocka_unit_test_setup(errors_about_denied_sources_pass, policy_none),
		cmocka_unit_test_setup(others_are_not_asked, policy_none),
	};
	struct CMUnitTest tests[ROWS + sizeof(others) / sizeof(others[0])];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = rule_decides,
			.initial_state = (void *)&rows[i],
		};
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests_name("policy", tests, policy_open, world_close);
}
