/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A plan: what the maps must hold so that the packet path does what a model says. Pure; kernel/
 * apply.c stores it.
 */
#ifndef SLUICE_CORE_PLAN_H
#define SLUICE_CORE_PLAN_H

#include "../../maps/control.h"
#include "../../maps/slot.h"
#include "../../maps/weight.h"
#include "model.h"

/* Slots to be written into a range that no generation uses. */
struct plan_slots {
	struct slot_range range;
	struct slot *slots; /* backend ids */
};

struct plan_service {
	__u32 place; /* in the table of services */
	struct service entry;
	struct service_info info;
};

struct plan_backend {
	struct backend entry;
	struct backend_info info;
	struct weight_half weight;
	__u32 coin_multiplier;
};

struct plan {
	struct layout layout;
	struct plan_service *services; /* as in the model */
	struct plan_backend *backends; /* as in the model */
	struct plan_slots *new_slots;
	size_t new_slots_count;
};

/* The slots in use, as read from the maps; the solver needs those that do not change. */
struct slots_view {
	const struct slot *slots;
	__u32 count;
};

/*
 * Bring @model up to date (table weights, slot ranges, biases) and lay it out. Candidates are made
 * anew only for services whose set of backends or base weights differ from what their slots were
 * made with, or whose wanted shares the biases cannot reach (a re-base); then the old slots stay
 * for @grace_ns after @now_ns. @seed is the one all balancers share.
 *
 * Returns 0 with @plan to be freed by plan_free(), or -ENOSPC (slots, table of services), -ENOMEM,
 * with @error filled in; @model is then half-changed and must be thrown away.
 */
int plan_make(struct model *model, const struct slots_view *view, __u64 seed, __u64 now_ns,
	      __u64 grace_ns, struct plan *plan, struct text_error *error);
void plan_free(struct plan *plan);

#endif
