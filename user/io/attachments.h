/* SPDX-License-Identifier: GPL-2.0-only */
/* Being attached to the devices that are configured, by commands of their own. */
#ifndef SLUICE_IO_ATTACHMENTS_H
#define SLUICE_IO_ATTACHMENTS_H

#include <event2/event.h>
#include <jansson.h>

#include "../core/config_daemon.h"

struct attachments;

/*
 * See where the program is attached, and attach it where it should be and is not. What was found and
 * done is added to @findings; then @on_done is called, and the handle is gone. NULL: no memory.
 */
struct attachments *attachments_ensure(struct event_base *base, const char *pin_dir,
				       const struct config_control *config, json_t *findings,
				       void (*on_done)(void *context), void *context);
void attachments_cancel(struct attachments *attachments);

#endif
