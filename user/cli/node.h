/* SPDX-License-Identifier: GPL-2.0-only */
/* A node's side of attach and status. */
#ifndef SLUICE_CLI_NODE_H
#define SLUICE_CLI_NODE_H

#include <jansson.h>

#include "cli.h"

/*
 * Load the node's program for the addresses of @device and of the VLAN devices on it. Returns
 * CLI_OK, or CLI_FAILED after the user has been told why.
 */
int node_load(const struct cli *cli, const char *device, uint16_t gue_port);

/* What the node's program counted; NULL where none is loaded. */
json_t *node_json(const struct cli *cli);
void node_print(const json_t *node);

#endif
