/* SPDX-License-Identifier: GPL-2.0-only */
/* All sources of reports that a configuration names. */
#ifndef SLUICE_IO_SOURCES_H
#define SLUICE_IO_SOURCES_H

#include <event2/event.h>

#include "../core/config_daemon.h"
#include "../core/model.h"
#include "intake.h"

struct sources {
	struct event_base *base;
	struct intake *intake;
	const char *unix_default; /* path of the unix socket where none is named */
	struct config_sources config;
	struct source_udp *udp;
	struct source_unix *local;
	struct source_http *http;
	struct source_file *file;
	struct source_pull *pull;
};

/*
 * Open those of @config; where nothing differs they stay open, and only read their
 * keys again. @sources has base, intake and
 * unix_default. Returns 0, or negative errno with @error filled in, and then those of before are
 * open, as far as they can be.
 */
int sources_open(struct sources *sources, const struct config_sources *config,
		 const struct model *model, struct text_error *error);
void sources_close(struct sources *sources);

/* The nodes, or their addresses, are others. */
void sources_follow(struct sources *sources, const struct model *model);

#endif
