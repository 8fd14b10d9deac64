/* SPDX-License-Identifier: GPL-2.0-only */
/* The device that a route leaves by, and the one below it that XDP can send from. */
#ifndef SLUICE_IO_EGRESS_H
#define SLUICE_IO_EGRESS_H

#include <netlink/cache.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>

#include "../core/model.h"

/*
 * Fill in the interface, its MAC address, the MTU and the VLAN tags of @hop for frames that leave by
 * device @ifindex on @route. Devices that are not in @links are asked for through @socket and put
 * there. hop->state becomes NEXT_HOP_NOT_ETHERNET or NEXT_HOP_NO_ROUTE where there is no way.
 */
void egress_find(struct nl_sock *socket, struct nl_cache *links, int ifindex,
		 struct rtnl_route *route, struct next_hop *hop);

#endif
