/* SPDX-License-Identifier: GPL-2.0-only */
#include "source_unix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unix_socket.h"

/* More than a datagram can have by default (net.core.wmem_default). */
#define TEXT_BYTES_MAX (256 << 10)

#define BATCH 32

struct source_unix {
	int fd;
	struct event *event;
	struct intake *intake;
	char path[UNIX_PATH_BYTES];
	char text[TEXT_BYTES_MAX];
};

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct source_unix *source = context;
	struct text_error error;
	ssize_t bytes;
	int i;

	(void)what;
	for (i = 0; i < BATCH; i++) {
		bytes = recv(fd, source->text, sizeof(source->text), MSG_DONTWAIT | MSG_TRUNC);
		if (bytes < 0)
			return;
		if ((size_t)bytes > sizeof(source->text))
			intake_refuse(source->intake, SOURCE_UNIX,
				      &source->intake->counters[SOURCE_UNIX].malformed,
				      source->path, "longer than 262144 bytes");
		else
			intake_text(source->intake, SOURCE_UNIX, source->path, source->text, bytes,
				    &error);
	}
}

struct source_unix *source_unix_open(struct event_base *base, const char *path,
				     struct intake *intake, struct text_error *error)
{
	struct source_unix *source = calloc(1, sizeof(*source));

	text_refuse(error, -ENOMEM, NULL, "out of memory");
	if (!source)
		return NULL;
	source->intake = intake;
	source->fd = unix_socket_bind(path, SOCK_DGRAM, error);
	if (source->fd < 0)
		goto fail;
	strcpy(source->path, path);
	source->event = event_new(base, source->fd, EV_READ | EV_PERSIST, on_readable, source);
	if (source->event && !event_add(source->event, NULL))
		return source;
fail:
	source_unix_close(source);
	return NULL;
}

void source_unix_close(struct source_unix *source)
{
	if (!source)
		return;
	if (source->event)
		event_free(source->event);
	if (source->fd >= 0)
		close(source->fd);
	if (*source->path)
		unlink(source->path);
	free(source);
}
