/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports in datagrams, as core/envelope.h has them. */
#ifndef SLUICE_IO_SOURCE_UDP_H
#define SLUICE_IO_SOURCE_UDP_H

#include <event2/event.h>

#include "../core/config_daemon.h"
#include "intake.h"

struct source_udp;

/* NULL with @error filled in. */
struct source_udp *source_udp_open(struct event_base *base, const struct config_sources *config,
				   struct intake *intake, struct text_error *error);
void source_udp_close(struct source_udp *udp);

/* Take the key from its file; on failure the one of before stays. Returns 0 or negative errno. */
int source_udp_read_key(struct source_udp *udp, const char *path, struct text_error *error);

#endif
