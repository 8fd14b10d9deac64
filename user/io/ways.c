/* SPDX-License-Identifier: GPL-2.0-only */
#include "ways.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "next_hop.h"
#include "phase.h"
#include "route_watch.h"

#define IDS 65536

/* Changes come in bursts: a new route, then its neighbours. */
#define GATHER_MS 20

/* A way that is lost is looked at again before it is believed: an entry that expired comes back. */
#define DOUBT_MS 500

/*
 * All are looked at in turn within so long, since what XDP sends uses no neighbour entry, which
 * would therefore go stale, and stay so when the neighbour has died.
 */
#define ROUND_S 16

struct ways {
	struct model *model;
	void (*on_change)(void *context);
	void *context;
	struct next_hop_resolver *resolver;
	struct route_watch *watch;
	struct event *soon;  /* look at those that are marked */
	struct event *round; /* mark some more */
	unsigned int turn;
	bool *marked;   /* by backend id */
	bool *doubtful; /* it was lost when last looked at */
	__u64 changes;
	struct log_limit limit;
};

__u64 ways_changes(const struct ways *ways)
{
	return ways->changes;
}

static void look_in(struct ways *ways, unsigned int ms)
{
	struct timeval wait = timeval_of_ms(ms);

	if (!evtimer_pending(ways->soon, NULL))
		evtimer_add(ways->soon, &wait);
}

void ways_look_again(struct ways *ways)
{
	memset(ways->marked, true, IDS * sizeof(*ways->marked));
	look_in(ways, 0);
}

static void on_route(void *context)
{
	struct ways *ways = context;

	memset(ways->marked, true, IDS * sizeof(*ways->marked));
	look_in(ways, GATHER_MS);
}

static void on_neighbour(void *context, const struct address *neighbour, const __u8 *mac)
{
	struct ways *ways = context;
	bool any = false;

	for (size_t i = 0; i < ways->model->backend_count; i++) {
		const struct model_backend *backend = &ways->model->backends[i];
		const struct next_hop *hop = &backend->next_hop;
		bool resolved = hop->state == NEXT_HOP_RESOLVED;

		if (!address_equal(&hop->neighbour, neighbour) ||
		    (mac && resolved && !memcmp(hop->next_hop_mac, mac, 6)) || (!mac && !resolved))
			continue;
		ways->marked[backend->id] = true;
		any = true;
	}
	if (any)
		look_in(ways, GATHER_MS);
}

static bool same_hop(const struct next_hop *a, const struct next_hop *b)
{
	return a->state == b->state && a->egress_ifindex == b->egress_ifindex &&
	       !memcmp(a->next_hop_mac, b->next_hop_mac, 6) &&
	       !memcmp(a->egress_mac, b->egress_mac, 6) && a->mtu_bytes == b->mtu_bytes &&
	       !memcmp(a->vlan, b->vlan, sizeof(a->vlan)) && address_equal(&a->source, &b->source);
}

/* Returns whether the model is another one now. */
static bool take(struct ways *ways, struct model_backend *backend, const struct next_hop *hop)
{
	bool lost =
		backend->next_hop.state == NEXT_HOP_RESOLVED && hop->state == NEXT_HOP_NO_NEIGHBOUR;
	char text[ADDRESS_TEXT_BYTES];

	if (lost && !ways->doubtful[backend->id]) {
		ways->doubtful[backend->id] = true;
		ways->marked[backend->id] = true;
		return false;
	}
	ways->doubtful[backend->id] = false;
	if (same_hop(&backend->next_hop, hop)) {
		backend->next_hop.neighbour = hop->neighbour;
		return false;
	}
	log_say(hop->state == NEXT_HOP_RESOLVED ? LOG_INFO : LOG_WARNING,
		"backend %s at %s: next hop was %s, is %s", backend->name,
		address_format(&backend->address, text),
		next_hop_state_name(backend->next_hop.state),
		hop->state == backend->next_hop.state ? "another"
						      : next_hop_state_name(hop->state));
	backend->next_hop = *hop;
	ways->changes++;
	return true;
}

static size_t gather(struct ways *ways, struct address *addresses, size_t *which)
{
	struct model *model = ways->model;
	size_t count = 0;

	for (size_t i = 0; i < model->backend_count; i++) {
		const struct model_backend *backend = &model->backends[i];

		if (backend->state == BACKEND_GONE || !ways->marked[backend->id])
			continue;
		addresses[count] = backend->address;
		which[count++] = i;
	}
	return count;
}

static void look(evutil_socket_t fd, short what, void *context)
{
	struct ways *ways = context;
	size_t room = ways->model->backend_count + 1, count = 0;
	struct address *addresses = calloc(room, sizeof(*addresses));
	struct next_hop *hops = calloc(room, sizeof(*hops));
	size_t *which = calloc(room, sizeof(*which));
	bool changed = false, doubt = false;
	int err = -ENOMEM;

	(void)fd;
	(void)what;
	if (addresses && hops && which) {
		count = gather(ways, addresses, which);
		/* Who does not answer at once is told of by a notification. */
		err = next_hop_resolve(ways->resolver, addresses, count, 0, hops);
	}
	if (err)
		log_limited(&ways->limit, LOG_ERROR, "cannot ask the kernel for routes: %s",
			    strerror(-err));
	else
		memset(ways->marked, false, IDS * sizeof(*ways->marked));
	for (size_t i = 0; i < count && !err; i++) {
		struct model_backend *backend = &ways->model->backends[which[i]];

		changed |= take(ways, backend, &hops[i]);
		doubt |= ways->marked[backend->id];
	}
	free(addresses);
	free(hops);
	free(which);
	if (doubt || err)
		look_in(ways, DOUBT_MS);
	if (changed)
		ways->on_change(ways->context);
}

static void on_round(evutil_socket_t fd, short what, void *context)
{
	struct ways *ways = context;

	(void)fd;
	(void)what;
	ways->turn = (ways->turn + 1) % ROUND_S;
	for (size_t id = ways->turn; id < IDS; id += ROUND_S)
		ways->marked[id] = true;
	for (size_t i = 0; i < ways->model->backend_count; i++) {
		if (ways->model->backends[i].next_hop.state == NEXT_HOP_NO_NEIGHBOUR)
			ways->marked[ways->model->backends[i].id] = true;
	}
	look_in(ways, 0);
}

static int start(struct ways *ways, struct event_base *base)
{
	const struct route_watch_events events = {on_neighbour, on_route, ways};
	struct timeval second = {.tv_sec = 1};

	ways->marked = calloc(IDS, sizeof(*ways->marked));
	ways->doubtful = calloc(IDS, sizeof(*ways->doubtful));
	ways->soon = evtimer_new(base, look, ways);
	ways->round = event_new(base, -1, EV_PERSIST, on_round, ways);
	if (!ways->marked || !ways->doubtful || !ways->soon || !ways->round ||
	    event_add(ways->round, &second))
		return -ENOMEM;
	errno = 0;
	ways->resolver = next_hop_open();
	if (ways->resolver)
		ways->watch = route_watch_open(base, &events);
	return ways->watch ? 0 : -errno;
}

struct ways *ways_open(struct event_base *base, struct model *model,
		       void (*on_change)(void *context), void *context)
{
	struct ways *ways = calloc(1, sizeof(*ways));
	int err = -ENOMEM;

	if (ways) {
		ways->model = model;
		ways->on_change = on_change;
		ways->context = context;
		err = start(ways, base);
		if (!err)
			return ways;
		ways_close(ways);
	}
	errno = -err;
	return NULL;
}

void ways_close(struct ways *ways)
{
	if (!ways)
		return;
	if (ways->soon)
		event_free(ways->soon);
	if (ways->round)
		event_free(ways->round);
	route_watch_close(ways->watch);
	next_hop_close(ways->resolver);
	free(ways->marked);
	free(ways->doubtful);
	free(ways);
}
