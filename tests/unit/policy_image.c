/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "policy_example.h"
#include "user/core/policy_rate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Two rules, in both orders of age; @winner says which decides over 10.1.2.3 to "web". */
static void precedence(void **state)
{
	static const struct {
		enum rule_action action[2];
		const char *source[2];
		const char *service[2];
		int winner; /* 2: the older one */
	} cases[] = {
		/* The longest source prefix goes before everything else. */
		{{RULE_ALLOW, RULE_DENY}, {"10.1.2.3", "10.1.2.0/24"}, {"", ""}, 0},
		{{RULE_ALLOW, RULE_DENY}, {"10.1.2.3", "10.1.2.0/24"}, {"", "web"}, 0},
		{{RULE_DENY, RULE_ALLOW}, {"10.0.0.0/8", "10.1.0.0/16"}, {"web", ""}, 1},
		{{RULE_LIMIT, RULE_DENY}, {"10.0.0.0/8", NULL}, {"", "web"}, 0},
		{{RULE_ALLOW, RULE_DENY}, {"128.0.0.0/1", NULL}, {"", ""}, 1},
		/* At the same length, deny, limit, allow. */
		{{RULE_DENY, RULE_LIMIT}, {"10.0.0.0/8", "10.0.0.0/8"}, {"", ""}, 0},
		{{RULE_DENY, RULE_LIMIT}, {"10.0.0.0/8", "10.0.0.0/8"}, {"", "web"}, 0},
		{{RULE_LIMIT, RULE_ALLOW}, {"10.0.0.0/8", "10.0.0.0/8"}, {"", ""}, 0},
		{{RULE_LIMIT, RULE_ALLOW}, {"10.0.0.0/8", "10.0.0.0/8"}, {"", "web"}, 0},
		{{RULE_DENY, RULE_ALLOW}, {"10.0.0.0/8", "10.0.0.0/8"}, {"", "web"}, 0},
		{{RULE_DENY, RULE_ALLOW}, {NULL, NULL}, {"", "web"}, 0},
		{{RULE_LIMIT, RULE_ALLOW}, {NULL, NULL}, {"", "web"}, 0},
		/* Every source is a prefix of no bits. */
		{{RULE_DENY, RULE_ALLOW}, {NULL, "0.0.0.0/0"}, {"", "web"}, 0},
		{{RULE_DENY, RULE_ALLOW}, {"0.0.0.0/0", NULL}, {"", ""}, 0},
		/* Then the one that names something. */
		{{RULE_DENY, RULE_DENY}, {"10.0.0.0/8", "10.0.0.0/8"}, {"", "web"}, 1},
		{{RULE_LIMIT, RULE_LIMIT}, {NULL, NULL}, {"", "web"}, 1},
		{{RULE_ALLOW, RULE_ALLOW}, {"0.0.0.0/0", NULL}, {"", "web"}, 1},
		/* Then the older one. */
		{{RULE_ALLOW, RULE_ALLOW}, {"0.0.0.0/0", NULL}, {"", ""}, 2},
		{{RULE_DENY, RULE_DENY}, {"0.0.0.0/0", NULL}, {"web", "web"}, 2},
	};
	struct model model = policy_services();

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		struct policy policy = {};
		struct policy_image image;
		__u16 ids[2], first = i & 1, expected;

		for (unsigned int step = 0; step < 2; step++) {
			unsigned int which = step ? !first : first;

			ids[which] =
				add_rule(&policy, cases[i / 2].action[which],
					 cases[i / 2].source[which], cases[i / 2].service[which]);
		}
		make_image(&policy, &model, &image);
		expected = ids[cases[i / 2].winner == 2 ? first : cases[i / 2].winner];
		if (decide(&image, &model, "10.1.2.3", "web", 80) != expected)
			fail_msg("case %zu, rule %u first: not rule %u", i / 2, first, expected);
		policy_image_free(&image);
		policy_free(&policy);
	}
	model_free(&model);
}

/* What a rule names, and which services it is for then. */
static void scopes(void **state)
{
	static const struct {
		const char *service;
		const char *destination;
		__u16 port;
		__u8 protocol;
		const char *hit[4]; /* "SERVICE PORT" */
		const char *missed[4];
	} cases[] = {
		{"web", NULL, 0, 0, {"web 80"}, {"dns 53", "all 80", " 80"}},
		{"absent", NULL, 0, 0, {}, {"web 80", " 80"}},
		{"", "192.0.2.1", 0, 0, {"web 80", "dns 53"}, {"all 80", "six 443", " 80"}},
		{"", "192.0.2.0/24", 0, 0, {"web 80", "udp 9"}, {"six 443"}},
		{"", "2001:db8::/64", 0, 0, {"six 443"}, {"web 80"}},
		{"", "0.0.0.0/0", 0, 0, {"web 80", "all 1"}, {"six 443"}},
		{"", NULL, 0, IPPROTO_UDP, {"dns 53", "udp 80"}, {"web 80", "all 53"}},
		{"", NULL, 80, 0, {"web 80", "all 80", "udp 80"}, {"all 81", "dns 53", "six 443"}},
		{"all", NULL, 443, 0, {"all 443"}, {"all 80", "udp 443", "six 443"}},
		{"web", NULL, 443, 0, {}, {"web 80", "all 443"}},
		{"", "192.0.2.2", 53, IPPROTO_UDP, {"udp 53"}, {"all 53", "dns 53", "udp 54"}},
		{"", NULL, 0, 0, {"web 80", "six 443", "all 7", " 7"}, {}},
	};
	struct model model = policy_services();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy policy = {.all_traffic = true};
		struct prefix room;
		struct rule rule = rule_of(RULE_DENY, "10.0.0.0/8", &room);
		struct policy_image image;

		snprintf(rule.service, sizeof(rule.service), "%s", cases[i].service);
		rule.has_destination = cases[i].destination;
		if (cases[i].destination)
			rule.destination = prefix(cases[i].destination);
		rule.port = cases[i].port;
		rule.protocol = cases[i].protocol;
		add(&policy, &rule);
		make_image(&policy, &model, &image);
		for (unsigned int j = 0; j < 8; j++) {
			const char *to = j < 4 ? cases[i].hit[j] : cases[i].missed[j - 4];
			char name[8] = "";

			if (!to)
				continue;
			memcpy(name, to, strcspn(to, " "));
			if (decide(&image, &model, "10.9.9.9", name, atoi(strchr(to, ' '))) !=
			    (j < 4))
				fail_msg("case %zu: %s", i, to);
			assert_int_equal(decide(&image, &model, "11.0.0.0", name, 80), 0);
		}
		policy_image_free(&image);
		policy_free(&policy);
	}
	model_free(&model);
}

static void flags(void **state)
{
	struct model model = policy_services();
	struct policy policy = {};
	struct policy_image image;

	(void)state;
	make_image(&policy, &model, &image);
	assert_int_equal(image.flags, 0);
	assert_int_equal(image.boundary_count, 0);
	policy_image_free(&image);

	add_rule(&policy, RULE_DENY, "10.0.0.0/8", "");
	make_image(&policy, &model, &image);
	assert_int_equal(image.flags, POLICY_ON);
	assert_int_equal(decide(&image, &model, "10.0.0.1", "", 22), 0);
	policy_image_free(&image);

	policy.all_traffic = true;
	add_rule(&policy, RULE_ALLOW, "::/0", "absent");
	make_image(&policy, &model, &image);
	assert_int_equal(image.flags, POLICY_ON | POLICY_ALL_TRAFFIC);
	assert_int_equal(decide(&image, &model, "10.0.0.1", "", 22), 1);
	policy_image_free(&image);

	add_rule(&policy, RULE_ALLOW, "::/0", "six");
	make_image(&policy, &model, &image);
	assert_int_equal(image.flags, POLICY_ON | POLICY_ALL_TRAFFIC | POLICY_ANY_SOURCE);
	assert_int_equal(decide(&image, &model, "2001:db8::9", "six", 443), 3);
	assert_int_equal(decide(&image, &model, "192.0.2.9", "six", 443), 0);
	policy_image_free(&image);
	policy_free(&policy);
	model_free(&model);
}

/* A list of others that has nothing in it is no rule for every source. */
static void empty_feed(void **state)
{
	struct model model = policy_services();
	struct rule rule = {.action = RULE_DENY, .feed = "drop.txt"};
	struct prefix prefixes[] = {prefix("10.0.0.0/8"), prefix("10.0.0.0/8")};
	struct policy policy = {.all_traffic = true};
	struct policy_image image;
	struct text_error error;

	(void)state;
	add(&policy, &rule);
	make_image(&policy, &model, &image);
	assert_int_equal(image.flags & POLICY_ANY_SOURCE, 0);
	assert_int_equal(decide(&image, &model, "10.0.0.1", "web", 80), 0);
	policy_image_free(&image);

	assert_int_equal(policy_set_prefixes(&policy, 1, prefixes, 2, &error), 0);
	assert_int_equal(policy.rules[0].prefix_count, 1);
	make_image(&policy, &model, &image);
	assert_int_equal(decide(&image, &model, "10.0.0.1", "web", 80), 1);
	assert_int_equal(decide(&image, &model, "11.0.0.1", "web", 80), 0);
	policy_image_free(&image);
	policy_free(&policy);
	model_free(&model);
}

/* Every boundary of prefixes that lie in each other and touch. */
static void boundaries(void **state)
{
	static const struct policy_boundary expected[] = {
		{{0, 0xffff00000000}, 0, 0, 0, 0},
		{{0, 0xffff0a000000}, 1, 8, RULE_DENY, 0},
		{{0, 0xffff0a010000}, 2, 16, RULE_ALLOW, 0},
		{{0, 0xffff0a010003}, 3, 32, RULE_DENY, 0},
		{{0, 0xffff0a010004}, 2, 16, RULE_ALLOW, 0},
		{{0, 0xffff0a020000}, 1, 8, RULE_DENY, 0},
		{{0, 0xffff0b000000}, 4, 8, RULE_ALLOW, 0}, /* 11/8, then 12/8 of the same */
		{{0, 0xffff0d000000}, 0, 0, 0, 0},
		{{0, 0xffffffffffff}, 5, 32, RULE_DENY, 0},
		{{0, 0}, 0, 0, 0, 0},
		{{0x20010db800000000, 0}, 6, 32, RULE_DENY, 0},
		{{0x20010db800000000, 1}, 7, 128, RULE_ALLOW, 0},
		{{0x20010db800000000, 2}, 6, 32, RULE_DENY, 0},
		{{0x20010db900000000, 0}, 0, 0, 0, 0},
		{{0xff00000000000000, 0}, 8, 8, RULE_DENY, 0},
	};
	struct prefix neighbours[] = {prefix("12.0.0.0/8"), prefix("11.0.0.0/8")};
	struct rule pair = {.action = RULE_ALLOW, .prefixes = neighbours, .prefix_count = 2};
	struct model model = policy_services();
	struct policy policy = {};
	struct policy_image image;

	(void)state;
	add_rule(&policy, RULE_DENY, "10.0.0.0/8", "");
	add_rule(&policy, RULE_ALLOW, "10.1.0.0/16", "");
	add_rule(&policy, RULE_DENY, "10.1.0.3", "");
	add(&policy, &pair);
	add_rule(&policy, RULE_DENY, "255.255.255.255", "");
	add_rule(&policy, RULE_DENY, "2001:db8::/32", "");
	add_rule(&policy, RULE_ALLOW, "2001:db8::1", "");
	add_rule(&policy, RULE_DENY, "ff00::/8", "");
	add_rule(&policy, RULE_ALLOW, "255.255.255.255", ""); /* loses to the fifth */
	make_image(&policy, &model, &image);
	assert_int_equal(image.boundary_count, COUNT(expected));
	assert_memory_equal(image.boundaries, expected, sizeof(expected));
	assert_int_equal(image.scopes[0].first[FAMILY_IPV4], 0);
	assert_int_equal(image.scopes[0].count[FAMILY_IPV4], 9);
	assert_int_equal(image.scopes[0].first[FAMILY_IPV6], 9);
	assert_int_equal(image.scopes[0].count[FAMILY_IPV6], 6);
	policy_image_free(&image);
	policy_free(&policy);
	model_free(&model);
}

/* Services with the same rules share their boundaries. */
static void shared(void **state)
{
	struct model model = policy_services();
	struct policy policy = {};
	struct prefix room;
	struct rule rule = rule_of(RULE_DENY, "10.0.0.0/8", &room);
	struct policy_image image;
	__u16 web = model_service_find(&model, "web")->id;
	__u16 all = model_service_find(&model, "all")->id;

	(void)state;
	rule.has_destination = true;
	rule.destination = prefix("192.0.2.0/24");
	add(&policy, &rule);
	rule.port = 443;
	rule.destination = prefix("192.0.2.2");
	rule.action = RULE_ALLOW;
	add(&policy, &rule);
	make_image(&policy, &model, &image);
	assert_int_equal(image.scopes[web].count[FAMILY_IPV4], 3);
	assert_int_equal(image.scopes[web].has_ports, 0);
	assert_int_equal(image.scopes[all].count[FAMILY_IPV4], 3);
	assert_int_equal(image.scopes[all].first[FAMILY_IPV4],
			 image.scopes[web].first[FAMILY_IPV4]);
	assert_int_equal(image.scopes[all].has_ports, 1);
	assert_int_equal(image.port_count, 2);
	assert_int_equal(image.ports[0].key.service, all);
	assert_int_equal(image.ports[0].key.port, htons(443));
	assert_int_equal(image.ports[0].scope, SERVICES_MAX);
	assert_int_equal(image.ports[1].scope, SERVICES_MAX + 1);
	assert_int_equal(image.scope_count, SERVICES_MAX + 2);
	assert_int_equal(image.boundary_count, 6);
	policy_image_free(&image);
	policy_free(&policy);
	model_free(&model);
}

static void rates(void **state)
{
	static const struct {
		enum rule_rate rate;
		__u32 per_second;
		__u32 burst_ms;
		__u32 cpus;
		struct policy_rate expected;
	} cases[] = {
		{RATE_PACKETS, 0, 1000, 2, {}},
		{RATE_PACKETS, 1000, 1000, 2, {1000000, 4, 1000000000}},
		{RATE_PACKETS, 1000000, 1000, 2, {1000, 64, 1000000000}},
		{RATE_PACKETS, 1000000, 1, 2, {1000, 64, 8000000}}, /* two ticks */
		{RATE_PACKETS, 100000, 10, 8, {10000, 6, 10000000}},
		{RATE_PACKETS, 10000000, 60000, 1, {100, 64, 60000000000}},
		{RATE_PACKETS, 1, 1, 2, {1000000000, 1, 1000000000}}, /* an interval */
		{RATE_NEW_FLOWS, 1, 1000, 2, {1000000000, 1, 2000000000}},
		{RATE_NEW_FLOWS, 10000, 1000, 0, {100000, 40, 1000000000}},
		{RATE_SOURCE_PACKETS, 1000000, 1000, 2, {1000, 1, 1000000000}},
		{RATE_SOURCE_NEW_FLOWS, 3, 1000, 2, {333333333, 1, 1000000000}},
		{RATE_SOURCE_NEW_FLOWS, 1, 1, 2, {1000000000, 1, 2000000000}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy_rate made = policy_rate(cases[i].rate, cases[i].per_second,
						      cases[i].burst_ms, TICK_NS, cases[i].cpus);

		if (memcmp(&made, &cases[i].expected, sizeof(made)))
			fail_msg("case %zu: interval %u, batch %u, burst %llu", i, made.interval_ns,
				 made.batch, (unsigned long long)made.burst_ns);
	}
}

static void fingerprint(void **state)
{
	struct model model = policy_services();
	__u64 before = policy_model_fingerprint(&model);
	struct model_service *web = model_service_find(&model, "web");

	(void)state;
	assert_true(before != 0);
	web->mss_bytes = 1400;
	web->priority = 2;
	assert_true(policy_model_fingerprint(&model) == before);
	web->port = 81;
	assert_true(policy_model_fingerprint(&model) != before);
	web->port = 80;
	web->id++;
	assert_true(policy_model_fingerprint(&model) != before);
	model_free(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(precedence), cmocka_unit_test(scopes),
		cmocka_unit_test(flags),      cmocka_unit_test(empty_feed),
		cmocka_unit_test(boundaries), cmocka_unit_test(shared),
		cmocka_unit_test(rates),      cmocka_unit_test(fingerprint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
