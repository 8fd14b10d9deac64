/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel tells of changes of its routes and neighbours (rtnetlink, through libnl). */
#ifndef SLUICE_IO_ROUTE_WATCH_H
#define SLUICE_IO_ROUTE_WATCH_H

#include <stdbool.h>
#include <event2/event.h>

#include "../core/address.h"

struct route_watch_events {
	/* @mac: 6 bytes, NULL when nobody answers there any more. */
	void (*on_neighbour)(void *context, const struct address *neighbour, const __u8 *mac);
	/* A route, an address or a device has changed, or messages were lost: all may be new. */
	void (*on_route)(void *context);
	void *context;
};

struct route_watch;

/* In the network namespace of the caller. NULL with errno set. */
struct route_watch *route_watch_open(struct event_base *base,
				     const struct route_watch_events *events);
void route_watch_close(struct route_watch *watch);

#endif
