/* SPDX-License-Identifier: GPL-2.0-only */
/* From what nodes report to the weights of all the backends that live on them. */
#ifndef SLUICE_CORE_TOPOLOGY_H
#define SLUICE_CORE_TOPOLOGY_H

#include "model.h"
#include "weight.h"

/*
 * Decide the weight of every live backend of @model, in its order, into
 * @decisions[0..model->backend_count); all 0 for those that are gone. A service that has somebody to
 * take its flows and would have nobody keeps its weights. Returns 0 or -ENOMEM. Nothing is changed.
 */
int topology_decide(const struct model *model, const struct report *reports, size_t report_count,
		    enum weight_policy policy, const struct weight_config *config,
		    const char *region, int64_t now_ms, struct weight_decision *decisions);

/* Take the decisions over into the model. */
void topology_follow(struct model *model, const struct weight_decision *decisions);

/* Does a backend live on this node? */
bool topology_knows(const struct model *model, const char *node);

#endif
