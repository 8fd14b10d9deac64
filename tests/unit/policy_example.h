/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules in few words, and services that they may be for. After cmocka.h. */
#ifndef SLUICE_TESTS_UNIT_POLICY_EXAMPLE_H
#define SLUICE_TESTS_UNIT_POLICY_EXAMPLE_H

#include <errno.h>
#include <stdio.h>

#include "model_example.h"
#include "user/core/policy_image.h"

#define TICK_NS 4000000ULL
#define CPUS    2

static inline struct prefix prefix(const char *text)
{
	struct prefix parsed;

	if (prefix_parse(text, &parsed))
		fail_msg("\"%s\" is no prefix", text);
	return parsed;
}

/* @source NULL: every source. The prefix is the caller's. */
static inline struct rule rule_of(enum rule_action action, const char *source, struct prefix *room)
{
	struct rule rule = {.action = action};

	if (action == RULE_LIMIT)
		rule.per_second[RATE_PACKETS] = 1000;
	if (source) {
		*room = prefix(source);
		rule.prefixes = room;
		rule.prefix_count = 1;
	}
	return rule;
}

static inline __u16 add(struct policy *policy, const struct rule *rule)
{
	struct text_error error;
	int err = policy_add(policy, rule, &error);

	if (err)
		fail_msg("rule %zu: %d, %s", policy->rule_count, err, error.what);
	return policy->rules[policy->rule_count - 1].id;
}

/* @service "": every one. */
static inline __u16 add_rule(struct policy *policy, enum rule_action action, const char *source,
			     const char *service)
{
	struct prefix room;
	struct rule rule = rule_of(action, source, &room);

	snprintf(rule.service, sizeof(rule.service), "%s", service);
	return add(policy, &rule);
}

/* "all": every TCP port of 192.0.2.2; "dns": 192.0.2.1:53/udp; "six": [2001:db8::1]:443/tcp; */
/* "udp": every UDP port of 192.0.2.2; "web": 192.0.2.1:80/tcp. */
static inline struct model policy_services(void)
{
	struct model model = {.backends_max = 100, .slots_max = 1 << 20};
	struct service_request dns = service_request("dns", "192.0.2.1", 53);
	struct service_request udp = service_request("udp", "192.0.2.2", 0);
	struct text_error error;

	add_service(&model, "web", "192.0.2.1", 80);
	add_service(&model, "all", "192.0.2.2", 0);
	add_service(&model, "six", "2001:db8::1", 443);
	dns.protocol = IPPROTO_UDP;
	udp.protocol = IPPROTO_UDP;
	assert_int_equal(model_service_add(&model, &dns, &error), 0);
	assert_int_equal(model_service_add(&model, &udp, &error), 0);
	return model;
}

static inline void make_image(const struct policy *policy, const struct model *model,
			      struct policy_image *image)
{
	struct text_error error;
	int err = policy_image_make(policy, model, TICK_NS, CPUS, image, &error);

	if (err)
		fail_msg("image: %d, %s", err, error.what);
}

/* @service "": none. */
static inline __u16 decide(const struct policy_image *image, const struct model *model,
			   const char *source, const char *service, __u16 port)
{
	struct address parsed = address(source);

	return policy_image_decide(image, &parsed,
				   *service ? model_service_find(model, service)->id : 0, port);
}

#endif
