/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A plan: what the maps must hold so that the packet path does what a model says. Pure; kernel/
 * apply.c stores it.
 */
#ifndef SLUICE_CORE_PLAN_H
#define SLUICE_CORE_PLAN_H

#include "../../maps/control.h"
#include "../../maps/settings.h"
#include "../../maps/slot.h"
#include "../../maps/weight.h"
#include "model.h"
#include "server_id.h"
#include "vip.h"

/* Slots to be written into a range that no generation uses. */
struct plan_slots {
	struct slot_range range;
	struct slot *slots; /* backend ids */
};

struct plan_service {
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
	struct vip_entry *vips;
	size_t vip_count;
	struct server_id_entry *server_ids;
	size_t server_id_count;
};

/* The slots map, and what of it the generation in use refers to and so must stay as it is. */
struct slots_view {
	const struct slot *slots;
	__u32 slot_count;
	struct slot_range *in_use;
	size_t in_use_count;
};

/*
 * Bring @model up to date (forget what has rested long enough, table weights, slot ranges, biases)
 * and lay it out. Candidates are made anew only for services whose set of backends or base weights
 * differ from what their slots were made with, or whose wanted shares the biases cannot reach (a
 * re-base: then the wanted weights make the table, if that at least halves the error); the old slots
 * stay for BACKEND_GRACE_NS after @now_ns (CLOCK_MONOTONIC). @tick_ns is the kernel's (a jiffy).
 *
 * Returns 0 with @plan to be freed by plan_free(), or -ENOSPC (slots, table of services), -ENOMEM,
 * with @error filled in; @model is then half-changed and must be thrown away.
 */
int plan_make(struct model *model, const struct slots_view *view, const struct settings *settings,
	      __u64 now_ns, __u64 tick_ns, struct plan *plan, struct text_error *error);
void plan_free(struct plan *plan);

#endif
