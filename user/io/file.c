/* SPDX-License-Identifier: GPL-2.0-only */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_BYTES 16384

char *file_read_fd(int fd, size_t bytes_max, size_t *bytes)
{
	size_t room = FIRST_BYTES;
	char *text = malloc(room), *more;
	ssize_t got;

	*bytes = 0;
	while (text) {
		got = read(fd, text + *bytes, room - *bytes - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0) {
			text[*bytes] = '\0';
			return text;
		}
		*bytes += got > 0 ? got : 0;
		errno = *bytes > bytes_max ? EFBIG : errno;
		if (got < 0 || *bytes > bytes_max)
			break;
		if (*bytes + 1 < room)
			continue;
		more = realloc(text, room *= 2);
		if (!more)
			break;
		text = more;
	}
	free(text);
	return NULL;
}

char *file_read(const char *path, size_t bytes_max, size_t *bytes, struct text_error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : file_read_fd(fd, bytes_max, bytes);

	if (!text)
		text_refuse(error, -errno, NULL, "cannot read %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return text;
}
