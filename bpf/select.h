/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage select: a backend for a flow that has none. */
#ifndef SLUICE_BPF_SELECT_H
#define SLUICE_BPF_SELECT_H

#include "../maps/maps.bpf.h"
#include "branchless.h"
#include "flow.h"
#include "packet.h"

/* Made by the loader from the seed that all balancers share. */
const volatile struct hash_key slot_key = {};

/*
 * A key of the race carries its candidate's id in the low 16 bits, so that the smallest key is the
 * pick. The bits that the id replaces decide one toss in 2^30.
 */
#define KEY_ID_BITS 16
#define KEY_NEVER   (~0ULL >> 1)

static __always_inline const struct weight *weight_of(__u16 id)
{
	__u32 key = id;

	return bpf_map_lookup_elem(&weights, &key);
}

/* Where a CPU's counts begin is @counts. */
static __always_inline __u64 open_flow_count(__u32 counts, __u16 id)
{
	__u32 key = counts + id;
	__s64 *count = bpf_map_lookup_elem(&open_flows, &key);

	return count && *count > 0 ? *count : 0;
}

/* A race of uniforms, each divided by its bias: the smallest wins. */
static __always_inline __u64 coin_key(const struct weight *weight, __u16 id, __u32 half,
				      __u32 coin_bits)
{
	__u64 reciprocal, key;

	if (!weight) /* CANDIDATE_NONE */
		return KEY_NEVER;
	reciprocal = weight->half[half].coin_reciprocal;
	if (!reciprocal) /* of a bias of 0: takes no new flows */
		return KEY_NEVER;
	key = (__u32)(coin_bits * weight->coin_multiplier) * reciprocal >> (KEY_ID_BITS + 1);
	asm volatile("" : "+r"(key)); /* two shifts are less than the mask that would come of it */
	return key << KEY_ID_BITS | id;
}

/*
 * If @pick is much busier than the candidate with the fewest open flows for its share, that one.
 * Much busier is 5/4 of what the other would be with this flow. Loads are counts of open flows
 * divided by shares, times 2^32.
 */
static __always_inline __u16 less_busy(__u16 pick, const __u16 *id, const struct weight **weight,
				       __u32 half, __u32 counts)
{
	__u64 picked_count = open_flow_count(counts, pick);
	const struct weight *picked;
	__u64 least_load = ~0ULL >> 1;
	__u64 least = pick;

	if (!picked_count) /* nobody has fewer */
		return pick;
	picked = weight_of(pick);
	if (!picked)
		return pick;
#pragma unroll
	for (int i = 0; i < CANDIDATES; i++) {
		__u64 reciprocal = weight[i] ? weight[i]->half[half].count_reciprocal : 0;
		__u64 load, wins;

		if (!reciprocal)
			continue;
		load = (open_flow_count(counts, id[i]) + 1) * reciprocal;
		wins = less_mask(load, least_load);
		least ^= (least ^ id[i]) & wins;
		least_load ^= (least_load ^ load) & wins;
	}
	if (picked_count * picked->half[half].count_reciprocal * 4 > least_load * 5)
		return least;
	return pick;
}

static __always_inline __u16 toss_slot(const struct slot *slot, const struct packet *packet,
				       __u32 coin_bits, bool local_count)
{
	__u16 id[CANDIDATES] = {slot->candidate[0], slot->candidate[1], slot->candidate[2]};
	const struct weight *weight[CANDIDATES];
	__u64 first = KEY_NEVER;

	/* All lookups before all that is made of them: each takes the registers away. */
#pragma unroll
	for (int i = 0; i < CANDIDATES; i++)
		weight[i] = weight_of(id[i]);
#pragma unroll
	for (int i = 0; i < CANDIDATES; i++)
		first = smaller(first, coin_key(weight[i], id[i], half_of(packet), coin_bits));
	if (first == KEY_NEVER)
		return BACKEND_NONE;
	if (!local_count)
		return first;
	return less_busy(first, id, weight, half_of(packet), packet->cpu * backends_max);
}

static __always_inline __u64 slot_hash(const struct packet *packet, const struct service *service)
{
	return hash_words(&slot_key, packet->source[0], packet->source[1],
			  packet->ports ^ service->slot_seed);
}

/*
 * While candidates have just changed, a TCP flow that is under way and has no entry (it came from
 * another balancer, or was evicted) belongs where the slots before the change say.
 */
static __always_inline bool by_old_slots(const struct packet *packet, const struct service *service)
{
	return service->old_until_ns && packet->protocol == IPPROTO_TCP && !opens(packet) &&
	       bpf_ktime_get_coarse_ns() < service->old_until_ns;
}

static __always_inline int select_backend(struct packet *packet, const struct service *service,
					  const struct backend **backend)
{
	bool local_count = service->flags & SERVICE_LOCAL_COUNT;
	__u32 base = service->slot_base;
	__u32 mask = service->slot_mask;
	__u64 hash;

	if (*backend)
		return NEXT;

	/* An entry was found that is of no use any more; of errors see below. */
	if (packet->backend != BACKEND_NONE && !packet->error)
		forget_on_probation(packet->cpu, packet->flow_hash);
	hash = slot_hash(packet, service);
	if (by_old_slots(packet, service)) {
		base = service->old_slot_base;
		mask = service->old_slot_mask;
		local_count = false;
	}
	for (__u32 probe = 0; probe <= SLOT_PROBES; probe++) {
		__u32 key = base + (((__u32)hash + probe) & mask);
		struct slot *slot = bpf_map_lookup_elem(&slots, &key);

		if (!slot)
			return drop(DROP_NO_STATE);
		packet->backend = toss_slot(slot, packet, hash >> 32, local_count);
		if (packet->backend != BACKEND_NONE)
			break;
	}
	if (packet->backend == BACKEND_NONE)
		packet->backend = service->fallback;
	*backend = usable_backend(packet, service, packet->backend);
	if (!*backend)
		return drop(DROP_NO_BACKEND);
	if (packet->error)
		return NEXT; /* which anyone may send */
	packet->new_flow = true;
	remember_selected(packet);
	return NEXT;
}

#endif
