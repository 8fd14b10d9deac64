/* SPDX-License-Identifier: GPL-2.0-only */
#include "watch_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A holder removes the file before it lets go, so a lock on a removed one is worth nothing. */
static bool is_there(const struct watch_lock *lock)
{
	struct stat locked, named;

	return !fstat(lock->fd, &locked) && !stat(lock->path, &named) &&
	       locked.st_ino == named.st_ino && locked.st_dev == named.st_dev;
}

int watch_lock_take(const char *pin_dir, struct watch_lock *lock, struct text_error *error)
{
	int err = unix_socket_path(pin_dir, "watch.lock", lock->path);

	if (err)
		return text_refuse(error, err, NULL, "the name of %s is too long", pin_dir);
	for (;;) {
		err = unix_socket_directory(lock->path);
		lock->fd = err ? -1 : open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (lock->fd < 0)
			return text_refuse(error, err ? err : -errno, NULL, "cannot make %s: %s",
					   lock->path, strerror(err ? -err : errno));
		if (flock(lock->fd, LOCK_EX | LOCK_NB)) {
			err = errno == EWOULDBLOCK ? -EBUSY : -errno;
			close(lock->fd);
			return text_refuse(error, err, NULL,
					   "somebody else watches already (%s is locked); an event "
					   "goes to one reader only",
					   lock->path);
		}
		if (is_there(lock))
			return 0;
		close(lock->fd);
	}
}

void watch_lock_leave(struct watch_lock *lock)
{
	unlink(lock->path);
	close(lock->fd);
	unix_socket_leave(lock->path);
}
