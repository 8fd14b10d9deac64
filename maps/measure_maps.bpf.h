/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps of bpf/measure.bpf.c, each once. They are not pinned: all live as long as the process
 * that measures (user/kernel/measure.c), and what counts is the difference of two snapshots.
 */
#ifndef SLUICE_MAPS_MEASURE_MAPS_BPF_H
#define SLUICE_MAPS_MEASURE_MAPS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "measure.h"

/* What is measured: an index into measure_counters. Written by user/kernel/apply.c alone. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MEASURE_SERVICES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct measure_key);
	__type(value, __u32);
} measure_services SEC(".maps");

/* Likewise. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct measure_settings);
} measure_settings SEC(".maps");

/* Written by the packet path, read by userspace. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MEASURE_SERVICES_MAX);
	__type(key, __u32);
	__type(value, struct measure_counters);
} measure_counters SEC(".maps");

/* Flows of those services, of all CPUs; the packet path's own. Its size is set by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct measure_flow_key);
	__type(value, struct measure_flow);
} measure_flows SEC(".maps");

/*
 * Flows that are about to begin, apart from those that have: a flood of SYNs pushes out no flow. The
 * packet path's own.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct measure_flow_key);
	__type(value, struct measure_handshake);
} measure_handshakes SEC(".maps");

/* Sockets of those services; the packet path's own. An entry goes with its socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct measure_socket);
} measure_sockets SEC(".maps");

#endif
