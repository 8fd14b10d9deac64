/* SPDX-License-Identifier: GPL-2.0-only */
/* What a steer is made of; for steer*.c only. */
#ifndef SLUICE_IO_STEER_PRIVATE_H
#define SLUICE_IO_STEER_PRIVATE_H

#include <limits.h>
#include <sys/types.h>

#include "../kernel/maps.h"
#include "checks.h"
#include "log.h"
#include "settler.h"
#include "steer.h"
#include "ways.h"

struct steer {
	struct event_base *base;
	const struct config *config;
	struct steer_events events;
	char pin_dir[PATH_MAX];
	ino_t pin; /* of the map "control" */
	struct maps maps;
	struct model model;
	struct loop *loop;
	struct checks *checks;
	struct ways *ways;
	struct settler *settler;
	struct event *tick;
	struct steer_flows *flows;
	struct steer_shed *shed;
	bool ways_changed; /* since the last publication */
	bool due;          /* a publication that had to wait */
	bool told;         /* the loop has been told of the backends once */
	struct log_limit limit;

	__u64 publications;
	__u64 refused; /* of them */
	int64_t publish_ns;
	int64_t publish_max_ns;
	int64_t settle_from_ns;
	int64_t settle_ns;
	int64_t settle_max_ns;
};

/* Read the model from the maps, which are locked. Returns 0 or negative errno; the model stays. */
int steer_read(struct steer *steer);

/* The model has others in it: tell everybody who works with it. */
void steer_spread(struct steer *steer);

/* Of them, only the loop. Returns 0 or negative errno. */
int steer_tell_loop(struct steer *steer);

/* Make the configuration's the model's, and publish; the maps are locked. */
int steer_reconcile(struct steer *steer, const struct config *config, unsigned int wait_ms,
		    struct text_error *error);

/*
 * Make the configuration's policy fit to be published in place of the one in force; the maps are
 * locked. *@policy is NULL when the configuration has none. Refused when it would cut an SSH session.
 */
int steer_reconcile_policy(struct steer *steer, struct config *config, struct policy **policy,
			   struct text_error *error);

/* Tell the loop once a second what flows show of their backends. NULL: no memory. */
struct steer_flows *steer_flows_open(struct steer *steer);
void steer_flows_close(struct steer_flows *flows);

/* Say once a second what part of the services' new flows is shed. NULL: no memory. */
struct steer_shed *steer_shed_open(struct steer *steer);
void steer_shed_close(struct steer_shed *shed);

/* Whether the loop's decisions are worth a publication; if so, or when one is due, publish. */
void steer_decide(struct steer *steer);

#endif
