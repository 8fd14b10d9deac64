/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon: reports and checks in, weights out, until it is told to stop. */
#ifndef SLUICE_IO_DAEMON_H
#define SLUICE_IO_DAEMON_H

#include "../core/config.h"

struct daemon_request {
	const char *pin_dir;
	const char *config_path; /* absolute */
	/* Reads that file; returns 0, or negative errno with one line in @error. */
	int (*read_config)(const char *path, struct config *config, struct text_error *error);
};

/*
 * Returns 0 when it was told to stop (SIGTERM, SIGINT), or a negative errno with @error filled in. In
 * either case everything that is loaded goes on forwarding.
 */
int daemon_run(const struct daemon_request *request, struct text_error *error);

#endif
