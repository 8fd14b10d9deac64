/* SPDX-License-Identifier: GPL-2.0-only */
/* What is measured, and what two snapshots of its counters say of the time between them. */
#ifndef SLUICE_CORE_MEASURE_H
#define SLUICE_CORE_MEASURE_H

#include <stddef.h>

#include "../../maps/measure.h"
#include "address.h"

struct measure_service {
	struct address vip;
	__u16 port; /* 0: every port */
	__u8 protocol;
	__u32 index; /* of its counters, under MEASURE_SERVICES_MAX; services may share one */
};

/* An element of the map measure_services. */
struct measure_entry {
	struct measure_key key;
	__u32 index;
};
_Static_assert(offsetof(struct measure_entry, index) == sizeof(struct measure_key),
	       "the value stands right behind its key");

/*
 * What the map is to hold, by key. @entries has room for @count. Returns 0, -ERANGE when an index is
 * too large or there are too many, or -EEXIST when two services are the same.
 */
int measure_entries(const struct measure_service *services, size_t count,
		    struct measure_entry *entries);

/* Add @part to @sum: CPUs to a service, services to a node. */
void measure_add(struct measure_counters *sum, const struct measure_counters *part);

/* A histogram's, in microseconds; all 0 where nothing was counted. */
struct measure_times {
	__u64 count;
	double mean_us;
	double deviation_us;
	double p50_us; /* percentiles are as fine as the histogram: within a factor of 2 */
	double p95_us;
	double p99_us;
};

struct measure_window {
	double segments_per_s;
	double bytes_per_s;
	double retransmit_percent; /* of the segments that can be sent again; 0 where none was sent */
	double retransmitted_segments_per_s;
	double retransmitted_bytes_per_s;
	double syn_retransmits_sent_per_s;
	double syn_retransmits_received_per_s;
	double resets_sent_per_s;
	double resets_received_per_s;
	double requests_per_s; /* those that have had a response */
	struct measure_times rtt;
	struct measure_times response;
};

/*
 * Counters that went back began anew (the programs were loaded again): the window then holds what
 * @after says. Rates are 0 where @elapsed_ns is.
 */
void measure_window(const struct measure_counters *before, const struct measure_counters *after,
		    __u64 elapsed_ns, struct measure_window *window);

#endif
