/* SPDX-License-Identifier: GPL-2.0-only */
/* Options that all changes of the policy have, and lists of prefixes from files. */
#ifndef SLUICE_CLI_POLICY_OPTIONS_H
#define SLUICE_CLI_POLICY_OPTIONS_H

#include "policy_session.h"

enum {
	POLICY_OPTION_ALL_TRAFFIC = 1,
	POLICY_OPTION_FORCE,
	POLICY_OPTION_OPERATOR,
	POLICY_OPTION_OWN, /* from here on: a command's own */
};

/* clang-format off */
#define POLICY_OPTIONS \
	{"all-traffic", required_argument, NULL, POLICY_OPTION_ALL_TRAFFIC}, \
	{"force", no_argument, NULL, POLICY_OPTION_FORCE}, \
	{"operator", required_argument, NULL, POLICY_OPTION_OPERATOR}
/* clang-format on */

/* Take one of them, with its value in optarg. Returns CLI_OK or CLI_USAGE. */
int policy_change_option(const struct cli *cli, int option, struct policy_change *change);

/* A list is called as its file is, without the directories. Returns CLI_OK or CLI_USAGE. */
int policy_feed_name(const struct cli *cli, const char *path, char name[FEED_BYTES]);

/* Returns CLI_OK with *@prefixes to be freed, or CLI_FAILED after the user has been told why. */
int policy_feed_read(const char *path, struct prefix **prefixes, size_t *count);

#endif
