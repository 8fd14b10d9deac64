/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the model back from the maps: they are the state, nothing else is kept. */
#ifndef SLUICE_KERNEL_STATE_H
#define SLUICE_KERNEL_STATE_H

#include "../core/model.h"
#include "../core/plan.h"
#include "maps.h"

/*
 * Returns 0 with @model to be freed by model_free(), -EBADMSG when the maps contradict each other,
 * or -ENOMEM.
 */
int state_read(const struct maps *maps, struct model *model);

/* Which slots the generation in use refers to. Returns 0 with view->in_use to be freed, or -ENOMEM. */
int state_view_slots(const struct maps *maps, struct slots_view *view);

#endif
