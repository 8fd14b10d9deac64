/* SPDX-License-Identifier: GPL-2.0-only */
#include "application_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "file.h"
#include "log.h"

#define FILE_BYTES_MAX 65536

static const struct report nothing;

/* Once, until something else is to be said. */
__attribute__((format(printf, 2, 3))) static void complain(struct application_file *file,
							   const char *format, ...)
{
	char complaint[sizeof(file->complaint)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(complaint, sizeof(complaint), format, arguments);
	va_end(arguments);
	if (strcmp(complaint, file->complaint))
		log_say(LOG_WARNING, "%s: %s", file->path, complaint);
	strcpy(file->complaint, complaint);
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int64_t first_age_ms(const struct stat *status)
{
	int64_t written_ms = status->st_mtim.tv_sec * 1000LL + status->st_mtim.tv_nsec / 1000000;
	int64_t age_ms = clock_wall_ms() - written_ms;

	return age_ms > 0 ? age_ms : 0;
}

/*
 * Of a file that is no good, perhaps because it is just being written, the numbers before it stay
 * as long as they would have.
 */
static void read_anew(struct application_file *file, const struct stat *status)
{
	struct text_error error = {0};
	struct report own;
	size_t bytes;
	char *text = file_read(file->path, FILE_BYTES_MAX, &bytes, &error);
	int err = text ? application_parse(text, bytes, &own, &error) : -EINVAL;

	free(text);
	if (err) {
		complain(file, "%s", error.what);
		return;
	}
	if (*file->complaint)
		log_say(LOG_INFO, "%s: is good again", file->path);
	*file->complaint = '\0';
	file->written_ms = clock_steady_ms() - (file->ever_seen ? 0 : first_age_ms(status));
	file->ever_seen = true;
	file->seen = *status;
	file->own = own;
}

const struct report *application_file_read(struct application_file *file)
{
	struct stat status;

	if (stat(file->path, &status)) {
		complain(file, "%s", strerror(errno));
	} else if (!S_ISREG(status.st_mode)) {
		complain(file, "is no file");
	} else if (!file->ever_seen || !same(&status, &file->seen)) {
		read_anew(file, &status);
	}
	if (!file->ever_seen)
		return &nothing;
	if (clock_steady_ms() - file->written_ms <= file->max_age_ms)
		return &file->own;
	if (!*file->complaint)
		complain(file, "has not been written for %lld ms, it no longer counts",
			 (long long)file->max_age_ms);
	return &nothing;
}
