/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket: line-delimited JSON, a line a request, answered in order, a line each.
 *
 *	{"argv": ["backend", "add", ...], "cwd": "/root", "input": "..."}
 *		A command, done by the daemon's own program, under the same lock as ever. cwd and input
 *		(standard input) are optional. {"status": 0, "output": "...", "errors": "..."}
 *	{"request": "status"}
 *		What the daemon says of itself; see `sluice status --json`, "daemon".
 *	{"request": "watch"}
 *		A line for each text of reports, from now on: {"unix_ms": ..., "source": "udp",
 *		"report": ...}, as it came. There is no end, and no further request.
 *
 * What is none of these gets {"error": "..."}.
 */
#ifndef SLUICE_IO_CONTROL_H
#define SLUICE_IO_CONTROL_H

#include <stdbool.h>
#include <event2/event.h>
#include <jansson.h>

#include "../core/text_error.h"

#define CONTROL_LINE_BYTES_MAX (64 << 20)

struct control;

struct control_events {
	json_t *(*on_status)(void *context); /* to be released */
	void (*on_command)(void *context);   /* one has ended: the state may be another */
	void (*on_watch)(void *context, bool watched);
	void *context;
};

/* NULL with @error filled in. */
struct control *control_open(struct event_base *base, const char *pin_dir, const char *path,
			     const struct control_events *events, struct text_error *error);
void control_close(struct control *control);

/* For those that watch. */
void control_show(struct control *control, const char *source, const char *text, size_t text_bytes);

#endif
