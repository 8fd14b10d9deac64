/* SPDX-License-Identifier: GPL-2.0-only */
/* The verbs of policy, a file each or for a few that are alike; see struct command. */
#ifndef SLUICE_CLI_POLICY_H
#define SLUICE_CLI_POLICY_H

#include "cli.h"

int policy_add_rule(struct cli *cli, int argc, char **argv);
int policy_del_rules(struct cli *cli, int argc, char **argv);
int policy_replace(struct cli *cli, int argc, char **argv);
int policy_test(struct cli *cli, int argc, char **argv);
int policy_watch(struct cli *cli, int argc, char **argv);

#endif
