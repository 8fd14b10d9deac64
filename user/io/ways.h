/* SPDX-License-Identifier: GPL-2.0-only */
/* The next hops of a model's backends, kept up to date with the kernel's routes and neighbours. */
#ifndef SLUICE_IO_WAYS_H
#define SLUICE_IO_WAYS_H

#include <event2/event.h>

#include "../core/model.h"

struct ways;

/*
 * @model stays where it is; what is in it may change between two calls of the loop. @on_change is
 * called when a backend's next hop in it has become another one. NULL with errno set.
 */
struct ways *ways_open(struct event_base *base, struct model *model,
		       void (*on_change)(void *context), void *context);
void ways_close(struct ways *ways);

/* Look at all of them soon, such as after the model was read anew. */
void ways_look_again(struct ways *ways);

/* How often a next hop was another one than before. */
__u64 ways_changes(const struct ways *ways);

#endif
