/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy_example.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void add_and_del(void **state)
{
	struct prefix sources[] = {prefix("2001:db8::/32"), prefix("10.1.0.0/16"),
				   prefix("10.0.0.0/8")};
	struct rule rule = {.action = RULE_LIMIT, .prefixes = sources, .prefix_count = 3};
	struct policy policy = {};
	const struct rule *added;
	struct text_error error;

	(void)state;
	rule.per_second[RATE_SOURCE_PACKETS] = 10000000;
	strcpy(rule.comment, "scanners");
	assert_int_equal(add_rule(&policy, RULE_DENY, NULL, "web"), 1);
	assert_int_equal(add(&policy, &rule), 2);
	assert_int_equal(add_rule(&policy, RULE_DENY, "10.0.0.0/8", ""), 3);

	added = policy_find(&policy, 2);
	assert_ptr_not_equal(added->prefixes, sources);
	assert_int_equal(added->prefix_count, 3);
	assert_true(prefix_equal(&added->prefixes[0], &sources[2]));
	assert_true(prefix_equal(&added->prefixes[1], &sources[1]));
	assert_true(prefix_equal(&added->prefixes[2], &sources[0]));
	assert_int_equal(added->burst_ms, 1000);
	assert_int_equal(added->source_bits[FAMILY_IPV4], 32);
	assert_int_equal(added->source_bits[FAMILY_IPV6], 64);
	assert_string_equal(added->comment, "scanners");
	assert_int_equal(policy_find(&policy, 1)->burst_ms, 0);
	assert_int_equal(policy.rules[0].order, 1);
	assert_int_equal(policy.rules[2].order, 3);

	assert_int_equal(policy_del(&policy, 2, &error), 0);
	assert_null(policy_find(&policy, 2));
	assert_int_equal(policy.rule_count, 2);
	assert_int_equal(policy_del(&policy, 2, &error), -ENOENT);
	assert_string_equal(error.what, "there is no rule 2");
	assert_int_equal(add(&policy, &rule), 4);
	assert_int_equal(policy.rules[2].order, 4);
	policy_free(&policy);
}

static void refusals(void **state)
{
	struct prefix twice[] = {prefix("10.0.0.0/8"), prefix("::/0"), prefix("10.0.0.0/8")};
	struct prefix broken = {.address = twice[0].address, .bits = 4};
	struct prefix one = prefix("192.0.2.0/24");
	const struct {
		struct rule rule;
		int err;
		const char *field;
		const char *what;
	} cases[] = {
		{{.action = RULE_NONE}, -EINVAL, "action", "action 0 is neither"},
		{{.action = 4}, -EINVAL, "action", "action 4 is neither"},
		{{.action = RULE_LIMIT}, -EINVAL, "", "a limit wants a rate"},
		{{.action = RULE_DENY, .per_second = {0, 1}}, -EINVAL, "new_flows", "only a limit"},
		{{.action = RULE_LIMIT, .per_second = {0, 0, 10000001}},
		 -EINVAL,
		 "source_packets",
		 "10000001 a second are too many"},
		{{.action = RULE_LIMIT, .per_second = {1}, .burst_ms = 60001},
		 -EINVAL,
		 "burst_ms",
		 "60001 ms are no burst"},
		{{.action = RULE_LIMIT, .per_second = {1}, .source_bits = {33}},
		 -EINVAL,
		 "source_bits_ipv4",
		 "33 bits are no source: 1 to 32"},
		{{.action = RULE_LIMIT, .per_second = {1}, .source_bits = {0, 129}},
		 -EINVAL,
		 "source_bits_ipv6",
		 "129 bits are no source: 1 to 128"},
		{{.action = RULE_DENY, .protocol = 1}, -EINVAL, "proto", "protocol 1 is neither"},
		{{.action = RULE_DENY, .service = "a b"}, -EINVAL, "service", "\"a b\" is no name"},
		{{.action = RULE_DENY, .comment = "a\nb"},
		 -EINVAL,
		 "comment",
		 "a comment is up to 95"},
		{{.action = RULE_DENY, .feed = "\xc3\xa4"}, -EINVAL, "feed", "the name of a feed"},
		{{.action = RULE_DENY, .feed = "drop.txt"},
		 -EEXIST,
		 "feed",
		 "rule 2 has the feed \"drop.txt\" already"},
		{{.action = RULE_DENY, .prefixes = twice, .prefix_count = 3},
		 -EINVAL,
		 "source",
		 "a prefix is given twice"},
		{{.action = RULE_DENY, .prefixes = &broken, .prefix_count = 1},
		 -EINVAL,
		 "source",
		 "10.0.0.0/4 has more bits"},
		{{.action = RULE_DENY, .has_destination = true, .destination = broken},
		 -EINVAL,
		 "destination",
		 "is no prefix"},
		{{.action = RULE_DENY, .service = "web", .prefixes = &one, .prefix_count = 1},
		 -EEXIST,
		 "",
		 "rule 1 says the same"},
	};
	struct rule feed = {.action = RULE_ALLOW, .feed = "drop.txt"};
	struct policy policy = {};

	(void)state;
	add_rule(&policy, RULE_DENY, "192.0.2.0/24", "web");
	add(&policy, &feed);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text_error error = {};
		int err = policy_add(&policy, &cases[i].rule, &error);

		if (err != cases[i].err || !strstr(error.what, cases[i].what) ||
		    strcmp(error.field ? error.field : "", cases[i].field))
			fail_msg("case %zu: %d, %s: %s", i, err, error.field, error.what);
		assert_int_equal(policy.rule_count, 2);
	}
	/* What differs in anything but rates and words is another rule. */
	add_rule(&policy, RULE_DENY, "192.0.2.0/25", "web");
	add_rule(&policy, RULE_DENY, "192.0.2.0/24", "");
	add_rule(&policy, RULE_ALLOW, "192.0.2.0/24", "web");
	add_rule(&policy, RULE_DENY, NULL, "web");
	policy_free(&policy);
}

static void full(void **state)
{
	struct policy policy = {};
	struct text_error error;
	struct rule rule = {.action = RULE_DENY};

	(void)state;
	for (rule.port = 1; rule.port < RULES_MAX; rule.port++)
		assert_int_equal(add(&policy, &rule), rule.port);
	assert_int_equal(policy_add(&policy, &rule, &error), -ENOSPC);
	assert_string_equal(error.what, "there are 4095 rules already, no more fit");
	assert_int_equal(policy_del(&policy, 77, &error), 0);
	assert_int_equal(add(&policy, &rule), 77);
	assert_int_equal(policy.rules[RULES_MAX - 2].order, 4096);
	policy_free(&policy);
}

static void feeds(void **state)
{
	struct prefix list[] = {prefix("10.0.0.0/8"), prefix("9.0.0.0/8"), prefix("10.0.0.0/8")};
	struct rule feed = {.action = RULE_DENY, .feed = "a", .prefixes = list, .prefix_count = 3};
	struct policy policy = {};
	struct text_error error;

	(void)state;
	add_rule(&policy, RULE_DENY, "192.0.2.0/24", "");
	assert_null(policy_find_feed(&policy, ""));
	assert_int_equal(add(&policy, &feed), 2);
	assert_int_equal(policy_find_feed(&policy, "a")->id, 2);
	assert_null(policy_find_feed(&policy, "b"));
	assert_int_equal(policy_find(&policy, 2)->prefix_count, 2);
	assert_int_equal(policy_set_prefixes(&policy, 2, list + 1, 1, &error), 0);
	assert_int_equal(policy_find(&policy, 2)->prefix_count, 1);
	assert_int_equal(policy_set_prefixes(&policy, 2, NULL, 0, &error), 0);
	assert_int_equal(policy_find(&policy, 2)->prefix_count, 0);
	assert_int_equal(policy_set_prefixes(&policy, 1, list, 1, &error), -EINVAL);
	assert_int_equal(policy_set_prefixes(&policy, 3, list, 1, &error), -ENOENT);
	assert_int_equal(policy_find(&policy, 1)->prefix_count, 1);
	policy_free(&policy);
}

static void ids_taken_over(void **state)
{
	struct prefix two[] = {prefix("10.0.0.0/8"), prefix("9.0.0.0/8")};
	struct prefix swapped[] = {two[1], two[0]};
	struct rule pair = {.action = RULE_ALLOW, .prefixes = two, .prefix_count = 2};
	struct rule feed = {.action = RULE_DENY, .feed = "a", .prefixes = two, .prefix_count = 2};
	struct rule limit = {.action = RULE_LIMIT, .per_second = {100}, .service = "web"};
	struct policy current = {}, next = {};

	(void)state;
	add_rule(&current, RULE_DENY, "192.0.2.0/24", ""); /* 1: goes */
	add(&current, &pair);
	add(&current, &feed);
	add(&current, &limit);

	add_rule(&next, RULE_ALLOW, "192.0.2.0/24", ""); /* another action */
	limit.per_second[0] = 200;
	strcpy(limit.comment, "more");
	add(&next, &limit);
	feed.prefix_count = 1;
	add(&next, &feed);
	pair.prefixes = swapped;
	add(&next, &pair);
	add_rule(&next, RULE_DENY, "192.0.2.0/24", "web"); /* another scope */

	assert_int_equal(policy_take_ids(&next, &current), 0);
	assert_int_equal(next.rules[0].id, 5);
	assert_int_equal(next.rules[1].id, 4);
	assert_int_equal(next.rules[2].id, 3);
	assert_int_equal(next.rules[3].id, 2);
	assert_int_equal(next.rules[4].id, 6);
	assert_int_equal(next.rules[0].order, 1);
	assert_int_equal(next.rules[4].order, 5);
	policy_free(&current);
	policy_free(&next);
}

static void ids_do_not_suffice(void **state)
{
	struct policy current = {}, next = {};
	struct rule rule = {.action = RULE_DENY};

	(void)state;
	for (rule.port = 1; rule.port < RULES_MAX; rule.port++)
		add(&current, &rule);
	rule.port = 9;
	add(&next, &rule);
	assert_int_equal(policy_take_ids(&next, &current), 0);
	assert_int_equal(next.rules[0].id, 9);
	rule.action = RULE_ALLOW;
	add(&next, &rule);
	assert_int_equal(policy_take_ids(&next, &current), -ENOSPC);
	assert_int_equal(next.rules[0].id, 9);
	policy_free(&current);
	policy_free(&next);
}

static void words(void **state)
{
	enum rule_action action = RULE_DENY;

	(void)state;
	assert_string_equal(rule_action_name(RULE_LIMIT), "limit");
	assert_int_equal(rule_action_parse("allow", &action), 0);
	assert_int_equal(action, RULE_ALLOW);
	assert_int_equal(rule_action_parse("none", &action), -EINVAL);
	assert_int_equal(rule_action_parse("Deny", &action), -EINVAL);
	assert_int_equal(action, RULE_ALLOW);
	assert_string_equal(rule_rate_name(RATE_SOURCE_NEW_FLOWS), "source_new_flows");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(add_and_del),    cmocka_unit_test(refusals),
		cmocka_unit_test(full),           cmocka_unit_test(feeds),
		cmocka_unit_test(ids_taken_over), cmocka_unit_test(ids_do_not_suffice),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
