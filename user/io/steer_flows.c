/* SPDX-License-Identifier: GPL-2.0-only */
/* What the packet path sees of backends' health: whether SYNs are answered. */
#include "steer_private.h"

#include <stdlib.h>
#include <string.h>

#include "../kernel/counters.h"
#include "clock.h"
#include "phase.h"

#define INTERVAL_MS 1000

/* Of one backend. */
struct watched {
	struct backend_counters before;
	struct health_flows shown; /* since then */
	bool known;                /* before was read */
	bool had_failed;
	bool lost; /* it failed by what its flows showed */
};

struct steer_flows {
	struct steer *steer;
	struct event *timer;
	struct watched *watched;      /* by backend id */
	struct backend_counters *now; /* likewise */
	struct log_limit limit;
};

static bool has_failed(const struct steer *steer, const struct model_backend *backend)
{
	const struct loop_decision *decision = loop_decision(steer->loop, backend->id);

	return backend->state == BACKEND_UP && decision && decision->state == BACKEND_DOWN;
}

static void watch(struct steer_flows *flows, const struct model_backend *backend)
{
	const struct backend_counters *now = &flows->now[backend->id];
	struct watched *watched = &flows->watched[backend->id];
	const struct backend_counters before = watched->before;

	watched->before = *now;
	watched->had_failed = has_failed(flows->steer, backend);
	watched->shown = (struct health_flows){
		.new_flows = now->new_flows - before.new_flows,
		.syn_retransmits = now->syn_retransmits - before.syn_retransmits,
		.established = now->established - before.established,
	};
	if (watched->known)
		loop_flows(flows->steer->loop, backend->id, &watched->shown, clock_steady_ms());
	watched->known = true;
}

static void say_change(struct steer_flows *flows, const struct model_backend *backend)
{
	struct watched *watched = &flows->watched[backend->id];
	bool failed = has_failed(flows->steer, backend);

	if (failed && !watched->had_failed) {
		watched->lost = true;
		log_say(LOG_WARNING,
			"backend %s on %s is down: its clients get no answer; in the last second "
			"%llu new flows, %llu SYNs repeated, %llu established",
			backend->name, backend->node, watched->shown.new_flows,
			watched->shown.syn_retransmits, watched->shown.established);
	} else if (watched->lost && !failed) {
		watched->lost = false;
		log_say(LOG_INFO, "backend %s on %s is tried again", backend->name, backend->node);
	}
}

static void for_each(struct steer_flows *flows,
		     void (*each)(struct steer_flows *flows, const struct model_backend *backend))
{
	const struct model *model = &flows->steer->model;

	for (size_t i = 0; i < model->backend_count; i++) {
		if (model->backends[i].state == BACKEND_GONE)
			flows->watched[model->backends[i].id] = (struct watched){};
		else
			each(flows, &model->backends[i]);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct steer_flows *flows = context;
	struct steer *steer = flows->steer;
	__u32 count = 0;
	int err;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < steer->model.backend_count; i++) {
		if (steer->model.backends[i].id >= count)
			count = steer->model.backends[i].id + 1;
	}
	err = counters_backends(&steer->maps, count, flows->now);
	if (err) {
		log_limited(&flows->limit, LOG_ERROR, "cannot read the backends' counters: %s",
			    strerror(-err));
		return;
	}
	for_each(flows, watch);
	steer_decide(steer);
	for_each(flows, say_change);
}

struct steer_flows *steer_flows_open(struct steer *steer)
{
	struct steer_flows *flows = calloc(1, sizeof(*flows));
	struct timeval interval = timeval_of_ms(INTERVAL_MS);

	if (!flows)
		return NULL;
	flows->steer = steer;
	flows->watched = calloc(steer->maps.settings->backends_max, sizeof(*flows->watched));
	flows->now = calloc(steer->maps.settings->backends_max, sizeof(*flows->now));
	flows->timer = event_new(steer->base, -1, EV_PERSIST, on_timer, flows);
	if (flows->watched && flows->now && flows->timer && !event_add(flows->timer, &interval))
		return flows;
	steer_flows_close(flows);
	return NULL;
}

void steer_flows_close(struct steer_flows *flows)
{
	if (!flows)
		return;
	if (flows->timer)
		event_free(flows->timer);
	free(flows->watched);
	free(flows->now);
	free(flows);
}
