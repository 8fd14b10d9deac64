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
#include "event.h"
#include "flow.h"
#include "fragment.h"
#include "gue.h"
#include "policy.h"
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

/*
 * State of the policy, which flips by itself (control.policy): sources that some prefix matches, by
 * half.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * POLICY_FILTER_WORDS);
	__type(key, __u32);
	__type(value, __u64);
} policy_filter SEC(".maps");

/* State: scopes, by half (half x POLICY_SCOPES_MAX + number). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * POLICY_SCOPES_MAX);
	__type(key, __u32);
	__type(value, struct policy_scope);
} policy_scopes SEC(".maps");

/* State: scopes of ports. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * POLICY_SCOPES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct policy_port_key);
	__type(value, __u32);
} policy_ports SEC(".maps");

/* By sizes: of a type that only an inner map names, clang 14 writes no BTF. */
struct boundary_array {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct policy_boundary));
};

/* State: boundaries of all scopes, an array of their number for each half. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct boundary_array);
} policy_boundaries SEC(".maps");

/* State: rules, by half and id (half x RULES_MAX + id). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * RULES_MAX);
	__type(key, __u32);
	__type(value, struct policy_rule);
} policy_rules SEC(".maps");

/* State for userspace: what the rules were given as, by half and id. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * RULES_MAX);
	__type(key, __u32);
	__type(value, struct policy_rule_info);
} policy_rule_info SEC(".maps");

struct prefix_array {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct policy_prefix));
};

/* State for userspace: prefixes of all rules, an array of their number for each half. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct prefix_array);
} policy_prefixes SEC(".maps");

/* State: what of a service's new flows is dropped, by service id. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SERVICES_MAX);
	__type(key, __u32);
	__type(value, struct shed);
} sheds SEC(".maps");

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

/* Memory: how much of their rates rules have used, by rule id; of all CPUs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RULES_MAX);
	__type(key, __u32);
	__type(value, struct policy_buckets);
} policy_buckets SEC(".maps");

/* Memory: what this CPU has taken of it beforehand, by rule id. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RULES_MAX);
	__type(key, __u32);
	__type(value, struct policy_tokens);
} policy_tokens SEC(".maps");

/* Memory: likewise, of single sources; of all CPUs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SOURCE_SETS);
	__type(key, __u32);
	__type(value, struct source_set);
} source_sets SEC(".maps");

/* Memory: sources that got past a flow's first packet; of all CPUs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, KNOWN_SETS);
	__type(key, __u32);
	__type(value, struct known_set);
} known_sets SEC(".maps");

/* Memory: counters by rule id. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RULES_MAX);
	__type(key, __u32);
	__type(value, struct rule_counters);
} rule_counters SEC(".maps");

/* Memory: how many more drops may be told of in this tick. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct event_budget);
} event_budget SEC(".maps");

/* Memory: a sample of drops, struct drop_event, for one reader. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENT_RING_BYTES);
} drop_events SEC(".maps");

#endif
