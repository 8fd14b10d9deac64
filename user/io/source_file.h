/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports in a file: read at the start, and whenever it has been written or moved into its place. */
#ifndef SLUICE_IO_SOURCE_FILE_H
#define SLUICE_IO_SOURCE_FILE_H

#include <event2/event.h>

#include "intake.h"

struct source_file;

/* Its directory must be there, the file need not. NULL with @error filled in. */
struct source_file *source_file_open(struct event_base *base, const char *path,
				     struct intake *intake, struct text_error *error);
void source_file_close(struct source_file *file);

#endif
