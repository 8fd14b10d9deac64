/* SPDX-License-Identifier: GPL-2.0-only */
#include "route_watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#define NEIGHBOUR_GONE (NUD_FAILED | NUD_INCOMPLETE)

struct route_watch {
	struct nl_sock *socket;
	struct event *event;
	struct route_watch_events events;
};

static bool take_address(const struct nlattr *attribute, int family, struct address *address)
{
	size_t bytes = family == AF_INET ? 4 : 16;

	if (!attribute || (size_t)nla_len(attribute) < bytes)
		return false;
	*address = (struct address){};
	if (family == AF_INET)
		address->word[2] = htonl(0xffff);
	memcpy((char *)address + sizeof(*address) - bytes, nla_data(attribute), bytes);
	return true;
}

static void take_neighbour(struct route_watch *watch, struct nlmsghdr *header)
{
	struct nlattr *attributes[NDA_MAX + 1];
	const struct ndmsg *neighbour = nlmsg_data(header);
	const struct nlattr *mac;
	struct address address;
	bool gone;

	if (nlmsg_parse(header, sizeof(*neighbour), attributes, NDA_MAX, NULL) < 0 ||
	    (neighbour->ndm_family != AF_INET && neighbour->ndm_family != AF_INET6) ||
	    !take_address(attributes[NDA_DST], neighbour->ndm_family, &address))
		return;
	mac = attributes[NDA_LLADDR];
	gone = header->nlmsg_type == RTM_DELNEIGH || neighbour->ndm_state & NEIGHBOUR_GONE ||
	       !mac || nla_len(mac) != 6;
	watch->events.on_neighbour(watch->events.context, &address, gone ? NULL : nla_data(mac));
}

static int on_message(struct nl_msg *message, void *context)
{
	struct route_watch *watch = context;
	struct nlmsghdr *header = nlmsg_hdr(message);

	switch (header->nlmsg_type) {
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		take_neighbour(watch, header);
		break;
	default:
		watch->events.on_route(watch->events.context);
	}
	return NL_OK;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct route_watch *watch = context;
	int err = nl_recvmsgs_default(watch->socket);

	(void)fd;
	(void)what;
	/* More came than the socket holds (ENOBUFS, which libnl calls so). */
	if (err == -NLE_NOMEM)
		watch->events.on_route(watch->events.context);
}

static int join(struct nl_sock *socket)
{
	static const int groups[] = {
		RTNLGRP_NEIGH,       RTNLGRP_IPV4_ROUTE,  RTNLGRP_IPV6_ROUTE,
		RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_LINK,
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]) && !err; i++)
		err = nl_socket_add_membership(socket, groups[i]);
	return err;
}

struct route_watch *route_watch_open(struct event_base *base,
				     const struct route_watch_events *events)
{
	struct route_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->events = *events;
	watch->socket = nl_socket_alloc();
	if (!watch->socket)
		goto fail;
	nl_socket_disable_seq_check(watch->socket); /* notifications answer nothing */
	nl_socket_modify_cb(watch->socket, NL_CB_VALID, NL_CB_CUSTOM, on_message, watch);
	if (nl_connect(watch->socket, NETLINK_ROUTE) || join(watch->socket) ||
	    nl_socket_set_nonblocking(watch->socket))
		goto fail;
	watch->event = event_new(base, nl_socket_get_fd(watch->socket), EV_READ | EV_PERSIST,
				 on_readable, watch);
	if (watch->event && !event_add(watch->event, NULL))
		return watch;
fail:
	route_watch_close(watch);
	errno = EIO;
	return NULL;
}

void route_watch_close(struct route_watch *watch)
{
	if (!watch)
		return;
	if (watch->event)
		event_free(watch->event);
	nl_socket_free(watch->socket);
	free(watch);
}
