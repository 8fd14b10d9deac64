/* SPDX-License-Identifier: GPL-2.0-only */
#include "source_file.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "file.h"

#define FILE_BYTES_MAX (64 << 20)

struct source_file {
	int fd;
	struct event *event;
	struct intake *intake;
	char path[PATH_MAX];
	const char *name; /* within its directory */
};

static void read_reports(struct source_file *file)
{
	struct text_error error;
	size_t bytes;
	char *text = file_read(file->path, FILE_BYTES_MAX, &bytes, &error);

	if (text)
		intake_text(file->intake, SOURCE_FILE, file->path, text, bytes, &error);
	else
		intake_refuse(file->intake, SOURCE_FILE,
			      &file->intake->counters[SOURCE_FILE].failed, file->path, error.what);
	free(text);
}

/* The directory is watched, not the file: a file that is replaced is another one. */
static void on_change(evutil_socket_t fd, short what, void *context)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	const struct inotify_event *change;
	struct source_file *file = context;
	bool ours = false;
	ssize_t bytes, at;

	(void)what;
	while ((bytes = read(fd, buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < bytes; at += sizeof(*change) + change->len) {
			change = (const struct inotify_event *)(buffer + at);
			ours |= (change->mask & IN_Q_OVERFLOW) ||
				(change->len && !strcmp(change->name, file->name));
		}
	}
	if (ours)
		read_reports(file);
}

static int watch(struct source_file *file, const char *path)
{
	char directory[PATH_MAX];

	snprintf(file->path, sizeof(file->path), "%s", path);
	strcpy(directory, file->path);
	file->name = strrchr(file->path, '/') + 1;
	file->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (file->fd < 0 ||
	    inotify_add_watch(file->fd, dirname(directory), IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
		return -errno;
	return 0;
}

struct source_file *source_file_open(struct event_base *base, const char *path,
				     struct intake *intake, struct text_error *error)
{
	struct source_file *file = calloc(1, sizeof(*file));
	int err;

	text_refuse(error, -ENOMEM, NULL, "out of memory");
	if (!file)
		return NULL;
	file->intake = intake;
	err = watch(file, path);
	if (err) {
		text_refuse(error, err, "file", "cannot watch the directory of %s: %s", path,
			    strerror(-err));
		goto fail;
	}
	file->event = event_new(base, file->fd, EV_READ | EV_PERSIST, on_change, file);
	if (!file->event || event_add(file->event, NULL))
		goto fail;
	if (!access(path, F_OK))
		read_reports(file);
	return file;
fail:
	source_file_close(file);
	return NULL;
}

void source_file_close(struct source_file *file)
{
	if (!file)
		return;
	if (file->event)
		event_free(file->event);
	if (file->fd >= 0)
		close(file->fd);
	free(file);
}
