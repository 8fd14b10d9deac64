/* SPDX-License-Identifier: GPL-2.0-only */
#include "egress.h"

#include <stdint.h>
#include <string.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <netlink/addr.h>
#include <netlink/route/link/vlan.h>

#define VLAN_TAGS_MAX (sizeof(((struct next_hop *)0)->vlan) / sizeof(__u16))

static struct rtnl_link *link_get(struct nl_sock *socket, struct nl_cache *links, int ifindex)
{
	struct rtnl_link *link = rtnl_link_get(links, ifindex);

	if (link || rtnl_link_get_kernel(socket, ifindex, NULL, &link))
		return link;
	nl_cache_add(links, (struct nl_object *)link);
	return link;
}

/* The device's MTU, or less where the route (or a path MTU discovered on it) says so. */
static __u16 mtu_of(struct rtnl_route *route, struct rtnl_link *link)
{
	__u32 mtu_bytes = rtnl_link_get_mtu(link);
	__u32 route_bytes;

	if (!rtnl_route_get_metric(route, RTAX_MTU, &route_bytes) && route_bytes &&
	    route_bytes < mtu_bytes)
		mtu_bytes = route_bytes;
	return mtu_bytes < 0xffff ? mtu_bytes : 0xffff;
}

/* Without a MAC address frames cannot be written for a device. */
static bool take_mac(struct rtnl_link *link, struct next_hop *hop)
{
	struct nl_addr *mac = rtnl_link_get_addr(link);

	if (rtnl_link_get_arptype(link) != ARPHRD_ETHER || !mac ||
	    nl_addr_get_len(mac) != sizeof(hop->egress_mac))
		return false;
	memcpy(hop->egress_mac, nl_addr_get_binary_addr(mac), sizeof(hop->egress_mac));
	return true;
}

static bool is_in_another_namespace(struct rtnl_link *link)
{
	int32_t id;

	return !rtnl_link_get_link_netnsid(link, &id);
}

/*
 * XDP redirects to no VLAN device: frames go to the one below it. Each step down puts another tag
 * outside. The packet path reads frames of as many tags as there is room for.
 */
static struct rtnl_link *step_down(struct nl_sock *socket, struct nl_cache *links,
				   struct rtnl_link *vlan, struct next_hop *hop)
{
	struct rtnl_link *lower = NULL;

	if (!hop->vlan[VLAN_TAGS_MAX - 1] && !is_in_another_namespace(vlan))
		lower = link_get(socket, links, rtnl_link_get_link(vlan));
	if (!lower) {
		hop->state = NEXT_HOP_NO_ROUTE;
		return NULL;
	}
	hop->egress_ifindex = rtnl_link_get_ifindex(lower);
	memmove(&hop->vlan[1], &hop->vlan[0], sizeof(hop->vlan) - sizeof(hop->vlan[0]));
	hop->vlan[0] = rtnl_link_vlan_get_id(vlan);
	return lower;
}

void egress_find(struct nl_sock *socket, struct nl_cache *links, int ifindex,
		 struct rtnl_route *route, struct next_hop *hop)
{
	struct rtnl_link *link = link_get(socket, links, ifindex);
	struct rtnl_link *lower;

	hop->egress_ifindex = ifindex;
	if (!link) {
		hop->state = NEXT_HOP_NO_ROUTE; /* the device is gone, and the route with it */
		return;
	}
	hop->mtu_bytes = mtu_of(route, link);
	if (!take_mac(link, hop))
		hop->state = NEXT_HOP_NOT_ETHERNET;
	while (link && rtnl_link_is_vlan(link)) {
		lower = step_down(socket, links, link, hop);
		rtnl_link_put(link);
		link = lower;
	}
	rtnl_link_put(link);
}
