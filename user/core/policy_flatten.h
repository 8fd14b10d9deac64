/* SPDX-License-Identifier: GPL-2.0-only */
/* Prefixes inside prefixes, resolved to a sorted run of boundaries. */
#ifndef SLUICE_CORE_POLICY_FLATTEN_H
#define SLUICE_CORE_POLICY_FLATTEN_H

#include "prefix.h"

struct flat_prefix {
	struct wide first;
	__u32 order; /* of its rule: the lower goes before, at the same length and action */
	__u16 rule;
	__u8 bits; /* of its own family */
	__u8 action;
};

/* Grows as needed. */
struct boundary_list {
	struct policy_boundary *items; /* to be freed with free() */
	size_t count;
	size_t room;
};

/*
 * Append the run of @family for @prefixes, which are sorted on the way. None of them may have 0 bits.
 * Returns 0, -ENOSPC (POLICY_BOUNDARIES_MAX) or -ENOMEM.
 */
int policy_flatten(struct flat_prefix *prefixes, size_t count, enum family family,
		   struct boundary_list *list);

#endif
