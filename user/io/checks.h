/* SPDX-License-Identifier: GPL-2.0-only */
/* The health checks of all backends, each at its interval, spread in time. */
#ifndef SLUICE_IO_CHECKS_H
#define SLUICE_IO_CHECKS_H

#include <event2/event.h>

#include "../core/config_daemon.h"
#include "../core/health.h"
#include "../core/model.h"

/* @why: "connected", "status 503", "Connection refused", ... */
typedef void checks_result(void *context, __u16 backend, enum health_check check, bool success,
			   const char *why);

struct checks;

/* NULL: no memory. */
struct checks *checks_new(struct event_base *base, checks_result *on_result, void *context);
void checks_free(struct checks *checks);

/*
 * Check the backends of @model as @config says.
 * Those that were checked in the same way before keep their time. Returns 0 or -ENOMEM, and then
 * some may not be checked.
 */
int checks_reload(struct checks *checks, const struct config_daemon *config,
		  const struct model *model);

/* What a service's backends are checked by, and at which port (0: there is none to ask). */
enum config_check checks_kind(const struct config_health *health,
			      const struct model_service *service,
			      const struct model_backend *backend, __u16 *port);

#endif
