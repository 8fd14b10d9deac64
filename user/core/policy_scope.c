/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy_scope.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy_flatten.h"

/* Who asks a scope. */
struct asker {
	const struct model_service *service; /* NULL: everybody, scope 0 */
	__u16 port;                          /* 0: of no port that a rule names */
};

/* A scope that was made. Those with the same rules share its boundaries. */
struct made {
	struct asker asker;
	__u64 hash; /* of its rules */
	__u32 number;
};

struct maker {
	const struct policy *policy;
	struct policy_image *image;
	struct boundary_list boundaries;
	struct flat_prefix *room; /* for the prefixes of a scope, of one family */
	struct made *made;        /* POLICY_SCOPES_MAX */
	size_t made_count;
};

/* Of the whole service, or of one port if it has all. */
static bool rule_fits(const struct rule *rule, const struct model_service *service)
{
	return rule_is_narrow(rule) && (!*rule->service || !strcmp(rule->service, service->name)) &&
	       (!rule->protocol || rule->protocol == service->protocol) &&
	       (!rule->has_destination || prefix_contains(&rule->destination, &service->vip)) &&
	       (!rule->port || !service->port || rule->port == service->port);
}

static bool is_in(const struct rule *rule, const struct asker *asker)
{
	if (!asker->service)
		return !rule_is_narrow(rule);
	return rule_fits(rule, asker->service) && (!rule->port || rule->port == asker->port);
}

/* 0: no rule is. */
static __u64 hash_rules(const struct policy *policy, const struct asker *asker)
{
	__u64 hash = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		if (is_in(&policy->rules[i], asker))
			hash = (hash ^ (i + 1)) * 0x9e3779b97f4a7c15ULL | 1;
	}
	return hash;
}

static bool same_rules(const struct policy *policy, const struct asker *a, const struct asker *b)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (is_in(&policy->rules[i], a) != is_in(&policy->rules[i], b))
			return false;
	}
	return true;
}

static const struct made *find_made(const struct maker *maker, const struct asker *asker,
				    __u64 hash)
{
	for (size_t i = 0; i < maker->made_count; i++) {
		const struct made *made = &maker->made[i];

		if (made->hash == hash && same_rules(maker->policy, &made->asker, asker))
			return made;
	}
	return NULL;
}

/* Whether @rule decides for every source of @family. */
static bool is_for_all(const struct rule *rule, enum family family)
{
	for (size_t i = 0; i < rule->prefix_count; i++) {
		if (!rule->prefixes[i].bits && prefix_family(&rule->prefixes[i]) == family)
			return true;
	}
	return rule_is_for_any(rule);
}

/* Of two rules of the same length. */
static bool goes_before(const struct rule *rule, const struct rule *other)
{
	if (!other || rule->action != other->action)
		return !other || rule->action > other->action;
	return rule->order < other->order;
}

static size_t collect(const struct rule *rule, enum family family, struct flat_prefix *to)
{
	size_t count = 0;

	for (size_t i = 0; i < rule->prefix_count; i++) {
		const struct prefix *prefix = &rule->prefixes[i];

		if (!prefix->bits || prefix_family(prefix) != family)
			continue;
		to[count++] = (struct flat_prefix){
			.first = address_wide(&prefix->address),
			.order = rule->order,
			.rule = rule->id,
			.bits = prefix->bits,
			.action = rule->action,
		};
	}
	return count;
}

static int make_family(struct maker *maker, const struct asker *asker, enum family family,
		       struct policy_scope *scope)
{
	const struct rule *any = NULL;
	size_t count = 0;
	int err = 0;

	for (size_t i = 0; i < maker->policy->rule_count; i++) {
		const struct rule *rule = &maker->policy->rules[i];

		if (!is_in(rule, asker))
			continue;
		if (is_for_all(rule, family) && goes_before(rule, any))
			any = rule;
		count += collect(rule, family, maker->room + count);
	}
	if (any) {
		scope->any_rule[family] = any->id;
		scope->any_action[family] = any->action;
		maker->image->flags |= POLICY_ANY_SOURCE;
	}
	if (count) {
		scope->first[family] = maker->boundaries.count;
		err = policy_flatten(maker->room, count, family, &maker->boundaries);
		scope->count[family] = maker->boundaries.count - scope->first[family];
	}
	return err;
}

static int make_scope(struct maker *maker, const struct asker *asker, __u32 number)
{
	struct policy_scope *scope = &maker->image->scopes[number];
	__u64 hash = hash_rules(maker->policy, asker);
	const struct made *same = find_made(maker, asker, hash);
	int err = 0;

	if (!hash)
		return 0;
	if (same) {
		__u8 has_ports = scope->has_ports;

		*scope = maker->image->scopes[same->number];
		scope->has_ports = has_ports;
		return 0;
	}
	for (enum family family = 0; family < FAMILIES && !err; family++)
		err = make_family(maker, asker, family, scope);
	maker->made[maker->made_count++] = (struct made){*asker, hash, number};
	return err;
}

/* The ports, in ascending order, that rules name of a service that has all. */
static size_t find_ports(const struct policy *policy, const struct model_service *service,
			 __u16 ports[RULES_MAX])
{
	bool named[65536] = {};
	size_t count = 0;

	if (service->port)
		return 0;
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->port && rule_fits(rule, service))
			named[rule->port] = true;
	}
	for (unsigned int port = 1; port < 65536; port++) {
		if (named[port])
			ports[count++] = port;
	}
	return count;
}

static int make_port(struct maker *maker, const struct model_service *service, __u16 port,
		     struct text_error *error)
{
	struct asker asker = {.service = service, .port = port};
	struct policy_image *image = maker->image;
	__u32 number = image->scope_count;

	if (number == POLICY_SCOPES_MAX)
		return text_refuse(error, -ENOSPC, "port",
				   "rules name more than %d ports of services for every port",
				   POLICY_SCOPES_MAX - SERVICES_MAX);
	image->scope_count++;
	image->ports[image->port_count++] = (struct policy_port_entry){
		.key = {.service = service->id, .port = htons(port)},
		.scope = number,
	};
	return make_scope(maker, &asker, number);
}

static int make_service(struct maker *maker, const struct model_service *service,
			struct text_error *error)
{
	struct asker asker = {.service = service, .port = service->port};
	__u16 ports[RULES_MAX];
	size_t port_count = find_ports(maker->policy, service, ports);
	int err;

	maker->image->scopes[service->id].has_ports = port_count > 0;
	err = make_scope(maker, &asker, service->id);
	for (size_t i = 0; i < port_count && !err; i++)
		err = make_port(maker, service, ports[i], error);
	return err;
}

static int make_all(struct maker *maker, const struct model *model, struct text_error *error)
{
	struct asker everybody = {};
	size_t prefixes = 0;
	int err;

	for (size_t i = 0; i < maker->policy->rule_count; i++)
		prefixes += maker->policy->rules[i].prefix_count;
	maker->room = calloc(prefixes + 1, sizeof(*maker->room));
	maker->made = calloc(POLICY_SCOPES_MAX, sizeof(*maker->made));
	if (!maker->room || !maker->made)
		return -ENOMEM;
	maker->image->scope_count = SERVICES_MAX;
	err = make_scope(maker, &everybody, 0);
	for (size_t i = 0; i < model->service_count && !err; i++)
		err = make_service(maker, &model->services[i], error);
	return err;
}

int policy_scopes_make(const struct policy *policy, const struct model *model,
		       struct policy_image *image, struct text_error *error)
{
	struct maker maker = {.policy = policy, .image = image};
	int err;

	*error = (struct text_error){};
	err = make_all(&maker, model, error);
	free(maker.room);
	free(maker.made);
	image->boundaries = maker.boundaries.items;
	image->boundary_count = maker.boundaries.count;
	if (err == -ENOSPC && !*error->what)
		text_refuse(error, err, NULL,
			    "the prefixes of all services have more than %d boundaries together",
			    POLICY_BOUNDARIES_MAX);
	if (err == -ENOMEM)
		text_refuse(error, err, NULL, "out of memory");
	return err;
}
