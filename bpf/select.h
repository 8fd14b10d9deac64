/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage select: a backend for a flow that has none. */
#ifndef SLUICE_BPF_SELECT_H
#define SLUICE_BPF_SELECT_H

#include "../maps/maps.bpf.h"
#include "flow.h"
#include "packet.h"

/* Made by the loader from the seed that all balancers share. */
const volatile struct hash_key slot_key = {};

/*
 * A coin that the biases load, and beside it the candidate with the fewest open flows for its
 * weight. Loads are counts of open flows divided by shares, times 2^32.
 */
struct toss {
	__u64 pick_key;
	__u64 pick_load;
	__u64 least_load;
	__u64 pick; /* ids */
	__u64 least;
};

/* Where a CPU's counts begin is @counts. */
static __always_inline __u32 open_flow_count(__u32 counts, __u16 backend)
{
	__u32 key = counts + backend;
	__s64 *count = bpf_map_lookup_elem(&open_flows, &key);

	return count && *count > 0 ? *count : 0;
}

/* All ones where a < b, else 0, for a and b below 2^63: a branch would be guessed wrong too often. */
static __always_inline __u64 less_mask(__u64 a, __u64 b)
{
	return (__s64)(a - b) >> 63;
}

static __always_inline void toss_candidate(struct toss *toss, __u16 id, __u32 coin_bits,
					   __u32 half, bool local_count, __u32 counts)
{
	__u32 weight_key = id;
	struct weight *weight = bpf_map_lookup_elem(&weights, &weight_key);
	const struct weight_half *loaded;
	__u64 key, load, wins;

	if (!weight) /* CANDIDATE_NONE */
		return;
	loaded = &weight->half[half];
	if (!loaded->bias)
		return;
	/* A race of uniforms, each divided by its bias: the smallest wins. */
	key = (__u64)(__u32)(coin_bits * weight->coin_multiplier) * loaded->coin_reciprocal >> 1;
	load = local_count ? (__u64)open_flow_count(counts, id) * loaded->count_reciprocal : 0;
	wins = less_mask(key, toss->pick_key);
	toss->pick ^= (toss->pick ^ id) & wins;
	toss->pick_key ^= (toss->pick_key ^ key) & wins;
	toss->pick_load ^= (toss->pick_load ^ load) & wins;

	load += loaded->count_reciprocal; /* with this flow in it */
	wins = less_mask(load, toss->least_load);
	toss->least ^= (toss->least ^ id) & wins;
	toss->least_load ^= (toss->least_load ^ load) & wins;
}

static __always_inline __u16 toss_slot(const struct slot *slot, const struct packet *packet,
				       __u32 coin_bits, bool local_count)
{
	__u32 counts = packet->cpu * backends_max;
	struct toss toss = {.pick_key = ~0ULL >> 1, .least_load = ~0ULL >> 1};

#pragma unroll
	for (int i = 0; i < CANDIDATES; i++)
		toss_candidate(&toss, slot->candidate[i], coin_bits, packet->half, local_count,
			       counts);

	/* Much busier than another: 5/4 of what the other would be with this flow. */
	if (local_count && toss.pick_load * 4 > toss.least_load * 5)
		return toss.least;
	return toss.pick;
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
	return service->old_until_ns && packet->protocol == IPPROTO_TCP && !packet->opens &&
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
			return drop(packet, DROP_NO_STATE);
		packet->backend = toss_slot(slot, packet, hash >> 32, local_count);
		if (packet->backend != BACKEND_NONE)
			break;
	}
	if (packet->backend == BACKEND_NONE)
		packet->backend = service->fallback;
	*backend = usable_backend(packet, service, packet->backend);
	if (!*backend)
		return drop(packet, DROP_NO_BACKEND);
	if (packet->error)
		return NEXT; /* which anyone may send */
	packet->new_flow = true;
	remember_selected(packet);
	return NEXT;
}

#endif
