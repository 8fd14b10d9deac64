/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the policy maps must hold so that the packet path does what a policy says. Pure;
 * kernel/apply_policy.c stores it.
 */
#ifndef SLUICE_CORE_POLICY_IMAGE_H
#define SLUICE_CORE_POLICY_IMAGE_H

#include "policy.h"

struct policy_port_entry {
	struct policy_port_key key; /* half: to be filled in by who stores it */
	__u32 scope;
};

struct policy_image {
	__u32 flags;                 /* enum policy_flags */
	struct policy_scope *scopes; /* by number */
	size_t scope_count;
	struct policy_boundary *boundaries;
	size_t boundary_count;
	struct policy_port_entry *ports;
	size_t port_count;
	struct policy_rule *rules;           /* RULES_MAX, by id */
	struct policy_rule_info *rule_infos; /* RULES_MAX, by id */
	struct policy_prefix *prefixes;
	size_t prefix_count;
	__u64 *filter; /* POLICY_FILTER_WORDS */
};

/*
 * @model says which services there are; @tick_ns is the kernel's (a jiffy: buckets are filled that
 * often, so a burst lasts two of them at least). Returns 0 with @image to be freed by
 * policy_image_free(), or -ENOSPC (boundaries, scopes) or -ENOMEM with @error filled in.
 */
int policy_image_make(const struct policy *policy, const struct model *model, __u64 tick_ns,
		      __u32 cpu_count, struct policy_image *image, struct text_error *error);
void policy_image_free(struct policy_image *image);

/*
 * A policy as an image keeps it, for who reads it back from the maps: rules by id from
 * @rule_infos (RULES_MAX), with their @prefixes. Returns 0 with @policy to be freed, -EBADMSG when
 * they contradict each other, or -ENOMEM.
 */
int policy_from_image(const struct policy_rule_info *rule_infos,
		      const struct policy_prefix *prefixes, size_t prefix_count,
		      struct policy *policy);

/*
 * The id of the rule that decides over packets from @source, as the packet path finds it; 0: none.
 * @service 0: a packet that is for no service. @port in host order.
 */
__u16 policy_image_decide(const struct policy_image *image, const struct address *source,
			  __u16 service, __u16 port);

/* Of what such an image depends on in @model: when it changes, the image must be made anew. */
__u64 policy_model_fingerprint(const struct model *model);

#endif
