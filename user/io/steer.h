/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state that the daemon holds the wheel of: the maps, the model that is in them, and the loop
 * whose decisions go into both. Others may change the maps as well, under the same lock; what they
 * did is taken over before anything is published on top.
 */
#ifndef SLUICE_IO_STEER_H
#define SLUICE_IO_STEER_H

#include <event2/event.h>
#include <jansson.h>

#include "../core/config.h"
#include "../core/loop.h"

struct steer;

struct steer_events {
	/* The services or backends are others now, or their addresses. */
	void (*on_model)(void *context, const struct model *model);
	/* The maps that are pinned there are not these any more: there is nothing left to steer. */
	void (*on_lost)(void *context);
	void *context;
};

/*
 * Open the maps pinned at @pin_dir, make them say what @config says, and publish that: waits for
 * locks and neighbours. @config stays where it is until steer_reload() or steer_close(), but for its
 * policy, which is taken out of it. NULL with @error filled in, and then the state is what it was.
 */
struct steer *steer_open(struct event_base *base, const char *pin_dir, struct config *config,
			 const struct steer_events *events, struct text_error *error);

/* Nothing changes in the maps: they go on forwarding. */
void steer_close(struct steer *steer);

/* As steer_open() does, but waits for no neighbour. Returns 0 or negative errno; nothing changed. */
int steer_reload(struct steer *steer, struct config *config, struct text_error *error);

enum latest_verdict steer_report(struct steer *steer, const struct report *report);

/* Somebody else may have changed the maps: see now. */
void steer_look(struct steer *steer);

/* Read everything anew, ask for all next hops again, and say what was not as it should be. */
void steer_check(struct steer *steer, json_t *findings);

const struct model *steer_model(const struct steer *steer);
const struct loop *steer_loop(const struct steer *steer);

/* Publications and how long they took; to be released. */
json_t *steer_json(const struct steer *steer);

#endif
