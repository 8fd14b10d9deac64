/* SPDX-License-Identifier: GPL-2.0-only */
/* The way to a backend, from the kernel's routes and neighbours (rtnetlink, through libnl). */
#ifndef SLUICE_IO_NEXT_HOP_H
#define SLUICE_IO_NEXT_HOP_H

#include "../core/model.h"

struct next_hop_resolver;

/* In the network namespace of the caller. NULL with errno set when netlink fails. */
struct next_hop_resolver *next_hop_open(void);
void next_hop_close(struct next_hop_resolver *resolver);

/*
 * Ask the kernel for the route to each address, then for the neighbour on it, provoking a neighbour
 * solicitation where the entry is missing or has failed and waiting up to @wait_ms in all (not
 * each) for the answers. The outcome, a state for each, is in @hops[0..@count).
 * Returns 0, or negative errno when netlink itself fails.
 */
int next_hop_resolve(struct next_hop_resolver *resolver, const struct address *addresses,
		     size_t count, unsigned int wait_ms, struct next_hop *hops);

#endif
