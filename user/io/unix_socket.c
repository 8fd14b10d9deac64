/* SPDX-License-Identifier: GPL-2.0-only */
#include "unix_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int unix_socket_path(const char *pin_dir, const char *name, char path[UNIX_PATH_BYTES])
{
	size_t bytes = strlen(pin_dir), start;
	int length;

	while (bytes > 1 && pin_dir[bytes - 1] == '/')
		bytes--;
	for (start = bytes; start && pin_dir[start - 1] != '/'; start--)
		;
	length = snprintf(path, UNIX_PATH_BYTES, "/run/%.*s/%s", (int)(bytes - start),
			  pin_dir + start, name);
	return (size_t)length < UNIX_PATH_BYTES ? 0 : -ENAMETOOLONG;
}

static void directory_of(const char *path, char directory[UNIX_PATH_BYTES])
{
	snprintf(directory, UNIX_PATH_BYTES, "%s", path);
	*strrchr(directory, '/') = '\0';
}

void unix_socket_leave(const char *path)
{
	char directory[UNIX_PATH_BYTES];

	directory_of(path, directory);
	rmdir(directory);
}

int unix_socket_directory(const char *path)
{
	char directory[UNIX_PATH_BYTES];

	directory_of(path, directory);
	return !*directory || !mkdir(directory, 0755) || errno == EEXIST ? 0 : -errno;
}

static int open_at(const char *path, int type, struct sockaddr_un *address)
{
	int fd;

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	strcpy(address->sun_path, path);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int unix_socket_bind(const char *path, int type, struct text_error *error)
{
	struct sockaddr_un address;
	struct stat there;
	mode_t mask;
	int err = unix_socket_directory(path);
	int fd = err ? err : open_at(path, type | SOCK_NONBLOCK, &address);

	if (fd >= 0) {
		if (!lstat(path, &there) && S_ISSOCK(there.st_mode))
			unlink(path);
		mask = umask(0177);
		err = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
		umask(mask);
		if (!err)
			return fd;
		close(fd);
		fd = err;
	}
	return text_refuse(error, fd, NULL, "cannot make the socket %s: %s", path, strerror(-fd));
}

int unix_socket_connect(const char *path, int type)
{
	struct sockaddr_un address;
	int fd = open_at(path, type, &address), err;

	if (fd < 0 || !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}
