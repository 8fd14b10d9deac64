/* SPDX-License-Identifier: GPL-2.0-only */
#include "apply_policy_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "../core/policy_image.h"
#include "apply.h"
#include "inner_map.h"
#include "policy_state.h"
#include "tick.h"

/* The next key is asked for first: behind a key that is gone the kernel would start anew. */
static int forget_ports(const struct maps *maps, __u32 half)
{
	struct policy_port_key key, next;
	int err = bpf_map_get_next_key(maps->policy_ports_fd, NULL, &next);

	while (!err) {
		key = next;
		err = bpf_map_get_next_key(maps->policy_ports_fd, &key, &next);
		if (key.half == half && bpf_map_delete_elem(maps->policy_ports_fd, &key))
			return -errno;
	}
	return err == -ENOENT ? 0 : err;
}

static int put_ports(const struct maps *maps, __u32 half, const struct policy_image *image)
{
	int err = forget_ports(maps, half); /* of a writer that was killed */

	for (size_t i = 0; i < image->port_count && !err; i++) {
		struct policy_port_key key = image->ports[i].key;

		key.half = half;
		if (bpf_map_update_elem(maps->policy_ports_fd, &key, &image->ports[i].scope,
					BPF_ANY))
			err = -errno;
	}
	return err;
}

static int write_half(const struct maps *maps, __u32 half, const struct policy_image *image)
{
	struct policy_scope *scopes = maps->policy_scopes + half * POLICY_SCOPES_MAX;
	size_t first_rule = half * RULES_MAX;
	int err;

	err = inner_map_put(maps->policy_boundaries_fd, half, "boundaries", image->boundaries,
			    sizeof(*image->boundaries), image->boundary_count);
	if (!err)
		err = inner_map_put(maps->policy_prefixes_fd, half, "prefixes", image->prefixes,
				    sizeof(*image->prefixes), image->prefix_count);
	if (!err)
		err = put_ports(maps, half, image);
	if (err)
		return err;
	memcpy(maps->policy_filter + half * POLICY_FILTER_WORDS, image->filter,
	       POLICY_FILTER_WORDS * sizeof(*image->filter));
	memcpy(scopes, image->scopes, image->scope_count * sizeof(*scopes));
	memset(scopes + image->scope_count, 0,
	       (POLICY_SCOPES_MAX - image->scope_count) * sizeof(*scopes));
	memcpy(maps->policy_rules + first_rule, image->rules, RULES_MAX * sizeof(*image->rules));
	memcpy(maps->policy_rule_info + first_rule, image->rule_infos,
	       RULES_MAX * sizeof(*image->rule_infos));
	return 0;
}

/* Ids come back, and what their last rules have counted and used up is not theirs. */
static int begin_new_rules(const struct maps *maps, __u32 live_half,
			   const struct policy_image *image)
{
	const struct policy_rule_info *live = maps->policy_rule_info + live_half * RULES_MAX;
	size_t cpus = maps->settings->cpu_count;
	struct rule_counters *counters = calloc(cpus, sizeof(*counters));
	struct policy_tokens *tokens = calloc(cpus, sizeof(*tokens));
	int err = counters && tokens ? 0 : -ENOMEM;

	for (__u32 id = 1; id < RULES_MAX && !err; id++) {
		if (image->rule_infos[id].action == RULE_NONE || live[id].action != RULE_NONE)
			continue;
		memset(&maps->policy_buckets[id], 0, sizeof(*maps->policy_buckets));
		if (bpf_map_update_elem(maps->rule_counters_fd, &id, counters, BPF_ANY) ||
		    bpf_map_update_elem(maps->policy_tokens_fd, &id, tokens, BPF_ANY))
			err = -errno;
	}
	free(counters);
	free(tokens);
	return err;
}

int apply_policy_publish(const struct maps *maps, struct policy *policy, const struct model *model,
			 struct text_error *error)
{
	struct control *control = maps->control;
	__u64 generation = maps_policy_generation(maps) + 1;
	__u32 half = generation & 1;
	struct policy_image image;
	int err;

	err = policy_image_make(policy, model, tick_ns(), maps->settings->cpu_count, &image, error);
	if (err)
		return err;
	apply_settle(maps); /* of a writer that was killed after its flip */
	err = write_half(maps, half, &image);
	if (!err)
		err = begin_new_rules(maps, !half, &image);
	if (err) {
		text_refuse(error, err, NULL, "cannot write the policy's maps: %s", strerror(-err));
		goto out;
	}
	/* Whoever finds a 0 there makes the policy anew. */
	__atomic_store_n(&control->policy_fingerprint, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&control->policy, generation << POLICY_GENERATION_SHIFT | image.flags,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&control->policy_fingerprint, policy_model_fingerprint(model),
			 __ATOMIC_RELEASE);
	policy->generation = generation;
out:
	policy_image_free(&image);
	return err;
}

void apply_policy_settled(const struct maps *maps, __u64 generation)
{
	__u32 old_half = !(generation & 1);

	if (!inner_map_put(maps->policy_boundaries_fd, old_half, NULL, NULL, 0, 0) &&
	    !inner_map_put(maps->policy_prefixes_fd, old_half, NULL, NULL, 0, 0))
		forget_ports(maps, old_half);
	maps->control->settled_policy = generation;
}

int apply_policy(const struct maps *maps, struct policy *policy, const struct model *model,
		 struct text_error *error)
{
	int err = apply_policy_publish(maps, policy, model, error);

	if (!err)
		apply_settle(maps);
	return err;
}

int apply_policy_for(const struct maps *maps, const struct model *model, struct text_error *error)
{
	struct control *control = maps->control;
	struct policy policy;
	int err;

	if (!maps_policy_generation(maps) ||
	    control->policy_fingerprint == policy_model_fingerprint(model))
		return 0;
	err = policy_state_read(maps, &policy);
	if (err)
		return text_refuse(error, err, NULL, "cannot read the policy: %s",
				   err == -EBADMSG ? "its maps contradict each other"
						   : strerror(-err));
	if (policy.rule_count)
		err = apply_policy_publish(maps, &policy, model, error);
	policy_free(&policy);
	return err;
}

void apply_shed(const struct maps *maps, __u16 service, double part, __u32 for_ms)
{
	double chance = part * 4294967296.0;
	struct shed shed = {
		.chance = chance >= 4294967295.0 ? 0xffffffff
			  : chance > 0           ? (__u32)chance
						 : 0,
	};
	__u32 ticks = (for_ms * 1000000ULL + tick_ns() - 1) / tick_ns();
	__u64 word;

	/* Where the kernel does not say what time it is, nothing is dropped. */
	if (tick_jiffies(&shed.until_jiffies))
		shed.chance = 0;
	shed.until_jiffies += ticks;
	memcpy(&word, &shed, sizeof(word));
	__atomic_store_n((__u64 *)&maps->sheds[service], word, __ATOMIC_RELEASE);
}
