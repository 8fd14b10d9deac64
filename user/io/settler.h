/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for a publication to settle, in a thread, so that the event loop goes on meanwhile. */
#ifndef SLUICE_IO_SETTLER_H
#define SLUICE_IO_SETTLER_H

#include <event2/event.h>

#include "../kernel/maps.h"

struct settler;

/* @on_settled is called by the loop. NULL: no memory. */
struct settler *settler_new(struct event_base *base, const struct maps *maps,
			    void (*on_settled)(void *context), void *context);

/* Waits for what is under way. */
void settler_free(struct settler *settler);

/* After a publication. The maps must stay locked until it has settled. */
void settler_start(struct settler *settler);

/* Wait for it here; on_settled() has been called when this returns. */
void settler_wait(struct settler *settler);

bool settler_busy(const struct settler *settler);

#endif
