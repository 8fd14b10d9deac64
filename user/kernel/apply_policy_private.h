/* SPDX-License-Identifier: GPL-2.0-only */
/* What apply.c and apply_policy.c have to say to each other. */
#ifndef SLUICE_KERNEL_APPLY_POLICY_PRIVATE_H
#define SLUICE_KERNEL_APPLY_POLICY_PRIVATE_H

#include "apply_policy.h"

/* apply_policy() but for waiting until the packets that are under way have gone. */
int apply_policy_publish(const struct maps *maps, struct policy *policy, const struct model *model,
			 struct text_error *error);

/*
 * No packet reads the half that was in use before the set of @generation: give back what it took.
 * What stays by mistake is the next writer's to remove.
 */
void apply_policy_settled(const struct maps *maps, __u64 generation);

#endif
