/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>

#include "config_refusal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define RULES "policy:\n  rules:\n"

static void parse_good(const char *text, struct config *config)
{
	struct text_error error;

	if (parse(text, strlen(text), config, &error))
		fail_msg("%s\nline %d: %s", text, error.line, error.what);
}

static void none(void **state)
{
	struct config config;

	(void)state;
	parse_good("", &config);
	assert_false(config.has_policy);
	config_free(&config);
	parse_good("policy:\n", &config);
	assert_false(config.has_policy);
	config_free(&config);
	parse_good("policy: {}\n", &config);
	assert_true(config.has_policy);
	assert_false(config.policy.all_traffic);
	assert_int_equal(config.policy.rule_count, 0);
	config_free(&config);
}

static void everything(void **state)
{
	static const char text[] =
		"services:\n"
		"  - {name: web, vip: 192.0.2.1, port: 80, proto: tcp, priority: P1, policy: "
		"decay}\n"
		"  - {name: dns, vip: 192.0.2.1, port: 53, proto: udp}\n"
		"policy:\n"
		"  all_traffic: true\n"
		"  rules:\n"
		"    - {action: deny, source: 198.51.100.0/24, comment: scanners}\n"
		"    - {action: deny, feed: drop.txt}\n"
		"    - {action: allow, source: any, service: web, port: any}\n"
		"    - {action: limit, service: web, packets: 9, new_flows: 5000, source_packets: "
		"2000,\n"
		"       source_new_flows: 50, source_bits_ipv4: 24, source_bits_ipv6: 56, "
		"burst_ms: 10}\n"
		"    - {action: deny, source: 2001:db8::7, destination: 192.0.2.0/24, port: 443, "
		"proto: tcp}\n"
		"    - {action: limit, packets: 1}\n";
	const struct rule *rules;
	struct config config;

	(void)state;
	parse_good(text, &config);
	rules = config.policy.rules;
	assert_int_equal(model_service_find(&config.model, "web")->priority, 1);
	assert_int_equal(model_service_find(&config.model, "dns")->priority, 0);
	assert_true(config.has_policy);
	assert_true(config.policy.all_traffic);
	assert_int_equal(config.policy.rule_count, 6);

	assert_int_equal(rules[0].action, RULE_DENY);
	assert_int_equal(rules[0].prefix_count, 1);
	assert_int_equal(rules[0].prefixes[0].bits, 24);
	assert_string_equal(rules[0].comment, "scanners");
	assert_string_equal(rules[1].feed, "drop.txt");
	assert_int_equal(rules[1].prefix_count, 0);
	assert_int_equal(rules[2].action, RULE_ALLOW);
	assert_int_equal(rules[2].prefix_count, 0);
	assert_string_equal(rules[2].service, "web");
	assert_int_equal(rules[2].port, 0);
	assert_int_equal(rules[3].action, RULE_LIMIT);
	assert_int_equal(rules[3].per_second[RATE_PACKETS], 9);
	assert_int_equal(rules[3].per_second[RATE_NEW_FLOWS], 5000);
	assert_int_equal(rules[3].per_second[RATE_SOURCE_PACKETS], 2000);
	assert_int_equal(rules[3].per_second[RATE_SOURCE_NEW_FLOWS], 50);
	assert_int_equal(rules[3].source_bits[FAMILY_IPV4], 24);
	assert_int_equal(rules[3].source_bits[FAMILY_IPV6], 56);
	assert_int_equal(rules[3].burst_ms, 10);
	assert_true(rules[4].has_destination);
	assert_int_equal(rules[4].destination.bits, 24);
	assert_int_equal(rules[4].port, 443);
	assert_int_equal(rules[4].protocol, IPPROTO_TCP);
	assert_int_equal(rules[4].prefixes[0].bits, 128);
	assert_int_equal(rules[5].burst_ms, 1000);
	assert_int_equal(rules[5].source_bits[FAMILY_IPV4], 32);
	assert_int_equal(rules[5].source_bits[FAMILY_IPV6], 64);
	config_free(&config);
}

static void refusals(void **state)
{
	static const struct refusal cases[] = {
		{"policy: 1\n", 1, "policy: got a single value, expected a map"},
		{"policy:\n  all_traffic: yes\n", 2,
		 "policy.all_traffic: got \"yes\", expected true or false"},
		{"policy:\n  rule: []\n", 2,
		 "policy: got the unknown key \"rule\", expected one of all_traffic, rules"},
		{RULES "    - {source: 10.0.0.0/8}\n", 3,
		 "policy.rules[0]: \"action\" is required"},
		{RULES "    - action: deny\n      from: any\n", 4,
		 "policy.rules[0]: got the unknown key \"from\", expected one of action, source, "
		 "feed, service, destination, port, proto, packets, new_flows, source_packets, "
		 "source_new_flows, source_bits_ipv4, source_bits_ipv6, burst_ms, comment"},
		{RULES "    - action: drop\n", 3,
		 "policy.rules[0].action: got \"drop\", expected allow, deny or limit"},
		{RULES "    - action: deny\n      source: 10.0.0.0/33\n", 4,
		 "policy.rules[0].source: got \"10.0.0.0/33\", expected an address, or a prefix "
		 "such "
		 "as 192.0.2.0/24 or 2001:db8::/32"},
		{RULES "    - action: deny\n    - action: deny\n      source: 10.0.0.1/8\n", 5,
		 "policy.rules[1].source: got \"10.0.0.1/8\", expected no bits behind the prefix: "
		 "10.0.0.0/8"},
		{RULES "    - action: deny\n      destination: any\n", 4,
		 "policy.rules[0].destination: got \"any\", expected an address, or a prefix such "
		 "as "
		 "192.0.2.0/24 or 2001:db8::/32"},
		{RULES "    - action: deny\n      source: ''\n", 4,
		 "policy.rules[0].source: got \"\", expected an address, or a prefix such as "
		 "192.0.2.0/24 or 2001:db8::/32"},
		{RULES "    - action: deny\n      source: any\n      feed: a\n", 5,
		 "policy.rules[0].feed: a rule has a source or a feed, not both"},
		{RULES "    - action: deny\n      feed: ''\n", 4,
		 "policy.rules[0].feed: got \"\", expected the path of a file"},
		{RULES "    - action: deny\n      service: ''\n", 4,
		 "policy.rules[0].service: got \"\", expected the name of a service"},
		{RULES "    - action: deny\n      port: 65536\n", 4,
		 "policy.rules[0].port: got \"65536\", expected a port from 1 to 65535, or any"},
		{RULES "    - action: deny\n      proto: icmp\n", 4,
		 "policy.rules[0].proto: got \"icmp\", expected tcp or udp"},
		{RULES "    - action: limit\n      packets: 0\n", 4,
		 "policy.rules[0].packets: got \"0\", expected a whole number from 1 to 10000000"},
		{RULES "    - action: limit\n", 3,
		 "policy.rules[0]: a limit wants a rate: packets, new_flows, source_packets or "
		 "source_new_flows"},
		{RULES "    - action: allow\n      new_flows: 5\n", 4,
		 "policy.rules[0].new_flows: only a limit has a rate"},
		{RULES "    - action: allow\n      burst_ms: 5\n", 4,
		 "policy.rules[0].burst_ms: only a limit has that"},
		{RULES "    - {action: limit, packets: 1, source_bits_ipv4: 0}\n", 3,
		 "policy.rules[0].source_bits_ipv4: got \"0\", expected a whole number from 1 to "
		 "32"},
		{RULES "    - action: deny\n      comment: \"a\\e\"\n", 4,
		 "policy.rules[0].comment: got \"a?\", expected up to 95 printable characters"},
		{RULES "    - action: deny\n    - action: deny\n", 4,
		 "policy.rules[1]: rule 1 says the same: deny, of the same sources and for "
		 "the same services"},
		{RULES "    - {action: deny, feed: a}\n    - {action: allow, feed: a}\n", 4,
		 "policy.rules[1].feed: rule 1 has the feed \"a\" already"},
		{ONE_SERVICE "    priority: P3\n", 6,
		 "services[0].priority: got \"P3\", expected P0, P1 or P2"},
		{ONE_SERVICE "    priority:\n", 6,
		 "services[0].priority: got \"\", expected P0, P1 or P2"},
	};

	(void)state;
	check_refusals(cases, COUNT(cases));
}

/* More rules than there are ids, and texts that are cut off anywhere. */
static void hostile(void **state)
{
	static const char whole[] = RULES "    - {action: limit, source: 2001:db8::/32, feed: a, "
					  "service: web, destination: 10.0.0.0/8, packets: 7}\n";
	char *text = malloc(1 << 20), *end = text;
	struct text_error error;
	struct config config;

	(void)state;
	assert_non_null(text);
	for (size_t bytes = 0; bytes < strlen(whole); bytes++) {
		if (!parse(whole, bytes, &config, &error))
			config_free(&config);
		else
			check_one_line(whole, &error);
	}
	end += sprintf(end, RULES);
	for (unsigned int port = 1; port <= RULES_MAX; port++)
		end += sprintf(end, "    - {action: deny, port: %u}\n", port);
	assert_int_equal(parse(text, end - text, &config, &error), -EINVAL);
	assert_string_equal(error.what,
			    "policy.rules[4095]: there are 4095 rules already, no more fit");
	assert_int_equal(error.line, 4098);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none),
		cmocka_unit_test(everything),
		cmocka_unit_test(refusals),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
