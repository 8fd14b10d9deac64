/* SPDX-License-Identifier: GPL-2.0-only */
/* VIPs, whatever the port: the entries of the map vips. */
#ifndef SLUICE_CORE_VIP_H
#define SLUICE_CORE_VIP_H

#include <stddef.h>

#include "../../maps/vip.h"

struct vip_entry {
	struct vip_key key;
	struct vip value;
};
_Static_assert(offsetof(struct vip_entry, value) == sizeof(struct vip_key),
	       "the value stands right behind its key");

struct model;

/*
 * What the map is to hold: an entry for each VIP that has a service, by key. @entries has room for
 * as many as there are services and is zeroed. Returns how many there are.
 */
size_t vip_entries(const struct model *model, struct vip_entry *entries);

#endif
