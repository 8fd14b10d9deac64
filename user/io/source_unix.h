/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports in datagrams of a unix socket: whoever may write to it is believed. */
#ifndef SLUICE_IO_SOURCE_UNIX_H
#define SLUICE_IO_SOURCE_UNIX_H

#include <event2/event.h>

#include "intake.h"

struct source_unix;

/* A socket that is there is replaced. NULL with @error filled in. */
struct source_unix *source_unix_open(struct event_base *base, const char *path,
				     struct intake *intake, struct text_error *error);
void source_unix_close(struct source_unix *source);

#endif
