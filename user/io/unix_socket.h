/* SPDX-License-Identifier: GPL-2.0-only */
/* Unix sockets, and where they are: an instance whose pins are in .../NAME has them in /run/NAME. */
#ifndef SLUICE_IO_UNIX_SOCKET_H
#define SLUICE_IO_UNIX_SOCKET_H

#include <sys/un.h>

#include "../core/text_error.h"

#define UNIX_PATH_BYTES sizeof(((struct sockaddr_un *)0)->sun_path)

#define UNIX_CONTROL "control.sock"
#define UNIX_REPORT  "report.sock"

/* Returns 0 with the path of @name, or -ENAMETOOLONG. */
int unix_socket_path(const char *pin_dir, const char *name, char path[UNIX_PATH_BYTES]);

/* Make the directory that the path is in, for root. Returns 0 or negative errno. */
int unix_socket_directory(const char *path);

/* Remove that directory, if nothing is left in it. */
void unix_socket_leave(const char *path);

/*
 * Bind a non-blocking socket that root alone can write to, in place of one that is there. Returns it
 * or negative errno with @error filled in.
 */
int unix_socket_bind(const char *path, int type, struct text_error *error);

/* Returns a connected, blocking socket or negative errno. */
int unix_socket_connect(const char *path, int type);

#endif
