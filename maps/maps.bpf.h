/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every BPF map, once. Sizes of 1 are set by the loader (user/kernel/object.c). All live as long as
 * their pins: from `sluice load` to `sluice unload`.
 *
 * "state" maps are written by user/kernel/apply.c alone and read by the packet path; "memory" maps
 * are written by the packet path and read by userspace for people.
 */
#ifndef SLUICE_MAPS_MAPS_BPF_H
#define SLUICE_MAPS_MAPS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "backend.h"
#include "control.h"
#include "cpu.h"
#include "flow.h"
#include "fragment.h"
#include "gue.h"
#include "server_id.h"
#include "service.h"
#include "settings.h"
#include "slot.h"
#include "verdict.h"
#include "vip.h"
#include "weight.h"

/* State: the generation in use, and how the table of services is laid out. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct control);
} control SEC(".maps");

/* Written once, by `sluice load`; for userspace. The packet path has its share as constants. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct settings);
} settings SEC(".maps");

/* State: services by the top bits of hash_service(). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SERVICE_TABLE_ENTRIES);
	__type(key, __u32);
	__type(value, struct service_place);
} services SEC(".maps");

/* State: slots of all services, each with a range of its own. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct slot);
} slots SEC(".maps");

/* State: what loads the coin, by backend id. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weight);
} weights SEC(".maps");

/* State: how a frame gets there, by backend id. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct backend_halves);
} backends SEC(".maps");

/* State: VIPs, whatever the port. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SERVICES_MAX);
	__type(key, struct vip_key);
	__type(value, struct vip);
} vips SEC(".maps");

/* State: backends by the QUIC server ids that they write into their connection ids. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct server_id_key);
	__type(value, struct server_id);
} server_ids SEC(".maps");

/* State for userspace: names and what was asked for, by service id. The packet path has no use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SERVICES_MAX);
	__type(key, __u32);
	__type(value, struct service_info_halves);
} service_info SEC(".maps");

/* State for userspace: names and what was asked for, by backend id. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct backend_info_halves);
} backend_info SEC(".maps");

/* Memory: flow sets, a region of main sets and probation sets for each CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flow_set);
} flows SEC(".maps");

/* Memory: datagrams whose fragments are under way, of all CPUs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FRAGMENTS_MAX);
	__type(key, __u32);
	__type(value, struct fragment);
} fragments SEC(".maps");

/* Memory: open flows by CPU and backend id (CPU x backends_max + id). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __s64);
} open_flows SEC(".maps");

/* Memory: by CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu_memory);
} cpus SEC(".maps");

/* Memory: a piece of the packet at hand, while it is summed up. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8[SCRATCH_BYTES]);
} scratch SEC(".maps");

/* Memory: counters by service id. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SERVICES_MAX);
	__type(key, __u32);
	__type(value, struct service_counters);
} service_counters SEC(".maps");

/* Memory: counters by backend id. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct backend_counters);
} backend_counters SEC(".maps");

/* Memory: counters by enum drop_reason. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DROP_REASONS);
	__type(key, __u32);
	__type(value, struct drop_counters);
} drop_counters SEC(".maps");

#endif
