/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of services: a key under which no two services stand in the same place. */
#ifndef SLUICE_CORE_LAYOUT_H
#define SLUICE_CORE_LAYOUT_H

#include "../../maps/control.h"
#include "model.h"

/*
 * Find such a key and each service's place (@places[0..@count)). Deterministic: the same services
 * get the same places, in whatever order. Returns 0, or -ENOSPC when no key was found (not below
 * SERVICES_MAX services, in practice).
 */
int layout_make(const struct model_service *services, size_t count, __u64 seed,
		struct layout *layout, __u32 *places);

#endif
