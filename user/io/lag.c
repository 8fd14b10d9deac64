/* SPDX-License-Identifier: GPL-2.0-only */
#include "lag.h"

#include <stdlib.h>

#include "clock.h"
#include "phase.h"

#define PERIOD_MS 50
#define SPAN_MS   30000
#define MEAN_PART 0.02 /* of a new sample */

struct lag {
	struct event *event;
	int64_t due_ns;
	int64_t span_ms; /* when the present span began */
	double mean_ms;
	double max_ms[2]; /* of the present span, and of the one before */
};

static void on_due(evutil_socket_t fd, short what, void *context)
{
	struct timeval period = timeval_of_ms(PERIOD_MS);
	struct lag *lag = context;
	int64_t now_ns = clock_steady_ns();
	double late_ms = (now_ns - lag->due_ns) / 1e6;

	(void)fd;
	(void)what;
	if (now_ns / 1000000 - lag->span_ms > SPAN_MS) {
		lag->max_ms[1] = lag->max_ms[0];
		lag->max_ms[0] = 0;
		lag->span_ms = now_ns / 1000000;
	}
	if (late_ms < 0)
		late_ms = 0;
	lag->mean_ms += (late_ms - lag->mean_ms) * MEAN_PART;
	if (late_ms > lag->max_ms[0])
		lag->max_ms[0] = late_ms;
	lag->due_ns = now_ns + PERIOD_MS * 1000000;
	evtimer_add(lag->event, &period);
}

struct lag *lag_new(struct event_base *base)
{
	struct lag *lag = calloc(1, sizeof(*lag));

	if (!lag)
		return NULL;
	lag->event = evtimer_new(base, on_due, lag);
	lag->due_ns = clock_steady_ns();
	lag->span_ms = lag->due_ns / 1000000;
	if (lag->event && !evtimer_add(lag->event, &(struct timeval){}))
		return lag;
	lag_free(lag);
	return NULL;
}

void lag_free(struct lag *lag)
{
	if (!lag)
		return;
	if (lag->event)
		event_free(lag->event);
	free(lag);
}

double lag_mean_ms(const struct lag *lag)
{
	return lag->mean_ms;
}

double lag_max_ms(const struct lag *lag)
{
	return lag->max_ms[0] > lag->max_ms[1] ? lag->max_ms[0] : lag->max_ms[1];
}
