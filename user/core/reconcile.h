/* SPDX-License-Identifier: GPL-2.0-only */
/* Making a model say what a configuration says, by the fewest changes. */
#ifndef SLUICE_CORE_RECONCILE_H
#define SLUICE_CORE_RECONCILE_H

#include "model.h"

/*
 * Change @model so that it has exactly the services and backends of @wanted. What both have stays
 * as it is, with its ids, slots and flows; a service whose VIP, port or protocol differs, or a
 * backend whose address does, is another one under the same name. A backend's weight stays as the
 * control loop left it unless its base weight differs. @now_ns: CLOCK_MONOTONIC.
 *
 * Returns 0, or what a verb of model.h returned, with @error filled in and @model half-changed.
 */
int reconcile(struct model *model, const struct model *wanted, __u64 now_ns,
	      struct text_error *error);

#endif
