/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy_check.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static bool printable(const char *text, size_t room)
{
	size_t length = strnlen(text, room);

	for (size_t i = 0; i < length; i++) {
		if (text[i] < ' ' || text[i] > '~')
			return false;
	}
	return length < room;
}

static int check_texts(const struct rule *rule, struct text_error *error)
{
	if (*rule->service &&
	    (!memchr(rule->service, '\0', NAME_BYTES) || !model_name_valid(rule->service)))
		return text_refuse(error, -EINVAL, "service",
				   "\"%.63s\" is no name of a service: 1 to %d letters, digits and "
				   ". _ - :, a letter or digit first",
				   rule->service, NAME_BYTES - 1);
	if (!printable(rule->comment, COMMENT_BYTES))
		return text_refuse(error, -EINVAL, "comment",
				   "a comment is up to %d printable ASCII characters",
				   COMMENT_BYTES - 1);
	if (!printable(rule->feed, FEED_BYTES))
		return text_refuse(error, -EINVAL, "feed",
				   "the name of a feed is up to %d printable ASCII characters",
				   FEED_BYTES - 1);
	return 0;
}

static int check_scope(const struct rule *rule, struct text_error *error)
{
	if (rule->action < RULE_ALLOW || rule->action > RULE_DENY)
		return text_refuse(error, -EINVAL, "action",
				   "action %d is neither allow, deny nor limit", rule->action);
	if (rule->protocol && rule->protocol != IPPROTO_TCP && rule->protocol != IPPROTO_UDP)
		return text_refuse(error, -EINVAL, "proto", "protocol %u is neither tcp nor udp",
				   rule->protocol);
	if (rule->has_destination && !prefix_valid(&rule->destination))
		return text_refuse(error, -EINVAL, "destination", "the destination is no prefix");
	return 0;
}

static int check_rates(const struct rule *rule, struct text_error *error)
{
	unsigned int given = 0;

	for (enum rule_rate rate = 0; rate < RULE_RATES; rate++) {
		const char *name = rule_rate_name(rate);

		if (!rule->per_second[rate])
			continue;
		given++;
		if (rule->action != RULE_LIMIT)
			return text_refuse(error, -EINVAL, name, "only a limit has a rate");
		if (rule->per_second[rate] > RULE_RATE_MAX)
			return text_refuse(error, -EINVAL, name,
					   "%u a second are too many: 1 to %d",
					   rule->per_second[rate], RULE_RATE_MAX);
	}
	if (rule->action == RULE_LIMIT && !given)
		return text_refuse(error, -EINVAL, NULL,
				   "a limit wants a rate: packets, new_flows, source_packets or "
				   "source_new_flows");
	return 0;
}

static int check_limits(const struct rule *rule, struct text_error *error)
{
	static const char *const names[FAMILIES] = {"source_bits_ipv4", "source_bits_ipv6"};

	if (rule->burst_ms > RULE_BURST_MS_MAX)
		return text_refuse(error, -EINVAL, "burst_ms", "%u ms are no burst: 1 to %d",
				   rule->burst_ms, RULE_BURST_MS_MAX);
	for (enum family family = 0; family < FAMILIES; family++) {
		if (rule->source_bits[family] > family_bits(family))
			return text_refuse(error, -EINVAL, names[family],
					   "%u bits are no source: 1 to %u",
					   rule->source_bits[family], family_bits(family));
	}
	return 0;
}

int policy_check_rule(const struct rule *rule, struct text_error *error)
{
	int err = check_scope(rule, error);

	if (!err)
		err = check_texts(rule, error);
	if (!err)
		err = check_rates(rule, error);
	return err ? err : check_limits(rule, error);
}

int policy_check_prefixes(const struct prefix *prefixes, size_t count, struct text_error *error)
{
	char text[PREFIX_TEXT_BYTES];

	for (size_t i = 0; i < count; i++) {
		if (!prefix_valid(&prefixes[i]))
			return text_refuse(error, -EINVAL, "source",
					   "%s has more bits than an address, or bits set behind "
					   "the prefix",
					   prefix_format(&prefixes[i], text));
	}
	return 0;
}

static bool same_prefixes(const struct rule *a, const struct rule *b)
{
	if (a->prefix_count != b->prefix_count)
		return false;
	for (size_t i = 0; i < a->prefix_count; i++) {
		if (!prefix_equal(&a->prefixes[i], &b->prefixes[i]))
			return false;
	}
	return true;
}

bool rule_same(const struct rule *a, const struct rule *b)
{
	return a->action == b->action && a->port == b->port && a->protocol == b->protocol &&
	       a->has_destination == b->has_destination &&
	       (!a->has_destination || prefix_equal(&a->destination, &b->destination)) &&
	       !strcmp(a->service, b->service) && !strcmp(a->feed, b->feed) &&
	       (*a->feed || same_prefixes(a, b));
}

int policy_check_new(const struct policy *policy, const struct rule *rule, struct text_error *error)
{
	const struct rule *other = *rule->feed ? policy_find_feed(policy, rule->feed) : NULL;

	if (other)
		return text_refuse(error, -EEXIST, "feed", "rule %u has the feed \"%s\" already",
				   other->id, rule->feed);
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (rule_same(&policy->rules[i], rule))
			return text_refuse(error, -EEXIST, NULL,
					   "rule %u says the same: %s, of the same sources and for "
					   "the same services",
					   policy->rules[i].id, rule_action_name(rule->action));
	}
	return 0;
}
