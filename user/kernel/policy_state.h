/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the policy back from the maps. */
#ifndef SLUICE_KERNEL_POLICY_STATE_H
#define SLUICE_KERNEL_POLICY_STATE_H

#include "../core/policy.h"
#include "maps.h"

/*
 * Returns 0 with @policy to be freed by policy_free(), -EBADMSG when the maps contradict each other,
 * or another negative errno.
 */
int policy_state_read(const struct maps *maps, struct policy *policy);

/* The part of a service's new flows that is dropped now because its nodes are hot, 0 to 1. */
double policy_state_shed(const struct maps *maps, __u16 service);

/* Bytes that the policy's maps take, of both halves. */
__u64 policy_state_bytes(const struct maps *maps);

#endif
