/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage flow: does this flow have a backend already? */
#ifndef SLUICE_BPF_FLOW_H
#define SLUICE_BPF_FLOW_H

#include "../maps/maps.bpf.h"
#include "drop.h"
#include "flow_memory.h"
#include "known.h"
#include "packet.h"
#include "quic.h"

/*
 * The backend, if this packet may go there: flows keep one that drains, but not one that is down,
 * was deleted, or whose id is another service's by now.
 */
static __always_inline const struct backend *usable_backend(const struct packet *packet,
							    const struct service *service, __u16 id)
{
	__u32 key = id;
	struct backend_halves *halves = bpf_map_lookup_elem(&backends, &key);
	const struct backend *backend;

	if (!halves)
		return NULL;
	backend = &halves->half[half_of(packet)];
	barrier_var(backend);
	if (unlikely(backend->service != service->id))
		return NULL;
	if (likely(backend->state == BACKEND_UP) ||
	    (backend->state == BACKEND_DRAIN && !opens(packet)))
		return backend;
	return NULL;
}

/* Odd, and no more than that: they spread VIPs over the upper half of a word. */
#define VIP_HIGH_MULTIPLIER 0x9e3779b97f4a7c15ULL
#define VIP_LOW_MULTIPLIER  0xd6e8feb86659fd93ULL

/* By what the packet says alone: the processor goes on with it while the service is looked up. */
static __always_inline __u64 hash_flow(const struct packet *packet)
{
	__u64 vip = packet->destination[0] * VIP_HIGH_MULTIPLIER +
		    packet->destination[1] * VIP_LOW_MULTIPLIER;

	return hash_words(&flow_key, packet->source[0], packet->source[1],
			  vip ^ packet->ports ^ (__u64)packet->protocol << 34);
}

/* By how much a flow's hash moves on with each idle period. Odd, and no more than that. */
#define IDLE_PERIOD_STEP 0xa0761d6478bd642fULL

/*
 * A flow's place in the memory. UDP flows have no end that could be seen: theirs moves on with each
 * idle period, so one that sent nothing in the period before is not found again. Added to the hash,
 * not hashed: that need not wait for the service.
 */
static __always_inline __u64 place_flow(const struct packet *packet, const struct service *service)
{
	__u64 hash = hash_flow(packet);

	if (service->idle_rate)
		hash += (bpf_jiffies64() * service->idle_rate >> 32) * IDLE_PERIOD_STEP;
	return hash;
}

/*
 * A packet that is not a SYN, of a flow that is closed here: one of its last, or its addresses began
 * anew on another CPU.
 */
static __always_inline void follow_closed_flow(struct packet *packet, __u32 cpu)
{
	struct found found = {};

	if (!find_elsewhere(cpu, packet->flow_hash, false, &found))
		return;
	packet->backend = found.backend;
	packet->established = found.begun && !closes(packet);
	remember(cpu, packet->flow_hash, found.backend, closes(packet) ? FLOW_CLOSED : FLOW_OPEN);
}

/* A packet of a flow that the main set holds: its backend, and what the packet does to the flow. */
static __always_inline void follow_flow(struct packet *packet, __u32 cpu, struct flow_set *set,
					__u32 entry)
{
	__u32 bit = 1 << entry;
	bool counted = set->counted & bit;
	bool fresh = set->fresh & bit;

	packet->backend = set->backend[entry];
	/* Of an open flow, and neither opens nor closes one: nothing changes. */
	if (likely(set->counted & set->fresh & bit &&
		   !(packet->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST))))
		return;
	if (opens(packet)) {
		if (!counted && !fresh) /* the addresses of a closed flow, used again */
			packet->backend = BACKEND_NONE;
		else
			packet->syn_again = !counted;
	} else if (!counted && !fresh) {
		follow_closed_flow(packet, cpu);
	} else if (closes(packet)) {
		set->counted &= ~bit;
		set->fresh &= ~bit;
		if (counted)
			count_open(cpu, packet->backend, -1);
	} else if (!fresh) {
		set->fresh |= bit;
	} else if (!counted) {
		set->counted |= bit;
		packet->established = true;
		count_open(cpu, packet->backend, 1);
		sweep(cpu);
	}
}

/* A packet of a flow that is not in the main set: on probation, on another CPU, or new. */
static __always_inline void meet_flow(struct packet *packet, __u32 cpu)
{
	__u64 hash = packet->flow_hash;
	struct flow_set *set = probation_set(cpu, hash);
	struct found found = {};
	bool moved;
	__u32 entry;

	if (!set)
		return;
	entry = find_entry(set, flow_tag(hash));
	if (entry < FLOW_SET_ENTRIES) {
		packet->backend = set->backend[entry];
		packet->syn_again = opens(packet);
		if (packet->tcp_flags & TCP_RST)
			set->tag[entry] = 0; /* nothing comes behind it, but a FIN is repeated */
		if (opens(packet) || closes(packet))
			return;
		packet->established = true;
		set->tag[entry] = 0;
		remember(cpu, hash, packet->backend, FLOW_OPEN);
		sweep(cpu);
		return;
	}
	moved = find_elsewhere(cpu, hash, opens(packet), &found);
	packet->backend = found.backend;
	packet->syn_again = found.begun && opens(packet);
	packet->established = found.begun && !opens(packet) && !closes(packet);
	if (moved)
		remember(cpu, hash, found.backend,
			 opens(packet)    ? FLOW_NEW
			 : closes(packet) ? FLOW_CLOSED
					  : FLOW_OPEN);
}

/* The first packet of a UDP flow in this idle period: it moves here from the period before. */
static __always_inline void renew_flow(struct packet *packet, __u64 last_hash, __u32 cpu)
{
	struct found found = {};

	if (!find_in_region(cpu, last_hash, false, &found) && found.backend == BACKEND_NONE)
		find_elsewhere(cpu, last_hash, false, &found);
	if (found.backend == BACKEND_NONE)
		return;
	packet->backend = found.backend;
	remember(cpu, packet->flow_hash, found.backend, FLOW_OPEN);
}

/* What one CPU's region says of a flow; nothing is changed there. */
static __always_inline __u16 peek_in_region(__u32 cpu, __u64 hash)
{
	struct flow_set *set = main_set(cpu, hash);
	__u32 entry = set ? find_entry(set, flow_tag(hash)) : NO_ENTRY;

	if (entry >= FLOW_SET_ENTRIES) {
		set = probation_set(cpu, hash);
		entry = set ? find_entry(set, flow_tag(hash)) : NO_ENTRY;
	}
	return set && entry < FLOW_SET_ENTRIES ? set->backend[entry] : BACKEND_NONE;
}

/* Of all CPUs but @cpu; who calls has taken the visits. */
__noinline __u16 peek_in_regions(__u32 cpu, __u64 hash)
{
	__u16 backend = BACKEND_NONE;

	for (__u32 other = 0; other < cpu_count && backend == BACKEND_NONE; other++)
		backend = other == cpu ? BACKEND_NONE : peek_in_region(other, hash);
	return backend;
}

/* In this CPU's region, then in the others'. */
static __always_inline __u16 peek(__u32 cpu, __u64 hash)
{
	__u16 backend = peek_in_region(cpu, hash);
	struct cpu_memory *memory;

	if (backend != BACKEND_NONE)
		return backend;
	memory = bpf_map_lookup_elem(&cpus, &cpu);
	if (!memory || !take_visits(memory, cpu_count - 1, 0))
		return BACKEND_NONE;
	return peek_in_regions(cpu, hash);
}

/* What an ICMP error is about: looked up and left as it is, because anyone can send one. */
static __always_inline void look_up_flow(struct packet *packet, bool idles)
{
	packet->backend = peek(packet->cpu, packet->flow_hash);
	if (packet->backend == BACKEND_NONE && idles)
		packet->backend = peek(packet->cpu, packet->flow_hash - IDLE_PERIOD_STEP);
}

static __always_inline int recall_flow(struct packet *packet, bool idles)
{
	struct flow_set *set = main_set(packet->cpu, packet->flow_hash);
	__u32 entry;

	if (!set)
		return drop(DROP_NO_STATE);
	entry = find_entry(set, flow_tag(packet->flow_hash));
	if (likely(entry < FLOW_SET_ENTRIES)) {
		packet->remembered = true;
		follow_flow(packet, packet->cpu, set, entry);
		return NEXT;
	}
	meet_flow(packet, packet->cpu);
	if (packet->backend == BACKEND_NONE && idles)
		renew_flow(packet, packet->flow_hash - IDLE_PERIOD_STEP, packet->cpu);
	return NEXT;
}

/*
 * The backend of a packet whose flow is open and stays so, in which case that is all there is to do.
 * NULL: there is more to it, ask find_flow().
 */
static __always_inline const struct backend *backend_of_open_flow(struct packet *packet,
								  const struct service *service)
{
	struct flow_set *set;
	__u32 entry;

	if (unlikely(packet->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST) || service->server_id_bytes))
		return NULL;
	packet->flow_hash = place_flow(packet, service);
	set = main_set(bpf_get_smp_processor_id(), packet->flow_hash);
	entry = set ? find_entry(set, flow_tag(packet->flow_hash)) : NO_ENTRY;
	if (unlikely(entry >= FLOW_SET_ENTRIES || !(set->counted & set->fresh & 1 << entry)))
		return NULL;
	packet->backend = set->backend[entry];
	packet->new_flow = false;
	packet->syn_again = false;
	packet->established = false;
	return usable_backend(packet, service, packet->backend);
}

/* Leaves *backend at NULL when one is to be selected. */
static __always_inline int find_flow(struct xdp_md *ctx, struct packet *packet,
				     const struct service *service, const struct backend **backend)
{
	int verdict;

	packet->flow_hash = place_flow(packet, service);
	packet->cpu = bpf_get_smp_processor_id();
	packet->backend = BACKEND_NONE;
	packet->remembered = false;
	packet->new_flow = false;
	packet->syn_again = false;
	packet->established = false;

	/* A QUIC server id says more than addresses do: it stays when a client changes its own. */
	if (service->server_id_bytes && !packet->error && !packet->later) {
		packet->backend = backend_of_server_id(ctx, packet->l4_bytes, service->id,
						       service->server_id_bytes);
		*backend = usable_backend(packet, service, packet->backend);
		if (*backend)
			return NEXT;
		packet->backend = BACKEND_NONE;
	}
	if (packet->error) {
		look_up_flow(packet, service->idle_rate);
	} else {
		verdict = recall_flow(packet, service->idle_rate);
		if (verdict != NEXT)
			return verdict;
		if (unlikely(packet->established))
			know_source(packet->source[0], packet->source[1]);
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
				      closes(packet) ? FLOW_CLOSED : FLOW_NEW);
	else if (closes(packet))
		return;
	else if (!opens(packet))
		remembered = remember(cpu, packet->flow_hash, packet->backend, FLOW_NEW);
	if (!remembered)
		remember_on_probation(cpu, packet);
}

#endif
