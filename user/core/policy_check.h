/* SPDX-License-Identifier: GPL-2.0-only */
/* What a rule must be, and when two of them say the same. */
#ifndef SLUICE_CORE_POLICY_CHECK_H
#define SLUICE_CORE_POLICY_CHECK_H

#include "policy.h"

/* By itself, its prefixes aside. Returns 0 or -EINVAL with @error filled in. */
int policy_check_rule(const struct rule *rule, struct text_error *error);

/* Each of them. Returns 0 or -EINVAL with @error filled in. */
int policy_check_prefixes(const struct prefix *prefixes, size_t count, struct text_error *error);

/* Beside the others: 0, or -EEXIST with @error filled in. The prefixes of all are sorted. */
int policy_check_new(const struct policy *policy, const struct rule *rule,
		     struct text_error *error);

/* The same action, source (for a feed its name) and scope. The prefixes of both are sorted. */
bool rule_same(const struct rule *a, const struct rule *b);

#endif
