/* SPDX-License-Identifier: GPL-2.0-only */
#include "steer_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../kernel/apply.h"
#include "../kernel/state.h"
#include "clock.h"
#include "phase.h"

/* How long neighbours may take to answer at the start, all together. */
#define NEIGHBOUR_WAIT_MS 1500

static ino_t pin_of(const char *pin_dir)
{
	char path[PATH_MAX];
	struct stat pin;

	snprintf(path, sizeof(path), "%s/control", pin_dir);
	return stat(path, &pin) ? 0 : pin.st_ino;
}

int steer_read(struct steer *steer)
{
	struct model fresh;
	int err = state_read(&steer->maps, &fresh);

	if (err)
		return err;
	model_free(&steer->model);
	steer->model = fresh;
	/* Whose neighbours they have is not in the maps. */
	if (steer->ways)
		ways_look_again(steer->ways);
	return 0;
}

static void follow(struct steer *steer)
{
	for (size_t i = 0; i < steer->model.backend_count; i++) {
		struct model_backend *backend = &steer->model.backends[i];
		const struct loop_decision *decision = loop_decision(steer->loop, backend->id);

		if (backend->state == BACKEND_GONE || !decision)
			continue;
		backend->weight_milli = decision->weight_milli;
		backend->failed = backend->state == BACKEND_UP && decision->state == BACKEND_DOWN;
		memcpy(backend->reason, decision->reason, sizeof(backend->reason));
	}
}

static void unlock(struct steer *steer)
{
	maps_lock(&steer->maps, MAPS_UNLOCKED);
}

static void on_settled(void *context)
{
	struct steer *steer = context;

	steer->settle_ns = clock_steady_ns() - steer->settle_from_ns;
	if (steer->settle_ns > steer->settle_max_ns)
		steer->settle_max_ns = steer->settle_ns;
	unlock(steer);
	if (steer->due)
		steer_decide(steer);
}

/* The maps are locked, and stay so until it has settled. @policy NULL: it stays. */
static int put(struct steer *steer, struct policy *policy, struct text_error *error)
{
	int64_t from_ns = clock_steady_ns();
	int err = apply_publish_both(&steer->maps, &steer->model, policy, error);

	steer->publish_ns = clock_steady_ns() - from_ns;
	if (steer->publish_ns > steer->publish_max_ns)
		steer->publish_max_ns = steer->publish_ns;
	if (err) {
		steer->refused++;
		return err;
	}
	steer->publications++;
	steer->ways_changed = false;
	steer->due = false;
	steer->settle_from_ns = from_ns + steer->publish_ns;
	return 0;
}

/* The model says what @config does already. */
static int put_config(struct steer *steer, struct config *config, struct text_error *error)
{
	struct policy *policy;
	int err = steer_reconcile_policy(steer, config, &policy, error);

	if (!err)
		err = put(steer, policy, error);
	if (!err)
		policy_free(&config->policy); /* it is in the maps, and may be large */
	return err;
}

/* Somebody else's change comes first. The maps are locked. */
static int take_over(struct steer *steer)
{
	int err;

	if (steer->maps.control->generation == steer->model.generation)
		return 0;
	err = steer_read(steer);
	if (err)
		log_limited(&steer->limit, LOG_ERROR, "cannot read the state at %s: %s",
			    steer->pin_dir,
			    err == -EBADMSG ? "the maps contradict each other" : strerror(-err));
	else
		steer_spread(steer);
	return err;
}

void steer_look(struct steer *steer)
{
	if (steer->maps.control->generation == steer->model.generation ||
	    settler_busy(steer->settler) || maps_lock(&steer->maps, MAPS_EXCLUSIVE_NOW))
		return;
	take_over(steer);
	unlock(steer);
}

static void publish(struct steer *steer)
{
	struct text_error error;

	steer->due = true;
	/* Whoever has the lock will be done before long; the next tick comes sooner than that. */
	if (settler_busy(steer->settler) || maps_lock(&steer->maps, MAPS_EXCLUSIVE_NOW))
		return;
	if (take_over(steer)) {
		unlock(steer);
		return;
	}
	loop_tick(steer->loop, clock_steady_ms());
	follow(steer);
	if (put(steer, NULL, &error)) {
		log_limited(&steer->limit, LOG_ERROR, "cannot publish: %s", error.what);
		steer_read(steer); /* it is half-changed */
		unlock(steer);
		return;
	}
	loop_published(steer->loop);
	settler_start(steer->settler);
}

void steer_decide(struct steer *steer)
{
	bool worth = loop_tick(steer->loop, clock_steady_ms());

	if (worth || steer->ways_changed || steer->due)
		publish(steer);
}

enum latest_verdict steer_report(struct steer *steer, const struct report *report)
{
	return loop_report(steer->loop, report, clock_steady_ms(), clock_wall_ms());
}

static void on_ways(void *context)
{
	struct steer *steer = context;

	steer->ways_changed = true;
	steer_tell_loop(steer);
	steer_decide(steer);
}

static void on_check(void *context, __u16 backend, enum health_check check, bool success,
		     const char *why)
{
	struct steer *steer = context;
	const struct loop_decision *decision = loop_decision(steer->loop, backend);
	enum backend_state before = decision ? decision->state : BACKEND_FREE;

	loop_check(steer->loop, backend, check, success, clock_steady_ms());
	steer_decide(steer);
	decision = loop_decision(steer->loop, backend);
	if (!decision || decision->state == before)
		return;
	for (size_t i = 0; i < steer->model.backend_count; i++) {
		const struct model_backend *of = &steer->model.backends[i];

		if (of->id == backend)
			log_say(success ? LOG_INFO : LOG_WARNING, "backend %s on %s is %s: %s",
				of->name, of->node, success ? "up" : "down", why);
	}
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
	struct steer *steer = context;

	(void)fd;
	(void)what;
	if (pin_of(steer->pin_dir) != steer->pin) {
		steer->events.on_lost(steer->events.context);
		return;
	}
	steer_look(steer);
	steer_decide(steer);
}

static int start(struct steer *steer)
{
	struct timeval interval = timeval_of_ms(LOOP_TICK_MS);

	steer->loop = loop_new();
	steer->checks = checks_new(steer->base, on_check, steer);
	steer->settler = settler_new(steer->base, &steer->maps, on_settled, steer);
	steer->tick = event_new(steer->base, -1, EV_PERSIST, on_tick, steer);
	steer->flows = steer_flows_open(steer);
	steer->shed = steer_shed_open(steer);
	if (!steer->loop || !steer->checks || !steer->settler || !steer->tick || !steer->flows ||
	    !steer->shed || event_add(steer->tick, &interval))
		return -ENOMEM;
	steer->ways = ways_open(steer->base, &steer->model, on_ways, steer);
	return steer->ways ? 0 : -errno;
}

struct steer *steer_open(struct event_base *base, const char *pin_dir, struct config *config,
			 const struct steer_events *events, struct text_error *error)
{
	struct steer *steer = calloc(1, sizeof(*steer));
	int err;

	text_refuse(error, -ENOMEM, NULL, "out of memory");
	if (!steer)
		return NULL;
	steer->base = base;
	steer->config = config;
	steer->events = *events;
	snprintf(steer->pin_dir, sizeof(steer->pin_dir), "%s", pin_dir);
	if (maps_open(pin_dir, true, &steer->maps, error)) {
		free(steer);
		return NULL;
	}
	steer->pin = pin_of(pin_dir);
	err = steer_read(steer);
	if (err)
		text_refuse(error, err, NULL, "cannot read the state at %s: %s", pin_dir,
			    err == -EBADMSG ? "the maps contradict each other" : strerror(-err));
	else
		err = start(steer);
	if (!err)
		err = steer_reconcile(steer, config, NEIGHBOUR_WAIT_MS, error);
	if (!err)
		err = put_config(steer, config, error);
	if (err) {
		steer_close(steer);
		return NULL;
	}
	apply_settle(&steer->maps);
	unlock(steer);
	steer_spread(steer);
	return steer;
}

void steer_close(struct steer *steer)
{
	if (!steer)
		return;
	steer->due = false;
	settler_free(steer->settler);
	steer_flows_close(steer->flows);
	steer_shed_close(steer->shed);
	checks_free(steer->checks);
	ways_close(steer->ways);
	if (steer->tick)
		event_free(steer->tick);
	loop_free(steer->loop);
	model_free(&steer->model);
	maps_close(&steer->maps);
	free(steer);
}

int steer_reload(struct steer *steer, struct config *config, struct text_error *error)
{
	int err;

	settler_wait(steer->settler);
	err = maps_lock(&steer->maps, MAPS_EXCLUSIVE);
	if (err)
		return text_refuse(error, err, NULL, "cannot lock %s: %s", steer->pin_dir,
				   strerror(-err));
	err = steer_read(steer);
	if (err)
		text_refuse(error, err, NULL, "cannot read the state at %s: %s", steer->pin_dir,
			    strerror(-err));
	else
		err = steer_reconcile(steer, config, 0, error);
	if (!err)
		err = put_config(steer, config, error);
	if (err) {
		steer_read(steer); /* it is half-changed */
		unlock(steer);
		return err;
	}
	steer->config = config;
	settler_start(steer->settler);
	steer_spread(steer);
	return 0;
}

const struct model *steer_model(const struct steer *steer)
{
	return &steer->model;
}

const struct loop *steer_loop(const struct steer *steer)
{
	return steer->loop;
}
