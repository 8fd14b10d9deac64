/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SLUICE_IO_FILE_H
#define SLUICE_IO_FILE_H

#include <stddef.h>

#include "../core/text_error.h"

/*
 * Read a whole file of at most @bytes_max bytes; a NUL stands behind them. NULL with @error filled
 * in; free() it.
 */
char *file_read(const char *path, size_t bytes_max, size_t *bytes, struct text_error *error);

/* Read what is left of @fd, of at most @bytes_max bytes. NULL with errno set. */
char *file_read_fd(int fd, size_t bytes_max, size_t *bytes);

#endif
