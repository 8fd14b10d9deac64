/* SPDX-License-Identifier: GPL-2.0-only */
/* Talking to the daemon of this instance, if one runs. */
#ifndef SLUICE_CLI_REMOTE_H
#define SLUICE_CLI_REMOTE_H

#include <jansson.h>

#include "cli.h"

/* Commands that change the state are the daemon's to do, if one runs. */
bool remote_does(const struct command *command);

/*
 * Have the daemon do a command; @argv begins with its noun. Returns whether there is a daemon, and
 * then the exit status in *@status, after its output was printed.
 */
bool remote_command(const struct cli *cli, int argc, char **argv, int *status);

/* What the daemon says of itself; NULL: none runs. To be released. */
json_t *remote_status(const struct cli *cli);

/*
 * Have @show called for each line that the daemon has for who watches, until it returns false or the
 * daemon ends. Returns an exit status.
 */
int remote_watch(const struct cli *cli, bool (*show)(const struct cli *cli, const json_t *line));

#endif
