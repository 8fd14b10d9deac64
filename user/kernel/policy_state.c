/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy_state.h"

#include <errno.h>
#include <string.h>

#include "../../maps/event.h"
#include "../core/policy_image.h"
#include "counters.h"
#include "inner_map.h"
#include "tick.h"

int policy_state_read(const struct maps *maps, struct policy *policy)
{
	__u64 word = __atomic_load_n(&maps->control->policy, __ATOMIC_ACQUIRE);
	__u64 generation = word >> POLICY_GENERATION_SHIFT;
	__u32 half = generation & 1;
	struct inner_view prefixes;
	int err = inner_map_view(maps->policy_prefixes_fd, half, &prefixes);

	if (err)
		return err;
	err = policy_from_image(maps->policy_rule_info + half * RULES_MAX, prefixes.values,
				prefixes.count, policy);
	inner_map_leave(&prefixes);
	if (err)
		return err;
	policy->generation = generation;
	policy->all_traffic = word & POLICY_ALL_TRAFFIC;
	return 0;
}

static __u64 inner_bytes(int outer_fd)
{
	struct inner_view view;
	__u64 bytes = 0;

	for (__u32 half = 0; half < 2; half++) {
		if (inner_map_view(outer_fd, half, &view))
			continue;
		bytes += view.bytes;
		inner_map_leave(&view);
	}
	return bytes;
}

__u64 policy_state_bytes(const struct maps *maps)
{
	__u64 by_cpu = sizeof(struct rule_counters) + sizeof(struct policy_tokens);
	__u64 by_rule = 2 * (sizeof(struct policy_rule) + sizeof(struct policy_rule_info)) +
			sizeof(struct policy_buckets) + by_cpu * maps->settings->cpu_count;

	return RULES_MAX * by_rule + 2 * POLICY_FILTER_WORDS * sizeof(*maps->policy_filter) +
	       2 * POLICY_SCOPES_MAX * sizeof(*maps->policy_scopes) +
	       SOURCE_SETS * sizeof(struct source_set) + KNOWN_SETS * sizeof(struct known_set) +
	       SERVICES_MAX * sizeof(struct shed) + EVENT_RING_BYTES +
	       inner_bytes(maps->policy_boundaries_fd) + inner_bytes(maps->policy_prefixes_fd);
}

double policy_state_shed(const struct maps *maps, __u16 service)
{
	__u64 word = __atomic_load_n((const __u64 *)&maps->sheds[service], __ATOMIC_ACQUIRE);
	struct shed shed;
	__u32 jiffies;

	memcpy(&shed, &word, sizeof(shed));
	if (!shed.chance || tick_jiffies(&jiffies) || (__s32)(shed.until_jiffies - jiffies) < 0)
		return 0;
	return shed.chance / 4294967295.0;
}
