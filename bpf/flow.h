/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage flow: does this flow have a backend already? */
#ifndef SLUICE_BPF_FLOW_H
#define SLUICE_BPF_FLOW_H

#include "../maps/maps.bpf.h"
#include "account.h"
#include "flow_memory.h"
#include "packet.h"

/*
 * The backend, if this packet may go there: flows keep one that drains, but not one that is down,
 * was deleted, or whose id is another service's by now.
 */
static __always_inline const struct backend *
usable_backend(const struct packet *packet, const struct service *service, __u16 id)
{
	__u32 key = id;
	struct backend_halves *halves = bpf_map_lookup_elem(&backends, &key);
	const struct backend *backend;

	if (!halves)
		return NULL;
	backend = &halves->half[packet->half];
	if (backend->service != service->id)
		return NULL;
	if (backend->state == BACKEND_UP || (backend->state == BACKEND_DRAIN && !packet->opens))
		return backend;
	return NULL;
}

/*
 * A packet that is not a SYN, of a flow that is closed here: one of its last, or its addresses began
 * anew on another CPU.
 */
static __always_inline void follow_closed_flow(struct packet *packet, __u32 cpu)
{
	struct found found;

	find_elsewhere(cpu, packet->flow_hash, false, &found);
	if (found.backend == BACKEND_NONE || found.closed)
		return;
	packet->backend = found.backend;
	remember(cpu, packet->flow_hash, found.backend, packet->closes ? FLOW_CLOSED : FLOW_OPEN);
}

/* A packet of a flow that the main set holds: its backend, and what the packet does to the flow. */
static __always_inline void follow_flow(struct packet *packet, __u32 cpu, struct flow_set *set,
					__u32 entry)
{
	__u32 bit = 1 << entry;
	bool counted = set->counted & bit;
	bool fresh = set->fresh & bit;

	packet->backend = set->backend[entry];
	if (packet->opens) {
		if (!counted && !fresh) /* the addresses of a closed flow, used again */
			packet->backend = BACKEND_NONE;
	} else if (!counted && !fresh) {
		follow_closed_flow(packet, cpu);
	} else if (packet->closes) {
		set->counted &= ~bit;
		set->fresh &= ~bit;
		if (counted)
			count_open(cpu, packet->backend, -1);
	} else if (!fresh) {
		set->fresh |= bit;
	} else if (!counted) {
		set->counted |= bit;
		count_open(cpu, packet->backend, 1);
		sweep(cpu);
	}
}

/* A packet of a flow that is not in the main set: on probation, on another CPU, or new. */
static __always_inline void meet_flow(struct packet *packet, __u32 cpu)
{
	__u64 hash = packet->flow_hash;
	struct flow_set *set = probation_set(cpu, hash);
	struct found found;
	__u32 entry;

	if (!set)
		return;
	entry = find_entry(set, flow_tag(hash));
	if (entry < FLOW_SET_ENTRIES) {
		packet->backend = set->backend[entry];
		if (packet->opens || packet->closes)
			return;
		set->tag[entry] = 0;
		remember(cpu, hash, packet->backend, FLOW_OPEN);
		sweep(cpu);
		return;
	}
	find_elsewhere(cpu, hash, packet->opens, &found);
	packet->backend = found.backend;
	if (found.backend != BACKEND_NONE && !found.closed)
		remember(cpu, hash, found.backend,
			 packet->opens ? FLOW_NEW : packet->closes ? FLOW_CLOSED : FLOW_OPEN);
}

/* Leaves *backend at NULL when one is to be selected. */
static __always_inline int find_flow(struct packet *packet, const struct service *service,
				     const struct backend **backend)
{
	struct flow_set *set;
	__u32 entry;
	__u32 cpu;

	packet->flow_hash = hash_words(&flow_key, packet->source[0], packet->source[1],
				       packet->source_port | packet->destination_port << 16 |
					       (__u64)service->id << 32);
	cpu = bpf_get_smp_processor_id();
	packet->cpu = cpu;
	packet->backend = BACKEND_NONE;
	packet->remembered = false;
	packet->new_flow = false;

	set = main_set(cpu, packet->flow_hash);
	if (!set)
		return drop(packet, DROP_NO_STATE);
	entry = find_entry(set, flow_tag(packet->flow_hash));
	if (entry < FLOW_SET_ENTRIES) {
		packet->remembered = true;
		follow_flow(packet, cpu, set, entry);
	} else {
		meet_flow(packet, cpu);
	}
	*backend = usable_backend(packet, service, packet->backend);
	return NEXT;
}

/*
 * Remember what was selected. Only what looks like a flow under way goes to the main set at once,
 * and only where nothing counted has to go; packets that close a flow are not worth an entry.
 */
static __always_inline void remember_selected(const struct packet *packet)
{
	__u32 cpu = packet->cpu;
	bool remembered = false;

	if (packet->remembered)
		remembered = remember(cpu, packet->flow_hash, packet->backend,
				      packet->closes ? FLOW_CLOSED : FLOW_NEW);
	else if (packet->closes)
		return;
	else if (!packet->opens)
		remembered = remember(cpu, packet->flow_hash, packet->backend, FLOW_NEW);
	if (!remembered)
		remember_on_probation(cpu, packet);
}

#endif
