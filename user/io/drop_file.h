/* SPDX-License-Identifier: GPL-2.0-only */
/* Dropped frames in a file for Wireshark and its like. */
#ifndef SLUICE_IO_DROP_FILE_H
#define SLUICE_IO_DROP_FILE_H

#include "../../maps/event.h"
#include "../core/text_error.h"

struct drop_file;

/* @path "-" is standard output. NULL with @error filled in. */
struct drop_file *drop_file_open(const char *path, struct text_error *error);

/* @wall_ns: Unix time. It is in the file when this returns. 0 or negative errno. */
int drop_file_add(struct drop_file *file, const struct drop_event *event, __u64 wall_ns);

/* NULL is all right. Returns 0 or negative errno. */
int drop_file_close(struct drop_file *file);

#endif
