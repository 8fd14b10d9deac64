/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of the flow stage: finding, remembering and forgetting flows in the sets of
 * maps/flow.h.
 *
 * A region belongs to one CPU and only that CPU writes it, so there are no locks. The one exception
 * is a flow that turns up on another CPU (interrupts were moved, or the frames never had a home,
 * as on veth): its entry is taken over from the region that holds it, by a compare and swap.
 */
#ifndef SLUICE_BPF_FLOW_MEMORY_H
#define SLUICE_BPF_FLOW_MEMORY_H

#include "../maps/maps.bpf.h"
#include "packet.h"

/* Set by the loader. */
const volatile __u32 cpu_count = 1;
const volatile __u32 backends_max = 1;
const volatile __u32 flow_main_sets = 1;   /* a CPU; a power of two */
const volatile __u32 flow_region_sets = 1; /* main and probation */
const volatile __u64 flow_sweep_rate = 0;  /* sets a jiffy, times 2^32 */
const volatile struct hash_key flow_key = {};

#define ALL_ENTRIES    ((1 << FLOW_SET_ENTRIES) - 1)
#define NO_ENTRY       FLOW_SET_ENTRIES
#define TAG_EVERYWHERE 0x0001000100010001ULL

/*
 * How many regions of other CPUs a CPU looks into between two timer ticks. A flow that moved costs
 * one visit a CPU, once; a flood of unknown flows costs at most this: 1,024 cache lines a tick.
 */
#define VISITS_PER_TICK 1024

static __always_inline __u16 flow_tag(__u64 hash)
{
	__u16 tag = hash >> 48;

	return tag ? tag : 1;
}

static __always_inline struct flow_set *main_set(__u32 cpu, __u64 hash)
{
	__u32 key = cpu * flow_region_sets + (hash & (flow_main_sets - 1));

	return bpf_map_lookup_elem(&flows, &key);
}

static __always_inline struct flow_set *probation_set(__u32 cpu, __u64 hash)
{
	__u32 key = cpu * flow_region_sets + flow_main_sets + (hash & (FLOW_PROBATION_SETS - 1));

	return bpf_map_lookup_elem(&flows, &key);
}

/*
 * The entry with this tag, or NO_ENTRY. Four tags at a time: a 16-bit lane of x is zero where the
 * tag is equal, and (x - 1) & ~x has its top bit set in the lowest zero lane (Mycroft's trick; only
 * the lowest set bit is exact, which is the one used).
 */
static __always_inline __u32 find_entry(const struct flow_set *set, __u16 tag)
{
	const __u64 *lanes = (const __u64 *)set->tag;
	__u64 pattern = tag * TAG_EVERYWHERE;
	__u64 x, zero;

#pragma unroll
	for (int i = 0; i < 4; i++) {
		x = lanes[i] ^ pattern;
		zero = (x - TAG_EVERYWHERE) & ~x & (TAG_EVERYWHERE << 15);
		if (i == 3)
			zero &= ~0ULL >> 16; /* the last lane is `counted`, not a tag */
		if (zero) {
			zero &= -zero;
			/* 1, 2^16, 2^32 or 2^48 picks 0, 1, 2 or 3 out of the product's top lane. */
			return i * 4 + ((zero >> 15) * 0x0000000100020003ULL >> 48);
		}
	}
	return NO_ENTRY;
}

static __always_inline __u32 lowest_bit(__u32 bits)
{
	__u32 index = 0;

	if (!(bits & 0xff)) {
		index += 8;
		bits >>= 8;
	}
	if (!(bits & 0xf)) {
		index += 4;
		bits >>= 4;
	}
	if (!(bits & 0x3)) {
		index += 2;
		bits >>= 2;
	}
	return index + !(bits & 0x1);
}

/* Atomic, because a CPU that takes a flow over takes it out of the other's count. */
static __always_inline void count_open(__u32 cpu, __u16 backend, __s64 change)
{
	__u32 key = cpu * backends_max + backend;
	__s64 *count = bpf_map_lookup_elem(&open_flows, &key);

	if (count)
		__sync_fetch_and_add(count, change);
}

/*
 * Which entry of a full main set goes: closed, then new, then idle; else the set grows old. Only a
 * flow that has shown a second packet may push out one that is counted, so a flood cannot.
 */
static __always_inline __u32 choose_victim(struct flow_set *set, __u64 hash, bool may_push)
{
	__u32 counted = set->counted;
	__u32 fresh = set->fresh;
	__u32 victims = ~counted & ~fresh & ALL_ENTRIES;

	if (!victims)
		victims = ~counted & ALL_ENTRIES;
	if (!victims && !may_push)
		return NO_ENTRY;
	if (!victims)
		victims = ~fresh & ALL_ENTRIES;
	if (victims)
		return lowest_bit(victims);
	set->fresh = 0;
	return (__u32)(hash >> 40 & 0xff) * FLOW_SET_ENTRIES >> 8;
}

/* See maps/flow.h; idle comes of sweeping alone. */
enum flow_state { FLOW_CLOSED, FLOW_NEW, FLOW_OPEN };

/* Put the flow into the main set, over what was known of it. False: there is no room for it. */
__noinline bool remember(__u32 cpu, __u64 hash, __u16 backend, enum flow_state state)
{
	struct flow_set *set = main_set(cpu, hash);
	__u32 entry, bit;

	if (!set)
		return false;
	entry = find_entry(set, flow_tag(hash));
	if (entry == NO_ENTRY)
		entry = find_entry(set, 0);
	if (entry == NO_ENTRY)
		entry = choose_victim(set, hash, state == FLOW_OPEN);
	if (entry >= FLOW_SET_ENTRIES)
		return false;
	bit = 1 << entry;
	if (set->tag[entry] && set->counted & bit)
		count_open(cpu, set->backend[entry], -1);
	set->tag[entry] = flow_tag(hash);
	set->backend[entry] = backend;
	set->counted = state == FLOW_OPEN ? set->counted | bit : set->counted & ~bit;
	set->fresh = state == FLOW_CLOSED ? set->fresh & ~bit : set->fresh | bit;
	if (state == FLOW_OPEN)
		count_open(cpu, backend, 1);
	return true;
}

/*
 * Put the flow's first packet into probation, over the oldest entry there. That it is not there yet
 * is known by now: who looked and found an entry that is of no use calls forget_on_probation().
 */
static __always_inline void remember_on_probation(__u32 cpu, const struct packet *packet)
{
	struct flow_set *set = probation_set(cpu, packet->flow_hash);
	__u32 entry;

	if (!set)
		return;
	entry = set->counted;
	set->counted = entry + 1 < FLOW_SET_ENTRIES ? entry + 1 : 0;
	if (entry >= FLOW_SET_ENTRIES)
		return;
	set->tag[entry] = flow_tag(packet->flow_hash);
	set->backend[entry] = packet->backend;
}

__noinline int forget_on_probation(__u32 cpu, __u64 hash)
{
	struct flow_set *set = probation_set(cpu, hash);
	__u32 entry;

	if (!set)
		return 0;
	entry = find_entry(set, flow_tag(hash));
	if (entry < FLOW_SET_ENTRIES)
		set->tag[entry] = 0;
	return 0;
}

/* Age one set: open entries become idle, idle ones leave the count. */
static __always_inline void sweep_set(__u32 cpu, struct flow_set *set)
{
	__u32 counted = set->counted;
	__u32 fresh = set->fresh;
	__u32 idle = counted & ~fresh;

	for (__u32 i = 0; i < FLOW_SET_ENTRIES; i++) {
		if (idle >> i & 1 && set->tag[i])
			count_open(cpu, set->backend[i], -1);
	}
	set->counted = counted & fresh;
	set->fresh = idle | (fresh & ~counted);
}

/*
 * Clients that vanish never close their flows; without this they would be counted for ever. Done a
 * little whenever a flow opens, at the pace of the clock, so that each set's turn comes round once
 * in the sweep period that the loader chose.
 */
__noinline int sweep(__u32 cpu)
{
	struct cpu_memory *memory = bpf_map_lookup_elem(&cpus, &cpu);
	__u64 jiffies = bpf_jiffies64();
	__u64 due;

	if (!memory)
		return 0;
	due = (jiffies >> 32) * flow_sweep_rate + ((jiffies & 0xffffffff) * flow_sweep_rate >> 32);
	if (due - memory->swept_sets > flow_main_sets)
		memory->swept_sets = due - flow_main_sets; /* long without a new flow */
	for (int i = 0; i < 2 && memory->swept_sets < due; i++) {
		struct flow_set *set = main_set(cpu, memory->swept_sets);

		if (set)
			sweep_set(cpu, set);
		memory->swept_sets++;
	}
	return 0;
}

/* Take an entry out of another CPU's set. It may be gone or another's by now: then nothing is done. */
static __always_inline void take_entry(struct flow_set *set, __u32 entry, __u16 tag)
{
	__u64 *lane = (__u64 *)set->tag + (entry >> 2 & 3);
	__u32 shift = (entry & 3) * 16;
	__u64 old = *lane;

	if ((__u16)(old >> shift) == tag)
		__sync_val_compare_and_swap(lane, old, old & ~(0xffffULL << shift));
}

/* What another CPU's region held; backend is BACKEND_NONE when it held nothing. */
struct found {
	__u16 backend;
	bool closed; /* left where it was */
	bool begun;  /* no more than that: new, or on probation */
};

/* Of a closed flow nothing is left where a SYN (@opens) makes its addresses a new flow. */
static __always_inline bool find_in_region(__u32 cpu, __u64 hash, bool opens, struct found *found)
{
	struct flow_set *set = main_set(cpu, hash);
	__u32 entry;

	if (!set)
		return false;
	entry = find_entry(set, flow_tag(hash));
	if (entry < FLOW_SET_ENTRIES) {
		bool counted = set->counted >> entry & 1;

		found->backend = set->backend[entry];
		found->closed = !counted && !(set->fresh >> entry & 1);
		if (found->closed && opens) {
			found->backend = BACKEND_NONE;
			take_entry(set, entry, flow_tag(hash));
		}
		if (found->closed)
			return false;
		found->begun = !counted;
		if (counted)
			count_open(cpu, found->backend, -1);
		take_entry(set, entry, flow_tag(hash));
		return true;
	}
	set = probation_set(cpu, hash);
	if (!set)
		return false;
	entry = find_entry(set, flow_tag(hash));
	if (entry >= FLOW_SET_ENTRIES)
		return false;
	found->backend = set->backend[entry];
	found->closed = false;
	found->begun = true;
	take_entry(set, entry, flow_tag(hash));
	return true;
}

/* May @regions of other CPUs be looked into in this tick, with @reserved more left for others? */
static __always_inline bool take_visits(struct cpu_memory *memory, __u32 regions, __u32 reserved)
{
	__u64 jiffies = bpf_jiffies64();

	if (memory->visits_jiffies != jiffies) {
		memory->visits_jiffies = jiffies;
		memory->visits_left = VISITS_PER_TICK;
	}
	if (memory->visits_left < regions + reserved)
		return false;
	memory->visits_left -= regions;
	return true;
}

__noinline bool visit_regions(__u32 cpu, __u64 hash, bool opens, struct found *found)
{
	struct cpu_memory *memory = bpf_map_lookup_elem(&cpus, &cpu);

	if (!memory || !found)
		return false;
	for (__u32 other = 0; other < cpu_count; other++) {
		if (other != cpu && find_in_region(other, hash, opens, found)) {
			memory->found_elsewhere++;
			return true;
		}
	}
	return false;
}

/*
 * Look for the flow in the regions of the other CPUs, and take it from there: true. SYNs may use
 * half of the visits only, so that a flood of them leaves the other half to flows that moved; above
 * that it pays no call. *@found must say that nothing was found.
 */
static __always_inline bool find_elsewhere(__u32 cpu, __u64 hash, bool opens, struct found *found)
{
	struct cpu_memory *memory = bpf_map_lookup_elem(&cpus, &cpu);
	__u32 others = cpu_count - 1;

	if (!memory || !others || !take_visits(memory, others, opens ? VISITS_PER_TICK / 2 : 0))
		return false;
	return visit_regions(cpu, hash, opens, found);
}

#endif
