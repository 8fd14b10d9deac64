/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of apply.h that is about the policy; likewise the only writer of its maps. */
#ifndef SLUICE_KERNEL_APPLY_POLICY_H
#define SLUICE_KERNEL_APPLY_POLICY_H

#include "../core/model.h"
#include "../core/policy.h"
#include "maps.h"

/*
 * Publish @policy for the services of @model: all or nothing, by one flip, while packets go on.
 * @maps are open for writing. Counters and buckets of rules that are new begin at 0. Waits for an
 * RCU grace period after the flip and gives back what the old half took. policy->generation is
 * brought up to date. Returns 0 or a negative errno with @error filled in.
 */
int apply_policy(const struct maps *maps, struct policy *policy, const struct model *model,
		 struct text_error *error);

/*
 * For who is about to publish @model: make the policy anew if its services are not those that it
 * was made for. Costs next to nothing when they are.
 */
int apply_policy_for(const struct maps *maps, const struct model *model, struct text_error *error);

/* Say what part of the new flows of a service is dropped, for the next @for_ms and no longer. */
void apply_shed(const struct maps *maps, __u16 service, double part, __u32 for_ms);

#endif
