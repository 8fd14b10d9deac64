/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy_filter.h"
#include "policy_info.h"
#include "policy_rate.h"
#include "policy_scope.h"

void policy_image_free(struct policy_image *image)
{
	free(image->scopes);
	free(image->boundaries);
	free(image->ports);
	free(image->rules);
	free(image->rule_infos);
	free(image->prefixes);
	free(image->filter);
	*image = (struct policy_image){};
}

static bool allocate(struct policy_image *image)
{
	image->scopes = calloc(POLICY_SCOPES_MAX, sizeof(*image->scopes));
	image->ports = calloc(POLICY_SCOPES_MAX, sizeof(*image->ports));
	image->rules = calloc(RULES_MAX, sizeof(*image->rules));
	image->rule_infos = calloc(RULES_MAX, sizeof(*image->rule_infos));
	image->prefixes = calloc(image->prefix_count + 1, sizeof(*image->prefixes));
	image->filter = calloc(POLICY_FILTER_WORDS, sizeof(*image->filter));
	return image->scopes && image->ports && image->rules && image->rule_infos &&
	       image->prefixes && image->filter;
}

static void fill_rule(const struct rule *rule, __u64 tick_ns, __u32 cpu_count,
		      struct policy_rule *out)
{
	out->action = rule->action;
	memcpy(out->source_bits, rule->source_bits, sizeof(out->source_bits));
	for (enum rule_rate rate = 0; rate < RULE_RATES; rate++)
		out->rate[rate] = policy_rate(rate, rule->per_second[rate], rule->burst_ms, tick_ns,
					      cpu_count);
}

static void fill_rules(const struct policy *policy, __u64 tick_ns, __u32 cpu_count,
		       struct policy_image *image)
{
	struct policy_prefix *prefixes = image->prefixes;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		fill_rule(rule, tick_ns, cpu_count, &image->rules[rule->id]);
		policy_info_make(rule, &image->rule_infos[rule->id]);
		policy_info_prefixes(rule, prefixes);
		prefixes += rule->prefix_count;
	}
}

/* Those of no bits are in any_rule, and POLICY_ANY_SOURCE says so. */
static void fill_filter(const struct policy *policy, struct policy_image *image)
{
	struct policy_filter filter = {.words = image->filter};

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		for (size_t j = 0; j < rule->prefix_count; j++) {
			if (rule->prefixes[j].bits)
				policy_filter_add(&filter, &rule->prefixes[j]);
		}
	}
}

int policy_image_make(const struct policy *policy, const struct model *model, __u64 tick_ns,
		      __u32 cpu_count, struct policy_image *image, struct text_error *error)
{
	int err = -ENOMEM;

	*image = (struct policy_image){
		.flags = (policy->rule_count ? POLICY_ON : 0) |
			 (policy->all_traffic ? POLICY_ALL_TRAFFIC : 0),
	};
	for (size_t i = 0; i < policy->rule_count; i++)
		image->prefix_count += policy->rules[i].prefix_count;
	if (allocate(image))
		err = policy_scopes_make(policy, model, image, error);
	else
		text_refuse(error, err, NULL, "out of memory");
	if (err) {
		policy_image_free(image);
		return err;
	}
	fill_rules(policy, tick_ns, cpu_count, image);
	fill_filter(policy, image);
	return 0;
}

/* FNV-1a (Fowler, Noll & Vo), 64 bits. */
static __u64 mix(__u64 hash, const void *bytes, size_t count)
{
	const __u8 *byte = bytes;

	for (size_t i = 0; i < count; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3ULL;
	return hash;
}

__u64 policy_model_fingerprint(const struct model *model)
{
	__u64 hash = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < model->service_count; i++) {
		const struct model_service *service = &model->services[i];

		hash = mix(hash, &service->id, sizeof(service->id));
		hash = mix(hash, service->name, strlen(service->name) + 1);
		hash = mix(hash, service->vip.word, sizeof(service->vip.word));
		hash = mix(hash, &service->port, sizeof(service->port));
		hash = mix(hash, &service->protocol, sizeof(service->protocol));
	}
	/* 0 is what control.policy_fingerprint calls "nobody knows". */
	return hash ? hash : 1;
}
