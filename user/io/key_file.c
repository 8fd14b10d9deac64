/* SPDX-License-Identifier: GPL-2.0-only */
#include "key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

#define KEY_FILE_BYTES_MAX (ENVELOPE_KEY_BYTES_MAX + 2) /* a line end behind the key */

/* Of the open file, so that nobody can put another one in its place in between. */
static int check_permissions(int fd, const char *path, struct text_error *error)
{
	struct stat status;

	if (fstat(fd, &status))
		return text_refuse(error, -errno, NULL, "cannot read %s: %s", path,
				   strerror(errno));
	if (!S_ISREG(status.st_mode))
		return text_refuse(error, -EINVAL, NULL, "%s is no file, expected a key", path);
	if (status.st_mode & (S_IRWXO | S_IWGRP))
		return text_refuse(error, -EACCES, NULL,
				   "%s has mode %04o, expected a key that only its owner and "
				   "group can read: chmod 0640",
				   path, status.st_mode & 07777);
	return 0;
}

static struct envelope_key *read_key(int fd, const char *path, struct text_error *error)
{
	struct envelope_key *key;
	size_t bytes;
	char *text = file_read_fd(fd, KEY_FILE_BYTES_MAX, &bytes);

	if (!text) {
		text_refuse(error, -errno, NULL, "cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	key = envelope_key_new(text, envelope_secret_bytes(text, bytes));
	if (!key)
		text_refuse(error, -EINVAL, NULL, "%s is no key: expected %d to %d bytes", path,
			    ENVELOPE_KEY_BYTES_MIN, ENVELOPE_KEY_BYTES_MAX);
	explicit_bzero(text, bytes);
	free(text);
	return key;
}

struct envelope_key *key_file_read(const char *path, struct text_error *error)
{
	struct envelope_key *key = NULL;
	/* A FIFO must not make us wait for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		text_refuse(error, -errno, NULL, "cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	if (!check_permissions(fd, path, error))
		key = read_key(fd, path, error);
	close(fd);
	return key;
}
