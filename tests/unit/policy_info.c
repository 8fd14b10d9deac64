/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy read back from what the maps keep of it, large ones too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "policy_example.h"

#define MILLION 1000000

static void round_trip(void **state)
{
	struct prefix list[] = {prefix("10.0.0.0/8"), prefix("2001:db8::/48")};
	struct rule rule = {
		.action = RULE_LIMIT,
		.service = "web",
		.has_destination = true,
		.destination = prefix("192.0.2.0/24"),
		.port = 443,
		.protocol = IPPROTO_UDP,
		.per_second = {1, 2, 3, 4},
		.burst_ms = 50,
		.source_bits = {24, 56},
		.comment = "a comment",
		.feed = "drop.txt",
		.prefixes = list,
		.prefix_count = 2,
	};
	struct model model = policy_services();
	struct policy policy = {}, read;
	struct policy_image image;
	struct text_error error;

	(void)state;
	add_rule(&policy, RULE_DENY, NULL, "");
	add_rule(&policy, RULE_ALLOW, "::/0", "six");
	add(&policy, &rule);
	policy_del(&policy, 1, &error);
	make_image(&policy, &model, &image);
	assert_int_equal(image.prefix_count, 3);
	assert_int_equal(
		policy_from_image(image.rule_infos, image.prefixes, image.prefix_count, &read), 0);
	assert_int_equal(read.rule_count, 2);
	for (size_t i = 0; i < 2; i++) {
		struct rule *a = &policy.rules[i], *b = &read.rules[i];

		assert_int_equal(a->prefix_count, b->prefix_count);
		for (size_t j = 0; j < a->prefix_count; j++)
			assert_true(prefix_equal(&a->prefixes[j], &b->prefixes[j]));
	}
	assert_int_equal(read.rules[1].id, 3);
	assert_int_equal(read.rules[1].order, 3);
	assert_int_equal(read.rules[1].action, RULE_LIMIT);
	assert_string_equal(read.rules[1].service, "web");
	assert_true(read.rules[1].has_destination);
	assert_true(prefix_equal(&read.rules[1].destination, &rule.destination));
	assert_int_equal(read.rules[1].port, 443);
	assert_int_equal(read.rules[1].protocol, IPPROTO_UDP);
	assert_memory_equal(read.rules[1].per_second, rule.per_second, sizeof(rule.per_second));
	assert_int_equal(read.rules[1].burst_ms, 50);
	assert_memory_equal(read.rules[1].source_bits, rule.source_bits, 2);
	assert_string_equal(read.rules[1].comment, "a comment");
	assert_string_equal(read.rules[1].feed, "drop.txt");
	assert_false(read.rules[0].has_destination);
	policy_free(&read);
	policy_image_free(&image);
	policy_free(&policy);
	model_free(&model);
}

enum damage {
	NO_DAMAGE,
	PREFIX_OF_NO_RULE,
	PREFIX_OF_A_FREE_RULE,
	TOO_MANY_BITS,
	BITS_BEHIND,
	PREFIX_TWICE,
	UNKNOWN_ACTION,
	ENDLESS_NAME,
	ORDER_TWICE,
	RATE_OF_A_DENIAL,
	DAMAGES
};

static void damage(struct policy_image *image, enum damage kind)
{
	switch (kind) {
	case PREFIX_OF_NO_RULE:
		image->prefixes[0].rule = 65535;
		break;
	case PREFIX_OF_A_FREE_RULE:
		image->prefixes[0].rule = 9;
		break;
	case TOO_MANY_BITS:
		image->prefixes[0].bits = 33;
		break;
	case BITS_BEHIND:
		image->prefixes[0].bits = 4;
		break;
	case PREFIX_TWICE:
		image->prefixes[1] = image->prefixes[0];
		break;
	case UNKNOWN_ACTION:
		image->rule_infos[1].action = 4;
		break;
	case ENDLESS_NAME:
		memset(image->rule_infos[1].service, 'a', NAME_BYTES);
		break;
	case ORDER_TWICE:
		image->rule_infos[2].order = image->rule_infos[1].order;
		break;
	case RATE_OF_A_DENIAL:
		image->rule_infos[1].per_second[0] = 1;
		break;
	default:
		break;
	}
}

static void damaged(void **state)
{
	struct model model = policy_services();
	struct policy policy = {}, read;

	(void)state;
	add_rule(&policy, RULE_DENY, "10.0.0.0/8", "");
	add_rule(&policy, RULE_DENY, "11.0.0.0/8", "");
	for (enum damage kind = NO_DAMAGE; kind < DAMAGES; kind++) {
		struct policy_image image;
		int err;

		make_image(&policy, &model, &image);
		damage(&image, kind);
		err = policy_from_image(image.rule_infos, image.prefixes, image.prefix_count,
					&read);
		if (err != (kind ? -EBADMSG : 0))
			fail_msg("damage %d: %d", kind, err);
		if (!err)
			policy_free(&read);
		policy_image_free(&image);
	}
	policy_free(&policy);
	model_free(&model);
}

/* Every other /24 from 16.0.0.0 on, and as many IPv6 /64. */
static struct prefix numbered(size_t i)
{
	struct prefix made = prefix(i < MILLION / 2 ? "16.0.0.0/24" : "2001:db8::/64");

	if (i < MILLION / 2)
		made.address.word[3] = htonl((16U << 24) + (i << 9));
	else
		made.address.word[1] = htonl(2 * i);
	return made;
}

static void a_million(void **state)
{
	struct rule feed = {.action = RULE_DENY, .feed = "drop.txt", .prefix_count = MILLION};
	struct model model = policy_services();
	struct policy policy = {}, read;
	struct policy_image image;

	(void)state;
	feed.prefixes = calloc(MILLION, sizeof(*feed.prefixes));
	assert_non_null(feed.prefixes);
	/* Backwards, so that they have to be sorted. */
	for (size_t i = 0; i < MILLION; i++)
		feed.prefixes[MILLION - 1 - i] = numbered(i);
	add(&policy, &feed);
	make_image(&policy, &model, &image);
	assert_int_equal(image.boundary_count, 2 * MILLION + 2);
	for (size_t i = 0; i < MILLION; i += 997) {
		struct address in = numbered(i).address, beside = in;

		in.word[3] |= htonl(255);
		assert_int_equal(policy_image_decide(&image, &in, 1, 80), 1);
		beside.word[i < MILLION / 2 ? 3 : 1] |= htonl(i < MILLION / 2 ? 256 : 1);
		assert_int_equal(policy_image_decide(&image, &beside, 1, 80), 0);
	}
	assert_int_equal(policy_from_image(image.rule_infos, image.prefixes, MILLION, &read), 0);
	assert_int_equal(read.rules[0].prefix_count, MILLION);
	policy_free(&read);
	policy_image_free(&image);
	policy_free(&policy);
	free(feed.prefixes);
	model_free(&model);
}

/* Many short IPv6 prefixes fill the filter with what it can tell apart, and no more. */
static void short_prefixes(void **state)
{
	struct prefix list[3000];
	struct rule feed = {
		.action = RULE_DENY, .feed = "a", .prefixes = list, .prefix_count = 3000};
	struct model model = policy_services();
	struct policy policy = {};
	struct policy_image image;
	size_t set = 0;

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		list[i] = prefix("2001::/32");
		list[i].address.word[0] = htonl(0x20010000 + 3 * i);
	}
	add(&policy, &feed);
	make_image(&policy, &model, &image);
	for (size_t i = 0; i < 3000; i++)
		assert_int_equal(policy_image_decide(&image, &list[i].address, 1, 80), 1);
	for (size_t i = 0; i < POLICY_FILTER_IPV6_WORDS; i++)
		set += __builtin_popcountll(image.filter[POLICY_FILTER_IPV4_WORDS + i]);
	assert_true(set > POLICY_FILTER_IPV6_WORDS * 64 / 4);
	assert_true(set <= POLICY_FILTER_IPV6_WORDS * 64 / 2);
	policy_image_free(&image);
	policy_free(&policy);
	model_free(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(damaged),
		cmocka_unit_test(a_million),
		cmocka_unit_test(short_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
