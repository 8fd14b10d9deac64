/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports that nodes are asked for: GET of a path at every node, at an interval. */
#ifndef SLUICE_IO_SOURCE_PULL_H
#define SLUICE_IO_SOURCE_PULL_H

#include <event2/event.h>

#include "../core/config_daemon.h"
#include "../core/model.h"
#include "intake.h"

struct source_pull;

/*
 * Ask the nodes of @model, each at the address of its first backend. NULL with @error filled in. To
 * be opened anew when the model's nodes or addresses change.
 */
struct source_pull *source_pull_open(struct event_base *base, const struct config_sources *config,
				     const struct model *model, struct intake *intake,
				     struct text_error *error);
void source_pull_close(struct source_pull *pull);

#endif
