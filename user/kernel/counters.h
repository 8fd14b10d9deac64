/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of the packet path, summed over CPUs. */
#ifndef SLUICE_KERNEL_COUNTERS_H
#define SLUICE_KERNEL_COUNTERS_H

#include "../../maps/verdict.h"
#include "maps.h"

/* Each returns 0 or a negative errno, and then leaves zeros. */
int counters_service(const struct maps *maps, __u16 id, struct service_counters *sum);
int counters_backend(const struct maps *maps, __u16 id, struct backend_counters *sum);
int counters_rule(const struct maps *maps, __u16 id, struct rule_counters *sum);
/* Of the backends with ids below @count, each at its id, for few calls into the kernel. */
int counters_backends(const struct maps *maps, __u32 count, struct backend_counters *sums);

int counters_drop(const struct maps *maps, enum drop_reason reason, struct drop_counters *sum);

/* Drops since the last event of each CPU, of which no event tells. */
int counters_skipped_events(const struct maps *maps, __u64 *skipped);

/* Flows of a backend that are open, by this balancer's count. */
__u64 counters_open_flows(const struct maps *maps, __u16 id);

struct cpu_counters {
	__u64 found_elsewhere; /* flows, in another CPU's memory */
	__u64 echo_replies;    /* sent */
	__u64 too_big_errors;  /* sent: fragmentation needed, packet too big */
};

void counters_cpus(const struct maps *maps, struct cpu_counters *sum);

#endif
