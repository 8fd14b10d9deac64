/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules as the maps keep them for people, and back (policy_from_image()). */
#ifndef SLUICE_CORE_POLICY_INFO_H
#define SLUICE_CORE_POLICY_INFO_H

#include "policy_image.h"

void policy_info_make(const struct rule *rule, struct policy_rule_info *info);

/* Writes rule->prefix_count of them to @to. */
void policy_info_prefixes(const struct rule *rule, struct policy_prefix *to);

#endif
