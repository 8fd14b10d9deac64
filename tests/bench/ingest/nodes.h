/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nodes that report, each as an agent of its own: one datagram each, sealed anew every time it is
 * sent. From one report to the next a node's load moves on to the next of LEVELS, far enough apart
 * that the weight in the maps tells which report made it.
 */
#ifndef SLUICE_TESTS_BENCH_INGEST_NODES_H
#define SLUICE_TESTS_BENCH_INGEST_NODES_H

#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "user/core/envelope.h"

#define LEVELS 3

#define NODE_NAME       "node-%06zu"
#define NODE_LATENCY_MS 10.0

struct nodes;

/* NULL: no memory. */
struct nodes *nodes_new(size_t count, struct envelope_key *key);
void nodes_free(struct nodes *nodes);

/*
 * The next report of node @index, whose load is at level @sequence % LEVELS: cpu_percent 10, 30 or
 * 50. @sequence counts from 1. Returns the bytes of *@datagram, or negative errno.
 */
int nodes_seal(struct nodes *nodes, size_t index, __u64 sequence, int64_t unix_ms,
	       const void **datagram);

#endif
