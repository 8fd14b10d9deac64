/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random rule sets and packets, and the rules as people read them: one by one, each compared with the
 * packet bit by bit. After cmocka.h.
 */
#ifndef SLUICE_TESTS_UNIT_POLICY_RANDOM_H
#define SLUICE_TESTS_UNIT_POLICY_RANDOM_H

#include "policy_example.h"

#define RULES_A_SET     40
#define PREFIXES_A_RULE 12

static inline uint64_t next_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static inline unsigned int below(uint64_t *seed, unsigned int end)
{
	return next_random(seed) % end;
}

/* Of few values, so that prefixes lie in each other and packets meet them. */
static inline struct address random_address(uint64_t *seed, bool ipv4)
{
	static const uint8_t bytes[] = {0, 1, 10, 10, 10, 127, 128, 254, 255};
	struct address address = {};
	uint8_t *to = (uint8_t *)address.word;

	if (ipv4)
		memset(to + 10, 0xff, 2);
	for (unsigned int i = ipv4 ? 12 : 0; i < 16; i++)
		to[i] = bytes[below(seed, sizeof(bytes))];
	return address;
}

static inline bool bit_of(const struct address *address, unsigned int bit)
{
	return ((const uint8_t *)address->word)[bit / 8] >> (7 - bit % 8) & 1;
}

static inline struct prefix random_prefix(uint64_t *seed)
{
	bool ipv4 = below(seed, 2);
	unsigned int bits = below(seed, ipv4 ? 33 : 129), first = ipv4 ? 96 : 0;
	struct prefix made = {.address = random_address(seed, ipv4), .bits = bits};
	uint8_t *bytes = (uint8_t *)made.address.word;

	if (!below(seed, 3))
		made.bits = bits = ipv4 ? 24 : 48; /* many of one length */
	for (unsigned int bit = first + bits; bit < 128; bit++)
		bytes[bit / 8] &= ~(0x80 >> bit % 8);
	return made;
}

static const char *const services[] = {"", "all", "dns", "six", "udp", "web", "absent"};
static const uint16_t ports[] = {0, 53, 80, 443, 8080, 65535};

static inline struct rule random_rule(uint64_t *seed, struct prefix prefixes[PREFIXES_A_RULE])
{
	struct rule rule = {.action = RULE_ALLOW + below(seed, 3)};

	if (rule.action == RULE_LIMIT)
		rule.per_second[below(seed, RULE_RATES)] = 1 + below(seed, 1000000);
	if (below(seed, 2))
		strcpy(rule.service, services[below(seed, 7)]);
	if (!below(seed, 4))
		rule.port = ports[below(seed, 6)];
	if (!below(seed, 4))
		rule.protocol = below(seed, 2) ? IPPROTO_TCP : IPPROTO_UDP;
	if (!below(seed, 6)) {
		static const char *const destinations[] = {"192.0.2.0/24", "192.0.2.1", "0.0.0.0/0",
							   "2001:db8::/32"};

		rule.has_destination = true;
		rule.destination = prefix(destinations[below(seed, 4)]);
	}
	rule.prefixes = prefixes;
	rule.prefix_count = below(seed, 8) ? 1 + below(seed, PREFIXES_A_RULE) : 0;
	for (size_t i = 0; i < rule.prefix_count; i++)
		prefixes[i] = random_prefix(seed);
	return rule;
}

static inline void random_policy(uint64_t *seed, struct policy *policy)
{
	unsigned int count = below(seed, RULES_A_SET);
	struct prefix prefixes[PREFIXES_A_RULE];
	struct text_error error;

	*policy = (struct policy){.all_traffic = below(seed, 2)};
	for (unsigned int i = 0; i < count; i++) {
		struct rule rule = random_rule(seed, prefixes);
		int err = policy_add(policy, &rule, &error);

		/* Chance may say the same twice. */
		if (err && err != -EEXIST && strcmp(error.what, "a prefix is given twice"))
			fail_msg("%d, %s", err, error.what);
	}
	for (unsigned int i = 0; policy->rule_count && i < 3; i++)
		policy_del(policy, policy->rules[below(seed, policy->rule_count)].id, &error);
}

/* How many bits of @source the rule fixes; -1: it does not match. */
static inline int source_length(const struct rule *rule, const struct address *source)
{
	int longest = rule->prefix_count ? -1 : 0;

	for (size_t i = 0; i < rule->prefix_count; i++) {
		const struct prefix *prefix = &rule->prefixes[i];
		bool ipv4 = address_is_ipv4(&prefix->address);
		unsigned int bit = ipv4 ? 96 : 0, end = bit + prefix->bits;

		if (ipv4 != address_is_ipv4(source))
			continue;
		while (bit < end && bit_of(&prefix->address, bit) == bit_of(source, bit))
			bit++;
		if (bit == end && prefix->bits > longest)
			longest = prefix->bits;
	}
	return longest;
}

static inline bool names_something(const struct rule *rule)
{
	return *rule->service || rule->has_destination || rule->port || rule->protocol;
}

static inline bool is_for(const struct rule *rule, const struct model_service *service,
			  uint16_t port)
{
	if (!names_something(rule))
		return true;
	if (!service || (*rule->service && strcmp(rule->service, service->name)) ||
	    (rule->port && rule->port != port) ||
	    (rule->protocol && rule->protocol != service->protocol))
		return false;
	if (!rule->has_destination)
		return true;
	if (address_is_ipv4(&rule->destination.address) != address_is_ipv4(&service->vip))
		return false;
	for (unsigned int i = 0, first = address_is_ipv4(&service->vip) ? 96 : 0;
	     i < rule->destination.bits; i++) {
		if (bit_of(&rule->destination.address, first + i) !=
		    bit_of(&service->vip, first + i))
			return false;
	}
	return true;
}

static inline uint16_t decide_slowly(const struct policy *policy, const struct address *source,
				     const struct model_service *service, uint16_t port)
{
	const struct rule *best = NULL;
	int best_length = -1;

	for (size_t i = 0; (service || policy->all_traffic) && i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		int length = source_length(rule, source);

		if (length < 0 || !is_for(rule, service, port))
			continue;
		if (best && length < best_length)
			continue;
		if (best && length == best_length) {
			/* deny, limit, allow */
			if (rule->action < best->action)
				continue;
			if (rule->action == best->action &&
			    (names_something(best) || !names_something(rule)))
				continue;
		}
		best = rule;
		best_length = length;
	}
	return best ? best->id : 0;
}

/* Half of them are in, or just beside, some rule's prefix. */
static inline struct address random_source(uint64_t *seed, const struct policy *policy)
{
	struct address address = random_address(seed, below(seed, 2));
	const struct rule *rule;
	const struct prefix *prefix;
	uint8_t *bytes = (uint8_t *)address.word;

	if (!policy->rule_count || !below(seed, 2))
		return address;
	rule = &policy->rules[below(seed, policy->rule_count)];
	if (!rule->prefix_count)
		return address;
	prefix = &rule->prefixes[below(seed, rule->prefix_count)];
	address = prefix->address;
	for (unsigned int bit = 128; bit-- > (prefix_family(prefix) == FAMILY_IPV4 ? 96U : 0);) {
		if (!below(seed, 3))
			bytes[bit / 8] ^= 0x80 >> bit % 8;
		if (below(seed, 128) < 2)
			break;
	}
	return address;
}

#endif
