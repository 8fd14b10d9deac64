/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports by HTTP: POST /v1/reports. */
#ifndef SLUICE_IO_SOURCE_HTTP_H
#define SLUICE_IO_SOURCE_HTTP_H

#include <event2/event.h>

#include "../core/config_daemon.h"
#include "intake.h"

struct source_http;

/* NULL with @error filled in. */
struct source_http *source_http_open(struct event_base *base, const struct config_sources *config,
				     struct intake *intake, struct text_error *error);
void source_http_close(struct source_http *http);

/* Take the key from its file ("": there is none); on failure the one of before stays. */
int source_http_read_key(struct source_http *http, const char *path, struct text_error *error);

#endif
