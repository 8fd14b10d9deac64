/* SPDX-License-Identifier: GPL-2.0-only */
/* Loading the BPF objects and pinning what they hold. */
#ifndef SLUICE_KERNEL_OBJECT_H
#define SLUICE_KERNEL_OBJECT_H

#include <bpf/libbpf.h>

#include "../../maps/node.h"
#include "../../maps/settings.h"
#include "../core/text_error.h"

/*
 * Load the load balancer and pin its program (@pin_dir/lb) and maps. Where maps are pinned there
 * already they are used as they are, and only the program is new; @settings must then be theirs.
 * Whoever dies half-way leaves pins that maps_open() takes for nothing. Returns 0 or a negative
 * errno with @error filled in and nothing left behind.
 */
int object_load_lb(const char *pin_dir, const struct settings *settings, struct text_error *error);

/* Load the node's program and pin it at @pin_dir/node, over an older one; @gue_port is a number. */
int object_load_node(const char *pin_dir, const struct node_address *addresses, __u32 count,
		     __u16 gue_port, struct text_error *error);

/*
 * The load balancer's object with the pinned maps in it, not loaded yet: libxdp's dispatcher loads
 * programs itself. NULL with errno set on failure; the caller closes it.
 */
struct bpf_object *object_open_lb(const char *pin_dir, const struct settings *settings);

/* Whether anything can be pinned there. Returns 0, or -EINVAL with @error filled in. */
int object_check_place(const char *pin_dir, struct text_error *error);

/* Remove every pin of ours, and @pin_dir if it is empty then. Programs stay where links hold them. */
int object_unpin_all(const char *pin_dir, struct text_error *error);

#endif
