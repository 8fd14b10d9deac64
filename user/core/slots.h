/* SPDX-License-Identifier: GPL-2.0-only */
/* One service's slots and biases: kept, solved for, made anew. A part of plan_make(). */
#ifndef SLUICE_CORE_SLOTS_H
#define SLUICE_CORE_SLOTS_H

#include "plan.h"

/* Ranges of the slots map that must not be written or given away. */
struct slot_ranges {
	struct slot_range *range;
	size_t count;
	size_t room;
};

int slot_ranges_add(struct slot_ranges *ranges, struct slot_range range);

/*
 * The first free range of @count slots (a power of two), aligned to @count, below @slots_max; it is
 * added to @ranges. Returns 0, -ENOSPC or -ENOMEM.
 */
int slot_ranges_take(struct slot_ranges *ranges, __u32 count, __u32 slots_max,
		     struct slot_range *taken);

/*
 * Bring @service's slots and its backends' biases and table weights up to date. @backends are its
 * own, GONE ones not among them; @stale says that one has gone since the slots were made.
 * *@made is allocated (slots of backend ids, to be written to service->slots) when the slots are
 * new, else NULL. Returns 0, -ENOSPC or -ENOMEM.
 */
int slots_update(struct model_service *service, struct model_backend *backends, size_t count,
		 bool stale, const struct slots_view *view, const struct settings *settings,
		 __u64 now_ns, struct slot_ranges *ranges, struct slot **made);

/*
 * The slots of @range as indices into @backends[0..@count), into @slots. Returns 0 or -ENOMEM.
 */
int slots_by_index(const struct slots_view *view, struct slot_range range,
		   const struct model_backend *backends, __u32 count, struct slot *slots);

/* The weight that counts: 0 for a backend that takes no new flows. */
__u32 backend_wanted(const struct model_backend *backend);

#endif
