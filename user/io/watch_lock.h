/* SPDX-License-Identifier: GPL-2.0-only */
/* The right to read an instance's ring of drops, which one reader at a time can have. */
#ifndef SLUICE_IO_WATCH_LOCK_H
#define SLUICE_IO_WATCH_LOCK_H

#include "unix_socket.h"

struct watch_lock {
	char path[UNIX_PATH_BYTES]; /* next to the instance's sockets */
	int fd;
};

/* Returns 0, or -EBUSY when somebody else has it, or another negative errno, with @error filled in. */
int watch_lock_take(const char *pin_dir, struct watch_lock *lock, struct text_error *error);
void watch_lock_leave(struct watch_lock *lock);

#endif
