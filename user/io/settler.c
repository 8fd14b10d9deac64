/* SPDX-License-Identifier: GPL-2.0-only */
#include "settler.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../kernel/apply.h"

struct settler {
	const struct maps *maps;
	void (*on_settled)(void *context);
	void *context;
	pthread_t thread;
	bool busy;
	int fd; /* readable when the thread is through */
	struct event *event;
};

static void *settle(void *context)
{
	struct settler *settler = context;

	apply_settle(settler->maps);
	eventfd_write(settler->fd, 1);
	return NULL;
}

static void finish(struct settler *settler)
{
	eventfd_t count;

	pthread_join(settler->thread, NULL);
	eventfd_read(settler->fd, &count);
	settler->busy = false;
	settler->on_settled(settler->context);
}

static void on_event(evutil_socket_t fd, short what, void *context)
{
	struct settler *settler = context;

	(void)fd;
	(void)what;
	if (settler->busy)
		finish(settler);
}

struct settler *settler_new(struct event_base *base, const struct maps *maps,
			    void (*on_settled)(void *context), void *context)
{
	struct settler *settler = calloc(1, sizeof(*settler));

	if (!settler)
		return NULL;
	settler->maps = maps;
	settler->on_settled = on_settled;
	settler->context = context;
	settler->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (settler->fd >= 0)
		settler->event =
			event_new(base, settler->fd, EV_READ | EV_PERSIST, on_event, settler);
	if (settler->event && !event_add(settler->event, NULL))
		return settler;
	settler_free(settler);
	return NULL;
}

void settler_free(struct settler *settler)
{
	if (!settler)
		return;
	settler_wait(settler);
	if (settler->event)
		event_free(settler->event);
	if (settler->fd >= 0)
		close(settler->fd);
	free(settler);
}

void settler_start(struct settler *settler)
{
	sigset_t all, before;

	/* Signals are for the loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	settler->busy = !pthread_create(&settler->thread, NULL, settle, settler);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!settler->busy) {
		apply_settle(settler->maps);
		settler->on_settled(settler->context);
	}
}

void settler_wait(struct settler *settler)
{
	/* Who hears that it has settled may publish again. */
	while (settler->busy)
		finish(settler);
}

bool settler_busy(const struct settler *settler)
{
	return settler->busy;
}
