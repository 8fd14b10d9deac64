/* SPDX-License-Identifier: GPL-2.0-only */
#include "config_policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config_text.h"

static bool read_prefix(const struct reader *reader, const char *key, const char *text,
			struct prefix *prefix)
{
	char expected[PREFIX_TEXT_BYTES + 32], meant[PREFIX_TEXT_BYTES];

	switch (prefix_parse(text, prefix)) {
	case 0:
		return true;
	case -EDOM:
		snprintf(expected, sizeof(expected), "no bits behind the prefix: %s",
			 prefix_format(prefix, meant));
		return read_wrong(reader, key, text, expected);
	default:
		return read_wrong(reader, key, text,
				  "an address, or a prefix such as 192.0.2.0/24 or 2001:db8::/32");
	}
}

static bool read_action(const struct reader *reader, const char *text, enum rule_action *action)
{
	return !rule_action_parse(text, action) ||
	       read_wrong(reader, "action", text, "allow, deny or limit");
}

/* @room is for the prefix. */
static bool read_source(const struct reader *reader, const struct rule_text *in, struct rule *rule,
			struct prefix *room)
{
	if (in->feed && in->source) {
		read_refuse_at(reader, "feed", "a rule has a source or a feed, not both");
		return false;
	}
	if (in->feed && !*in->feed)
		return read_wrong(reader, "feed", in->feed, "the path of a file");
	if (!in->source || !strcmp(in->source, "any"))
		return read_word(reader, "feed", in->feed, FEED_BYTES, rule->feed);
	rule->prefixes = room;
	rule->prefix_count = 1;
	return read_prefix(reader, "source", in->source, room);
}

static bool read_scope(const struct reader *reader, const struct rule_text *in, struct rule *rule)
{
	if (in->service && !*in->service)
		return read_wrong(reader, "service", in->service, "the name of a service");
	rule->has_destination = in->destination;
	if (in->destination &&
	    !read_prefix(reader, "destination", in->destination, &rule->destination))
		return false;
	if (in->proto && protocol_parse(in->proto, &rule->protocol))
		return read_wrong(reader, "proto", in->proto, "tcp or udp");
	return read_word(reader, "service", in->service, NAME_BYTES, rule->service) &&
	       read_port_or_any(reader, "port", in->port, &rule->port);
}

static bool read_rates(const struct reader *reader, const struct rule_text *in, struct rule *rule)
{
	const char *const texts[RULE_RATES] = {
		[RATE_PACKETS] = in->packets,
		[RATE_NEW_FLOWS] = in->new_flows,
		[RATE_SOURCE_PACKETS] = in->source_packets,
		[RATE_SOURCE_NEW_FLOWS] = in->source_new_flows,
	};

	for (enum rule_rate rate = 0; rate < RULE_RATES; rate++) {
		if (!read_count(reader, rule_rate_name(rate), texts[rate], 1, RULE_RATE_MAX,
				&rule->per_second[rate]))
			return false;
	}
	return true;
}

/* What only a limit has: values of other rules would be lost without a word. */
static bool read_limits(const struct reader *reader, const struct rule_text *in, struct rule *rule)
{
	const struct {
		const char *key;
		const char *text;
		unsigned int max;
		unsigned int value;
	} keys[] = {
		{"burst_ms", in->burst_ms, RULE_BURST_MS_MAX, RULE_BURST_MS_DEFAULT},
		{"source_bits_ipv4", in->source_bits_ipv4, 32, RULE_SOURCE_BITS_IPV4},
		{"source_bits_ipv6", in->source_bits_ipv6, 128, RULE_SOURCE_BITS_IPV6},
	};
	unsigned int values[3];

	for (unsigned int i = 0; i < 3; i++) {
		if (keys[i].text && rule->action != RULE_LIMIT) {
			read_refuse_at(reader, keys[i].key, "only a limit has that");
			return false;
		}
		values[i] = keys[i].value;
		if (!read_count(reader, keys[i].key, keys[i].text, 1, keys[i].max, &values[i]))
			return false;
	}
	rule->burst_ms = values[0];
	rule->source_bits[FAMILY_IPV4] = values[1];
	rule->source_bits[FAMILY_IPV6] = values[2];
	return true;
}

static int read_rule(const struct reader *reader, const struct rule_text *in, struct policy *policy)
{
	struct rule rule = {};
	struct prefix room;
	int err;

	if (!read_action(reader, in->action, &rule.action) ||
	    !read_source(reader, in, &rule, &room) || !read_scope(reader, in, &rule) ||
	    !read_rates(reader, in, &rule) || !read_limits(reader, in, &rule) ||
	    !read_word(reader, "comment", in->comment, COMMENT_BYTES, rule.comment))
		return -EINVAL;
	err = policy_add(policy, &rule, reader->error);
	return err ? read_place_refusal(reader, err) : 0;
}

int config_policy_read(struct reader *reader, const struct policy_text *in, struct policy *policy)
{
	int err = 0;

	*policy = (struct policy){};
	snprintf(reader->place, sizeof(reader->place), "policy");
	if (!read_bool(reader, "all_traffic", in->all_traffic, &policy->all_traffic))
		return -EINVAL;
	for (unsigned int i = 0; i < in->rules_count && !err; i++) {
		snprintf(reader->place, sizeof(reader->place), "policy.rules[%u]", i);
		err = read_rule(reader, &in->rules[i], policy);
	}
	if (err)
		policy_free(policy);
	return err;
}
