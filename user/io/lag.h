/* SPDX-License-Identifier: GPL-2.0-only */
/* How late an event loop is: what came up waits that long until it is seen to. */
#ifndef SLUICE_IO_LAG_H
#define SLUICE_IO_LAG_H

#include <event2/event.h>

struct lag;

/* NULL: no memory. */
struct lag *lag_new(struct event_base *base);
void lag_free(struct lag *lag);

/* Averaged over some seconds, and the longest of the last half to whole minute. */
double lag_mean_ms(const struct lag *lag);
double lag_max_ms(const struct lag *lag);

#endif
