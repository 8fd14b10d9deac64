/* SPDX-License-Identifier: GPL-2.0-only */
/* What `sluice status` shows of the daemon. */
#ifndef SLUICE_CLI_DAEMON_H
#define SLUICE_CLI_DAEMON_H

#include <jansson.h>

void daemon_print(const json_t *daemon);

#endif
