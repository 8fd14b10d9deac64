/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file that an application writes its own numbers into, whenever it likes, over the old one or
 * by moving a new one there. It is looked at for each report, and believed for so long after it was
 * written last. How long that is ago is counted on the clock that never jumps from when the change
 * was seen; only of the first look it is the file's own time that counts.
 */
#ifndef SLUICE_IO_APPLICATION_FILE_H
#define SLUICE_IO_APPLICATION_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../core/application.h"

struct application_file {
	const char *path;
	int64_t max_age_ms;
	/* What follows is empty at first. */
	struct stat seen; /* of the text that was read last */
	bool ever_seen;
	int64_t written_ms; /* by CLOCK_MONOTONIC */
	struct report own;
	char complaint[256]; /* what was said of the file last */
};

/* What the application says, or nothing: a report without a node. Says in the log what is wrong. */
const struct report *application_file_read(struct application_file *file);

#endif
