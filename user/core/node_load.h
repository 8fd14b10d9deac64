/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How busy a node is, from what the kernel says of it at two moments. What a kernel does not say,
 * or says in another way than expected, is left out of the report.
 */
#ifndef SLUICE_CORE_NODE_LOAD_H
#define SLUICE_CORE_NODE_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#include "report.h"

/* Texts as they were read, NULL where there are none. */
struct node_texts {
	const char *stat;    /* /proc/stat */
	const char *meminfo; /* /proc/meminfo */
	const char *loadavg; /* /proc/loadavg */
	const char *snmp;    /* /proc/net/snmp */
	const char *netstat; /* /proc/net/netstat */
	/* Files of a control group (version 2). The root of a machine has the last of them only. */
	const char *cpu_max;
	const char *memory_max;
	const char *memory_current;
	const char *memory_stat;
	const char *cpu_stat;
};

/* The columns of "cpu" in /proc/stat that are used; time of guests is part of user and nice. */
enum node_cpu_time {
	NODE_CPU_USER,
	NODE_CPU_NICE,
	NODE_CPU_SYSTEM,
	NODE_CPU_IDLE,
	NODE_CPU_IOWAIT,
	NODE_CPU_IRQ,
	NODE_CPU_SOFTIRQ,
	NODE_CPU_STEAL,
	NODE_CPU_TIMES
};

/* A number that may not be known. */
struct node_number {
	bool known;
	double value;
};

struct node_reading {
	int64_t steady_ns;
	unsigned int cpu_times; /* how many of them are known */
	__u64 cpu_time[NODE_CPU_TIMES];
	unsigned int cpus; /* 0: not known */
	struct node_number load_1min;
	struct node_number memory_total;
	struct node_number memory_available;
	struct node_number tcp_connections;
	struct node_number tcp_retransmitted;
	struct node_number tcp_sent; /* segments, the retransmitted ones not counted */
	struct node_number limit_cpus;
	struct node_number limit_cpu_us; /* used so far */
	struct node_number limit_memory_bytes;
	struct node_number limit_memory_used_bytes;
};

/* @steady_ns: a clock that never jumps, when the texts were read. */
void node_reading_parse(const struct node_texts *texts, int64_t steady_ns,
			struct node_reading *reading);

/*
 * Put cpu_percent, mem_percent, load, inflight and retransmit_percent into @report. Counters that
 * went back leave out what depends on them.
 *
 * cpu_percent has what a hypervisor took away (steal) as busy. Where the control group has a limit,
 * cpu_percent and mem_percent are of the limit, if that is the larger. inflight is the number of
 * TCP connections that are established, which is the best the kernel knows of requests. Of a few
 * segments only, retransmit_percent would be a matter of luck: it is left out below
 * NODE_SEGMENTS_MIN.
 */
void node_load_report(const struct node_reading *before, const struct node_reading *after,
		      struct report *report);

#define NODE_SEGMENTS_MIN 20

#endif
