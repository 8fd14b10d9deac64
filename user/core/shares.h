/* SPDX-License-Identifier: GPL-2.0-only */
/* Which part of a service's new flows each backend should get, and gets. */
#ifndef SLUICE_CORE_SHARES_H
#define SLUICE_CORE_SHARES_H

#include "model.h"
#include "plan.h"

struct share {
	double wanted;	/* 0..1, by weight, state and reachability */
	double by_slots; /* 0..1, what slots and biases give */
};

/*
 * For each backend of the model (in its order), into @shares[0..model->backend_count).
 * Returns 0 or -ENOMEM.
 */
int shares_compute(const struct model *model, const struct slots_view *view, struct share *shares);

#endif
