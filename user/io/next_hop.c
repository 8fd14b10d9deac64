/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/neighbour.h>
#include <netlink/cache.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include "egress.h"
#include "next_hop.h"

#define NEIGHBOUR_KNOWN \
	(NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

/* An answer comes within a round trip or not at all: look soon, then less and less often. */
#define FIRST_LOOK_MS 1
#define LAST_LOOK_MS  20

struct next_hop_resolver {
	struct nl_sock *socket;
	struct nl_cache *links; /* devices met during one next_hop_resolve() */
	struct nl_msg *answer;  /* to the last request; NULL for a plain ACK */
	int refusal;            /* errno of a refusal of the last request, or 0 */
};

/* Where a frame to one address goes; neighbour is the gateway, or the address itself. */
struct way {
	struct nl_addr *neighbour;
	int ifindex;  /* the route's; below a VLAN device there are no neighbours */
	bool waiting; /* it has been asked for and has not answered yet */
};

/* libnl's own errors do not map onto errno one to one; what they mean here is enough. */
static int errno_of(int nl_error)
{
	switch (-nl_error) {
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	default:
		return -EIO;
	}
}

static int on_answer(struct nl_msg *message, void *context)
{
	struct next_hop_resolver *resolver = context;

	nlmsg_get(message);
	nlmsg_free(resolver->answer);
	resolver->answer = message;
	return NL_OK;
}

static int on_refusal(struct sockaddr_nl *from, struct nlmsgerr *refusal, void *context)
{
	struct next_hop_resolver *resolver = context;

	(void)from;
	resolver->refusal = -refusal->error;
	return NL_SKIP;
}

struct next_hop_resolver *next_hop_open(void)
{
	struct next_hop_resolver *resolver = calloc(1, sizeof(*resolver));
	int err = -NLE_NOMEM;

	if (!resolver)
		return NULL;
	resolver->socket = nl_socket_alloc();
	if (!resolver->socket)
		goto fail;
	err = nl_cache_alloc_name("route/link", &resolver->links);
	if (err)
		goto fail;
	err = nl_connect(resolver->socket, NETLINK_ROUTE);
	if (err)
		goto fail;
	/* Every request below has exactly one answer; an ACK behind it would be read as the next. */
	nl_socket_disable_auto_ack(resolver->socket);
	nl_socket_modify_cb(resolver->socket, NL_CB_VALID, NL_CB_CUSTOM, on_answer, resolver);
	nl_socket_modify_err_cb(resolver->socket, NL_CB_CUSTOM, on_refusal, resolver);
	return resolver;
fail:
	next_hop_close(resolver);
	errno = -errno_of(err);
	return NULL;
}

void next_hop_close(struct next_hop_resolver *resolver)
{
	if (!resolver)
		return;
	nlmsg_free(resolver->answer);
	nl_cache_free(resolver->links);
	nl_socket_free(resolver->socket);
	free(resolver);
}

/*
 * Send @message (and free it); the answer is then in @resolver. Returns 0, what the kernel says
 * against the request (a positive errno), or a negative errno when netlink fails.
 */
static int ask(struct next_hop_resolver *resolver, struct nl_msg *message)
{
	int err;

	nlmsg_free(resolver->answer);
	resolver->answer = NULL;
	resolver->refusal = 0;
	if (!message)
		return -ENOMEM;
	err = nl_send_auto(resolver->socket, message);
	nlmsg_free(message);
	if (err >= 0)
		err = nl_recvmsgs_default(resolver->socket);
	return err < 0 ? errno_of(err) : resolver->refusal;
}

static struct nl_msg *message_new(int type, int flags, void *header, size_t header_bytes,
				  int address_attribute, const struct nl_addr *address)
{
	struct nl_msg *message = nlmsg_alloc_simple(type, flags);

	if (!message)
		return NULL;
	if (nlmsg_append(message, header, header_bytes, NLMSG_ALIGNTO) ||
	    nla_put_addr(message, address_attribute, (struct nl_addr *)address)) {
		nlmsg_free(message);
		return NULL;
	}
	return message;
}

/* *@route is NULL when there is none. */
static int route_get(struct next_hop_resolver *resolver, const struct nl_addr *destination,
		     struct rtnl_route **route)
{
	struct rtmsg header = {
		.rtm_family = nl_addr_get_family(destination),
		.rtm_dst_len = nl_addr_get_prefixlen(destination),
	};
	int err = ask(resolver,
		      message_new(RTM_GETROUTE, 0, &header, sizeof(header), RTA_DST, destination));

	*route = NULL;
	if (err)
		return err < 0 ? err : 0;
	err = rtnl_route_parse(nlmsg_hdr(resolver->answer), route);
	return err < 0 ? errno_of(err) : 0;
}

static struct nl_addr *to_nl(const struct address *address)
{
	if (address_is_ipv4(address))
		return nl_addr_build(AF_INET, &address->word[3], sizeof(address->word[3]));
	return nl_addr_build(AF_INET6, address->word, sizeof(address->word));
}

static struct address from_nl(const struct nl_addr *address)
{
	struct address result = {};
	size_t bytes = nl_addr_get_len(address);

	if (bytes == sizeof(result.word[3]))
		result.word[2] = htonl(0xffff);
	memcpy((char *)&result + sizeof(result) - bytes, nl_addr_get_binary_addr(address), bytes);
	return result;
}

static enum next_hop_state state_of_type(const struct rtnl_route *route)
{
	switch (rtnl_route_get_type((struct rtnl_route *)route)) {
	case RTN_UNICAST:
		return NEXT_HOP_NO_NEIGHBOUR;
	case RTN_LOCAL:
	case RTN_ANYCAST:
		return NEXT_HOP_LOCAL;
	default:
		return NEXT_HOP_NO_ROUTE;
	}
}

static struct nl_addr *neighbour_of(struct rtnl_nexthop *nexthop, struct nl_addr *destination)
{
	struct nl_addr *gateway = rtnl_route_nh_get_gateway(nexthop);

	if (!gateway) /* an IPv4 route may go through an IPv6 router (RFC 8950) */
		gateway = rtnl_route_nh_get_via(nexthop);
	return nl_addr_get(gateway ? gateway : destination);
}

/* Everything but the neighbour's MAC address; NEXT_HOP_NO_NEIGHBOUR means that only it lacks. */
static int resolve_route(struct next_hop_resolver *resolver, const struct address *address,
			 struct next_hop *hop, struct way *way)
{
	struct nl_addr *destination = to_nl(address);
	struct rtnl_nexthop *nexthop;
	struct rtnl_route *route;
	int err;

	hop->state = NEXT_HOP_NO_ROUTE;
	if (!destination)
		return -ENOMEM;
	err = route_get(resolver, destination, &route);
	if (!route)
		goto out;
	/* Of several next hops the kernel has chosen one that is up, as it would for a packet. */
	nexthop = rtnl_route_nexthop_n(route, 0);
	if (!nexthop)
		goto out;
	hop->state = state_of_type(route);
	if (hop->state != NEXT_HOP_NO_NEIGHBOUR)
		goto out;
	way->ifindex = rtnl_route_nh_get_ifindex(nexthop);
	if (rtnl_route_get_pref_src(route))
		hop->source = from_nl(rtnl_route_get_pref_src(route));
	egress_find(resolver->socket, resolver->links, way->ifindex, route, hop);
	if (hop->state == NEXT_HOP_NO_NEIGHBOUR) {
		way->neighbour = neighbour_of(nexthop, destination);
		hop->neighbour = from_nl(way->neighbour);
	}
out:
	rtnl_route_put(route);
	nl_addr_put(destination);
	return err;
}

/* Look up or create one entry of the neighbour table. Returns like ask(). */
static int neighbour_ask(struct next_hop_resolver *resolver, int type, int flags, __u8 ndm_flags,
			 const struct way *way)
{
	struct ndmsg header = {
		.ndm_family = nl_addr_get_family(way->neighbour),
		.ndm_ifindex = way->ifindex,
		.ndm_flags = ndm_flags,
	};

	return ask(resolver,
		   message_new(type, flags, &header, sizeof(header), NDA_DST, way->neighbour));
}

/* Take the MAC address over if the neighbour is known. *@state: NUD_*, NUD_NONE without an entry. */
static int neighbour_look(struct next_hop_resolver *resolver, struct next_hop *hop,
			  const struct way *way, int *state)
{
	struct rtnl_neigh *neighbour;
	struct nl_addr *mac;
	int err = neighbour_ask(resolver, RTM_GETNEIGH, 0, 0, way);

	*state = NUD_NONE;
	if (err)
		return err < 0 ? err : 0;
	err = rtnl_neigh_parse(nlmsg_hdr(resolver->answer), &neighbour);
	if (err < 0)
		return errno_of(err);
	*state = rtnl_neigh_get_state(neighbour);
	mac = rtnl_neigh_get_lladdr(neighbour);
	if (*state & NEIGHBOUR_KNOWN && mac && nl_addr_get_len(mac) == sizeof(hop->next_hop_mac)) {
		memcpy(hop->next_hop_mac, nl_addr_get_binary_addr(mac), sizeof(hop->next_hop_mac));
		hop->state = NEXT_HOP_RESOLVED;
	}
	rtnl_neigh_put(neighbour);
	return 0;
}

/*
 * Have the kernel use the entry as if it had a packet to send. NTF_USE makes a permanent entry an
 * ordinary one, so this is never for those.
 */
static int neighbour_use(struct next_hop_resolver *resolver, const struct next_hop *hop,
			 struct way *way)
{
	int err =
		neighbour_ask(resolver, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, NTF_USE, way);

	if (err == EPERM)
		return -EPERM;
	/* Another refusal is about this one: its device is down, or the table is full. */
	way->waiting = err == 0 && hop->state != NEXT_HOP_RESOLVED;
	return err < 0 ? err : 0;
}

/*
 * A stale entry serves, but is used as well: frames sent by XDP never do that, so that without it
 * the entry of a dead neighbour would stay stale, and known, for ever.
 */
static int neighbour_begin(struct next_hop_resolver *resolver, struct next_hop *hop,
			   struct way *way)
{
	int state;
	int err = neighbour_look(resolver, hop, way, &state);

	if (err)
		return err;
	if (state == NUD_INCOMPLETE)
		way->waiting = true;
	else if (state == NUD_NONE || state & (NUD_FAILED | NUD_STALE))
		return neighbour_use(resolver, hop, way);
	return 0;
}

static int neighbour_again(struct next_hop_resolver *resolver, struct next_hop *hop,
			   struct way *way)
{
	int state;
	int err = neighbour_look(resolver, hop, way, &state);

	way->waiting = !err && state == NUD_INCOMPLETE;
	return err;
}

static __u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

static int wait_for_answers(struct next_hop_resolver *resolver, struct next_hop *hops,
			    struct way *ways, size_t count, unsigned int wait_ms)
{
	__u64 until_ms = now_ms() + wait_ms;
	__u64 pause_ms = FIRST_LOOK_MS;
	size_t waiting;
	int err;

	for (;;) {
		__u64 time_ms = now_ms();

		waiting = 0;
		for (size_t i = 0; i < count; i++) {
			if (!ways[i].waiting)
				continue;
			err = neighbour_again(resolver, &hops[i], &ways[i]);
			if (err)
				return err;
			waiting += ways[i].waiting;
		}
		if (!waiting || time_ms >= until_ms)
			return 0;
		if (pause_ms > until_ms - time_ms)
			pause_ms = until_ms - time_ms;
		poll(NULL, 0, pause_ms);
		if (pause_ms < LAST_LOOK_MS)
			pause_ms *= 2;
	}
}

int next_hop_resolve(struct next_hop_resolver *resolver, const struct address *addresses,
		     size_t count, unsigned int wait_ms, struct next_hop *hops)
{
	struct way *ways = calloc(count ? count : 1, sizeof(*ways));
	int err = 0;

	if (!ways)
		return -ENOMEM;
	memset(hops, 0, count * sizeof(*hops));
	for (size_t i = 0; i < count && !err; i++) {
		err = resolve_route(resolver, &addresses[i], &hops[i], &ways[i]);
		if (!err && ways[i].neighbour)
			err = neighbour_begin(resolver, &hops[i], &ways[i]);
	}
	if (!err)
		err = wait_for_answers(resolver, hops, ways, count, wait_ms);
	for (size_t i = 0; i < count; i++)
		nl_addr_put(ways[i].neighbour);
	free(ways);
	nl_cache_clear(resolver->links);
	return err;
}
