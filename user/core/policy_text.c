/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy's words. */
#include <errno.h>
#include <string.h>

#include "policy.h"

static const char *const action_names[] = {
	[RULE_NONE] = "none",
	[RULE_ALLOW] = "allow",
	[RULE_LIMIT] = "limit",
	[RULE_DENY] = "deny",
};

const char *rule_action_name(enum rule_action action)
{
	return action_names[action <= RULE_DENY ? action : RULE_NONE];
}

int rule_action_parse(const char *text, enum rule_action *action)
{
	for (enum rule_action known = RULE_ALLOW; known <= RULE_DENY; known++) {
		if (strcmp(text, action_names[known]))
			continue;
		*action = known;
		return 0;
	}
	return -EINVAL;
}

const char *rule_rate_name(enum rule_rate rate)
{
	static const char *const names[RULE_RATES] = {
		[RATE_PACKETS] = "packets",
		[RATE_NEW_FLOWS] = "new_flows",
		[RATE_SOURCE_PACKETS] = "source_packets",
		[RATE_SOURCE_NEW_FLOWS] = "source_new_flows",
	};

	return names[rate];
}
