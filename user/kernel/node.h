/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program on a node has counted. */
#ifndef SLUICE_KERNEL_NODE_H
#define SLUICE_KERNEL_NODE_H

#include "../../maps/node.h"

/*
 * Sum over CPUs what the node's program pinned at @pin_dir counted. Returns 0, -ENOENT when there
 * is none, or another negative errno.
 */
int node_counters_read(const char *pin_dir, struct node_counters *sum);

#endif
