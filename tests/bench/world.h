/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the program under test lives: a network namespace and a BPF file system of this process
 * alone, which end with it however it ends.
 */
#ifndef SLUICE_TESTS_BENCH_WORLD_H
#define SLUICE_TESTS_BENCH_WORLD_H

#include <limits.h>
#include <stddef.h>
#include <linux/types.h>

#include "scenario.h"

/* First bytes of the MAC address of every backend. */
#define BACKEND_MAC_PREFIX \
	{                  \
		0x02, 0x99 \
	}

struct world {
	char sluice[PATH_MAX];
	char pin[64];
	__u32 egress_ifindex;    /* the backends are behind it */
	__u32 elsewhere_ifindex; /* nothing is */
	int program;             /* file descriptors, while loaded */
	int service_counters;
	size_t services;
};

/* Sums over all services and CPUs since the load. */
struct world_counts {
	__u64 packets;
	__u64 new_flows;
};

/* @sluice: the command, NULL for the one that was built with this program. 0 or negative errno. */
int world_open(struct world *world, const char *sluice);

/*
 * Load the real program with these services, @policy (NULL: none) and empty memory. Returns 0, or
 * negative errno, which has been said on standard error.
 */
int world_load(struct world *world, const struct bench_service *services, size_t count,
	       const struct bench_policy *policy);
void world_unload(struct world *world);

int world_count(const struct world *world, struct world_counts *counts);

#endif
