/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy_info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy_check.h"

void policy_info_make(const struct rule *rule, struct policy_rule_info *info)
{
	*info = (struct policy_rule_info){
		.burst_ms = rule->burst_ms,
		.order = rule->order,
		.port = rule->port,
		.protocol = rule->protocol,
		.has_destination = rule->has_destination,
		.action = rule->action,
	};
	memcpy(info->service, rule->service, sizeof(info->service));
	memcpy(info->comment, rule->comment, sizeof(info->comment));
	memcpy(info->feed, rule->feed, sizeof(info->feed));
	memcpy(info->per_second, rule->per_second, sizeof(info->per_second));
	memcpy(info->source_bits, rule->source_bits, sizeof(info->source_bits));
	if (rule->has_destination) {
		memcpy(info->destination, rule->destination.address.word,
		       sizeof(info->destination));
		info->destination_bits = rule->destination.bits;
	}
}

void policy_info_prefixes(const struct rule *rule, struct policy_prefix *to)
{
	for (size_t i = 0; i < rule->prefix_count; i++) {
		const struct prefix *prefix = &rule->prefixes[i];

		to[i] = (struct policy_prefix){.rule = rule->id, .bits = prefix->bits};
		memcpy(to[i].address, prefix->address.word, sizeof(to[i].address));
	}
}

static void read_info(const struct policy_rule_info *info, __u16 id, struct rule *rule)
{
	*rule = (struct rule){
		.id = id,
		.order = info->order,
		.action = info->action,
		.has_destination = info->has_destination,
		.destination = {.bits = info->destination_bits},
		.port = info->port,
		.protocol = info->protocol,
		.burst_ms = info->burst_ms,
	};
	memcpy(rule->destination.address.word, info->destination, sizeof(info->destination));
	memcpy(rule->service, info->service, sizeof(rule->service));
	memcpy(rule->comment, info->comment, sizeof(rule->comment));
	memcpy(rule->feed, info->feed, sizeof(rule->feed));
	memcpy(rule->per_second, info->per_second, sizeof(rule->per_second));
	memcpy(rule->source_bits, info->source_bits, sizeof(rule->source_bits));
}

static int read_rules(const struct policy_rule_info *infos, struct policy *policy)
{
	struct text_error error;

	policy->rules = calloc(RULES_MAX, sizeof(*policy->rules));
	if (!policy->rules)
		return -ENOMEM;
	for (unsigned int id = 1; id < RULES_MAX; id++) {
		struct rule *rule = &policy->rules[policy->rule_count];

		if (infos[id].action == RULE_NONE)
			continue;
		read_info(&infos[id], id, rule);
		policy->rule_count++;
		if (policy_check_rule(rule, &error))
			return -EBADMSG;
	}
	return 0;
}

/* How many prefixes each rule has. @by_id: the rules by their ids, NULL where there is none. */
static int count_prefixes(const struct policy_prefix *prefixes, size_t count,
			  struct rule *by_id[RULES_MAX])
{
	for (size_t i = 0; i < count; i++) {
		if (prefixes[i].rule >= RULES_MAX || !by_id[prefixes[i].rule])
			return -EBADMSG;
		by_id[prefixes[i].rule]->prefix_count++;
	}
	for (unsigned int id = 1; id < RULES_MAX; id++) {
		struct rule *rule = by_id[id];

		if (!rule || !rule->prefix_count)
			continue;
		rule->prefixes = calloc(rule->prefix_count, sizeof(*rule->prefixes));
		if (!rule->prefixes)
			return -ENOMEM;
		rule->prefix_count = 0; /* until they are filled in */
	}
	return 0;
}

/* Those of a rule come in their order. */
static int read_prefixes(const struct policy_prefix *prefixes, size_t count, struct policy *policy)
{
	struct rule *by_id[RULES_MAX] = {};
	int err;

	for (size_t i = 0; i < policy->rule_count; i++)
		by_id[policy->rules[i].id] = &policy->rules[i];
	err = count_prefixes(prefixes, count, by_id);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		struct rule *rule = by_id[prefixes[i].rule];
		struct prefix *prefix = &rule->prefixes[rule->prefix_count];

		memcpy(prefix->address.word, prefixes[i].address, sizeof(prefixes[i].address));
		prefix->bits = prefixes[i].bits;
		if (!prefix_valid(prefix) ||
		    (rule->prefix_count && prefix_compare(prefix - 1, prefix) >= 0))
			return -EBADMSG;
		rule->prefix_count++;
	}
	return 0;
}

static int compare_order(const void *left, const void *right)
{
	const struct rule *a = left, *b = right;

	return (a->order > b->order) - (a->order < b->order);
}

int policy_from_image(const struct policy_rule_info *rule_infos,
		      const struct policy_prefix *prefixes, size_t prefix_count,
		      struct policy *policy)
{
	int err;

	*policy = (struct policy){};
	err = read_rules(rule_infos, policy);
	if (!err)
		err = read_prefixes(prefixes, prefix_count, policy);
	if (!err)
		qsort(policy->rules, policy->rule_count, sizeof(*policy->rules), compare_order);
	for (size_t i = 1; !err && i < policy->rule_count; i++) {
		if (policy->rules[i].order == policy->rules[i - 1].order)
			err = -EBADMSG;
	}
	if (err)
		policy_free(policy);
	return err;
}
