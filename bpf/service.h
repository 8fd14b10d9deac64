/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage service: which service a packet is for. */
#ifndef SLUICE_BPF_SERVICE_H
#define SLUICE_BPF_SERVICE_H

#include "../maps/maps.bpf.h"
#include "packet.h"

/* One array read and a full compare: userspace chose a key under which no two services collide. */
static __always_inline const struct service *service_at(const struct packet *packet, __u32 half,
							__u64 hash, __be16 port)
{
	__u32 place = hash >> (64 - SERVICE_TABLE_BITS);
	struct service_place *found = bpf_map_lookup_elem(&services, &place);
	const struct service *service;
	const __u64 *vip;

	if (!found)
		return NULL;
	service = &found->half[half];
	barrier_var(service); /* one pointer, not one for each field */
	vip = (const __u64 *)service->vip;
	if (vip[1] != packet->destination[1] || vip[0] != packet->destination[0] ||
	    service->port != port || service->protocol != packet->protocol)
		return NULL;
	return service;
}

/*
 * Also where the packet decides for one generation of the state and for one rule set: read once,
 * here, and used by every later stage through packet->half and packet->policy.
 */
static __always_inline int find_service(struct packet *packet, const struct service **service)
{
	__u32 zero = 0;
	struct control *state = bpf_map_lookup_elem(&control, &zero);
	const struct layout *layout;
	__u32 half; /* the verifier forgets it where the packet is in a map */
	__u64 hash;

	if (!state)
		return XDP_PASS;
	half = *(volatile __u64 *)&state->generation & 1;
	packet->half = half;
	packet->policy = *(volatile __u32 *)&state->policy; /* all that counts for a packet */
	layout = &state->layout[half];

	hash = hash_service(&layout->key, packet->destination[0], packet->destination[1],
			    packet->service_port, packet->protocol);
	*service = service_at(packet, half, hash, packet->service_port);
	if (*service)
		return NEXT;
	if (layout->any_port) {
		hash -= packet->service_port * layout->key.word[3];
		*service = service_at(packet, half, hash, 0);
		if (*service)
			return NEXT;
	}
	return unlikely(packet->policy & POLICY_ALL_TRAFFIC) ? NOT_OURS : XDP_PASS;
}

#endif
