/* SPDX-License-Identifier: GPL-2.0-only */
/* Load shedding: how hot each service's nodes are, and what of its new flows is dropped for it. */
#include "steer_private.h"

#include <stdlib.h>

#include "../kernel/apply_policy.h"
#include "clock.h"
#include "phase.h"

#define INTERVAL_MS 1000

/* Of one service. */
struct shedding {
	struct shed_memory memory;
	double part;
};

struct steer_shed {
	struct steer *steer;
	struct event *timer;
	struct shedding services[SERVICES_MAX]; /* by id */
};

static void say(const struct model_service *service, double utilisation, bool begins)
{
	if (begins)
		log_say(LOG_WARNING,
			"service %s (%s): its nodes are %.0f %% full; new flows are dropped",
			service->name, priority_name(service->priority), utilisation * 100);
	else
		log_say(LOG_INFO, "service %s: new flows are not dropped any more", service->name);
}

/* What is said lasts for SHED_FOR_MS only, so it is said again and again. */
static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct steer_shed *shed = context;
	struct steer *steer = shed->steer;
	const struct model *model = &steer->model;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < model->service_count; i++) {
		const struct model_service *service = &model->services[i];
		struct shedding *shedding = &shed->services[service->id];
		double utilisation = loop_utilisation(steer->loop, service->id);
		double part = shed_part(&steer->config->daemon.shed, &shedding->memory,
					service->priority, utilisation, clock_steady_ms());

		if (part > 0 || shedding->part > 0)
			apply_shed(&steer->maps, service->id, part, SHED_FOR_MS);
		if ((part > 0) != (shedding->part > 0))
			say(service, utilisation, part > 0);
		shedding->part = part;
	}
}

struct steer_shed *steer_shed_open(struct steer *steer)
{
	struct steer_shed *shed = calloc(1, sizeof(*shed));
	struct timeval interval = timeval_of_ms(INTERVAL_MS);

	if (!shed)
		return NULL;
	shed->steer = steer;
	shed->timer = event_new(steer->base, -1, EV_PERSIST, on_timer, shed);
	if (shed->timer && !event_add(shed->timer, &interval))
		return shed;
	steer_shed_close(shed);
	return NULL;
}

void steer_shed_close(struct steer_shed *shed)
{
	if (!shed)
		return;
	if (shed->timer)
		event_free(shed->timer);
	free(shed);
}
