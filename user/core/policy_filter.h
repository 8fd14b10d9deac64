/* SPDX-License-Identifier: GPL-2.0-only */
/* The filter of sources that some prefix matches: see POLICY_FILTER_WORDS in maps/policy.h. */
#ifndef SLUICE_CORE_POLICY_FILTER_H
#define SLUICE_CORE_POLICY_FILTER_H

#include "prefix.h"

/*
 * An IPv6 prefix shorter than 48 bits sets as many bits as it holds /48. Once that many have been
 * set so, which is half of all, the rest of them goes by their /16, so that the filter still tells
 * the others apart and does not take a second to make.
 */
#define POLICY_FILTER_SPREAD_MAX (1 << 23)

struct policy_filter {
	__u64 *words; /* POLICY_FILTER_WORDS */
	__u32 spread; /* bits that were set for IPv6 prefixes shorter than 48 */
};

void policy_filter_add(struct policy_filter *filter, const struct prefix *prefix);

/* Whether some prefix may match @source. */
bool policy_filter_has(const __u64 *words, const struct address *source);

#endif
