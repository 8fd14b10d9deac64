/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy_check.h"

void policy_free(struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		free(policy->rules[i].prefixes);
	free(policy->rules);
	policy->rules = NULL;
	policy->rule_count = 0;
}

bool rule_is_narrow(const struct rule *rule)
{
	return *rule->service || rule->has_destination || rule->port || rule->protocol;
}

bool rule_is_for_any(const struct rule *rule)
{
	return !rule->prefix_count && !*rule->feed;
}

static struct rule *find(const struct policy *policy, __u16 id)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (policy->rules[i].id == id)
			return &policy->rules[i];
	}
	return NULL;
}

const struct rule *policy_find(const struct policy *policy, __u16 id)
{
	return find(policy, id);
}

const struct rule *policy_find_feed(const struct policy *policy, const char *feed)
{
	for (size_t i = 0; *feed && i < policy->rule_count; i++) {
		if (!strcmp(policy->rules[i].feed, feed))
			return &policy->rules[i];
	}
	return NULL;
}

static int unknown_rule(__u16 id, struct text_error *error)
{
	return text_refuse(error, -ENOENT, NULL, "there is no rule %u", id);
}

/* Ids are 1..RULES_MAX-1. Marks @taken; the next free one behind *@last, or 0. */
static __u16 take_id(bool taken[RULES_MAX], __u16 *last)
{
	for (unsigned int step = 0; step < RULES_MAX - 1; step++) {
		__u16 id = 1 + (*last + step) % (RULES_MAX - 1);

		if (taken[id])
			continue;
		taken[id] = true;
		*last = id;
		return id;
	}
	return 0;
}

/* Behind the highest, so that ids come back as late as they can; 0: all are taken. */
static __u16 free_id(const struct policy *policy)
{
	bool taken[RULES_MAX] = {};
	__u16 highest = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		taken[policy->rules[i].id] = true;
		if (policy->rules[i].id > highest)
			highest = policy->rules[i].id;
	}
	return take_id(taken, &highest);
}

/* Sorted, and each once. *@copy is NULL when there are none. */
static int copy_prefixes(const struct prefix *prefixes, size_t count, struct prefix **copy,
			 size_t *copy_count)
{
	size_t kept = 0;

	*copy = NULL;
	*copy_count = 0;
	if (!count)
		return 0;
	*copy = malloc(count * sizeof(**copy));
	if (!*copy)
		return -ENOMEM;
	memcpy(*copy, prefixes, count * sizeof(**copy));
	qsort(*copy, count, sizeof(**copy), prefix_compare);
	for (size_t i = 0; i < count; i++) {
		if (!kept || !prefix_equal(&(*copy)[kept - 1], &(*copy)[i]))
			(*copy)[kept++] = (*copy)[i];
	}
	*copy_count = kept;
	return 0;
}

/* How many other prefixes the policy has than those of rule @except. */
static size_t count_prefixes(const struct policy *policy, const struct rule *except)
{
	size_t count = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		if (&policy->rules[i] != except)
			count += policy->rules[i].prefix_count;
	}
	return count;
}

/* For @rule, which may be in @policy already. */
static int take_prefixes(const struct policy *policy, const struct rule *rule,
			 const struct prefix *prefixes, size_t count, struct prefix **copy,
			 size_t *copy_count, struct text_error *error)
{
	int err = policy_check_prefixes(prefixes, count, error);

	if (err)
		return err;
	if (copy_prefixes(prefixes, count, copy, copy_count))
		return text_refuse(error, -ENOMEM, NULL, "out of memory");
	if (*copy_count < count && !*rule->feed)
		err = text_refuse(error, -EINVAL, "source", "a prefix is given twice");
	else if (count_prefixes(policy, rule) + *copy_count > POLICY_PREFIXES_MAX)
		err = text_refuse(error, -ENOSPC, "source",
				  "the rules would have more than %d prefixes together",
				  POLICY_PREFIXES_MAX);
	if (err)
		free(*copy);
	return err;
}

static void fill_defaults(struct rule *rule)
{
	if (rule->action != RULE_LIMIT) {
		rule->burst_ms = 0;
		memset(rule->source_bits, 0, sizeof(rule->source_bits));
		return;
	}
	if (!rule->burst_ms)
		rule->burst_ms = RULE_BURST_MS_DEFAULT;
	if (!rule->source_bits[FAMILY_IPV4])
		rule->source_bits[FAMILY_IPV4] = RULE_SOURCE_BITS_IPV4;
	if (!rule->source_bits[FAMILY_IPV6])
		rule->source_bits[FAMILY_IPV6] = RULE_SOURCE_BITS_IPV6;
}

/* Behind the others. */
static int append(struct policy *policy, struct rule *rule, struct text_error *error)
{
	size_t count = policy->rule_count;
	struct rule *rules;

	rule->id = free_id(policy);
	if (!rule->id)
		return text_refuse(error, -ENOSPC, NULL, "there are %d rules already, no more fit",
				   RULES_MAX - 1);
	rule->order = count ? policy->rules[count - 1].order + 1 : 1;
	rules = reallocarray(policy->rules, count + 1, sizeof(*rules));
	if (!rules)
		return text_refuse(error, -ENOMEM, NULL, "out of memory");
	rules[count] = *rule;
	policy->rules = rules;
	policy->rule_count = count + 1;
	return 0;
}

int policy_add(struct policy *policy, const struct rule *rule, struct text_error *error)
{
	struct rule added = *rule;
	int err = policy_check_rule(rule, error);

	if (!err)
		err = take_prefixes(policy, rule, rule->prefixes, rule->prefix_count,
				    &added.prefixes, &added.prefix_count, error);
	if (err)
		return err;
	fill_defaults(&added);
	err = policy_check_new(policy, &added, error);
	if (!err)
		err = append(policy, &added, error);
	if (err)
		free(added.prefixes);
	return err;
}

int policy_del(struct policy *policy, __u16 id, struct text_error *error)
{
	struct rule *rule = find(policy, id);
	size_t behind;

	if (!rule)
		return unknown_rule(id, error);
	free(rule->prefixes);
	behind = policy->rules + policy->rule_count - (rule + 1);
	memmove(rule, rule + 1, behind * sizeof(*rule));
	policy->rule_count--;
	return 0;
}

int policy_set_prefixes(struct policy *policy, __u16 id, const struct prefix *prefixes,
			size_t count, struct text_error *error)
{
	struct rule *rule = find(policy, id);
	struct prefix *copy;
	size_t copy_count;
	int err;

	if (!rule)
		return unknown_rule(id, error);
	if (!*rule->feed)
		return text_refuse(error, -EINVAL, "feed",
				   "the prefixes of rule %u did not come from a list", id);
	err = take_prefixes(policy, rule, prefixes, count, &copy, &copy_count, error);
	if (err)
		return err;
	free(rule->prefixes);
	rule->prefixes = copy;
	rule->prefix_count = copy_count;
	return 0;
}

static const struct rule *find_same(const struct policy *policy, const struct rule *rule)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (rule_same(&policy->rules[i], rule))
			return &policy->rules[i];
	}
	return NULL;
}

int policy_take_ids(struct policy *next, const struct policy *current)
{
	bool taken[RULES_MAX] = {};
	__u16 last = 0, *ids;
	int err = 0;

	ids = calloc(next->rule_count + 1, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < current->rule_count; i++)
		taken[current->rules[i].id] = true;
	for (size_t i = 0; i < next->rule_count && !err; i++) {
		const struct rule *same = find_same(current, &next->rules[i]);

		ids[i] = same ? same->id : take_id(taken, &last);
		if (!ids[i])
			err = -ENOSPC;
	}
	for (size_t i = 0; i < next->rule_count && !err; i++)
		next->rules[i].id = ids[i];
	free(ids);
	return err;
}
