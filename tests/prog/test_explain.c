/* SPDX-License-Identifier: GPL-2.0-only */
/* `sluice policy test` says what the packet path does, and leaves everything as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "policy_world.h"

#define RULE(text) "    - {" text "}\n"

static const char rules[] = RULE("action: deny, source: 198.51.100.0/24, comment: deny")
	RULE("action: allow, source: 198.51.100.128/25, service: web4, comment: allow")
		RULE("action: limit, service: dns4, packets: 1, comment: limit") RULE(
			"action: deny, source: '2001:db8:c::/48', port: 443, comment: deny 443");

static const struct row {
	const char *source, *vip;
	__u16 port;
	const char *service, *verdict, *rule;
	unsigned int bits;
	bool asked;
} rows[] = {
	{"198.51.100.7", VIP_IPV4, 80, "web4", "drop", "deny", 24, true},
	{"198.51.100.200", VIP_IPV4, 80, "web4", "pass", "allow", 25, true},
	{"198.51.100.200", VIP_IPV4, 53, "dns4", "drop", "deny", 24, true},
	{"198.51.101.7", VIP_IPV4, 53, "dns4", "pass within limits", "limit", 0, true},
	{"198.51.101.7", VIP_IPV4, 80, "web4", "pass", NULL, 0, true},
	{"2001:db8:c::7", OTHER_IPV6, 443, "all6", "drop", "deny 443", 48, true},
	{"2001:db8:c::7", OTHER_IPV6, 444, "all6", "pass", NULL, 0, true},
	{"198.51.100.7", NOT_OURS, 80, NULL, "pass", NULL, 0, false},
};

static json_t *ask(const struct row *row)
{
	bool ipv6 = strchr(row->vip, ':');
	char options[160];

	snprintf(options, sizeof(options), "policy test %s %s%s%s:%u/%s", row->source,
		 ipv6 ? "[" : "", row->vip, ipv6 ? "]" : "", row->port,
		 row->port == 53 ? "udp" : "tcp");
	return sluice_json(options);
}

static bool is_text(json_t *value, const char *text)
{
	return text ? json_is_string(value) && !strcmp(json_string_value(value), text)
		    : json_is_null(value);
}

static void assert_answer(const struct row *row, const char *service, const char *verdict,
			  const char *rule, unsigned int bits, bool asked)
{
	json_t *answer = ask(row);

	if (!is_text(json_object_get(answer, "service"), service) ||
	    !is_text(json_object_get(answer, "verdict"), verdict) ||
	    !is_text(json_object_get(answer, "comment"), rule) ||
	    json_integer_value(json_object_get(answer, "bits")) != bits ||
	    json_is_true(json_object_get(answer, "asked")) != asked)
		fail_msg("%s to %s port %u: %s", row->source, row->vip, row->port,
			 json_dumps(answer, 0));
	json_decref(answer);
}

static void says_what_happens(void **state)
{
	(void)state;
	policy_set(rules, false);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int verdict;

		assert_answer(&rows[i], rows[i].service, rows[i].verdict, rows[i].rule,
			      rows[i].bits, rows[i].asked);
		verdict = policy_send(rows[i].source, rows[i].vip, rows[i].port);
		assert_int_equal(verdict == XDP_DROP, !strcmp(rows[i].verdict, "drop"));
	}
}

static void for_all_traffic(void **state)
{
	static const struct row denied = {.source = "198.51.100.7", .vip = NOT_OURS, .port = 80};
	static const struct row other = {.source = "198.51.101.7", .vip = NOT_OURS, .port = 80};

	(void)state;
	policy_set(rules, true);
	assert_answer(&denied, NULL, "drop", "deny", 24, true);
	assert_answer(&other, NULL, "pass", NULL, 0, true);
}

static void without_rules(void **state)
{
	static const struct row row = {.source = "198.51.100.7", .vip = VIP_IPV4, .port = 80};

	(void)state;
	assert_answer(&row, "web4", "pass", NULL, 0, false);
}

/* Neither counters nor tokens nor flows; nor is anything told. */
static void changes_nothing(void **state)
{
	static const struct row denied = {.source = "198.51.100.7", .vip = VIP_IPV4, .port = 80};
	static const struct row limited = {.source = "198.51.101.7", .vip = VIP_IPV4, .port = 53};
	struct counts service = service_counts("dns4");
	struct counts drops = drop_counts(NULL);
	struct drop_event event;

	(void)state;
	policy_set(rules, false);
	policy_forget_events();
	for (int i = 0; i < 3; i++) {
		json_decref(ask(&denied));
		json_decref(ask(&limited));
	}
	assert_int_equal(policy_rule_counts("deny").packets, 0);
	assert_int_equal(policy_rule_counts("limit").packets, 0);
	assert_int_equal(service_counts("dns4").packets, service.packets);
	assert_int_equal(drop_counts(NULL).packets, drops.packets);
	assert_false(policy_event(&event));
	/* The one token is still there. */
	assert_int_equal(policy_send("198.51.101.7", VIP_IPV4, 53), XDP_TX);
	assert_int_equal(policy_send("198.51.101.7", VIP_IPV4, 53), XDP_DROP);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_rules, policy_none),
		cmocka_unit_test_setup(changes_nothing, policy_none),
		cmocka_unit_test_setup(says_what_happens, policy_none),
		cmocka_unit_test_setup(for_all_traffic, policy_none),
	};

	return cmocka_run_group_tests_name("explain", tests, policy_open, world_close);
}
