/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets without ports: fragments learn them from their first, the rest takes the VIP's. */
#ifndef SLUICE_BPF_FRAGMENT_H
#define SLUICE_BPF_FRAGMENT_H

#include <linux/in.h>

#include "../maps/maps.bpf.h"
#include "flow_memory.h"
#include "packet.h"
#include "service.h"

/* How long the parts of a datagram may be under way, in ticks of struct fragment. By the loader. */
const volatile __u16 fragment_life_ticks = 117;

#define JIFFIES_PER_TICK_SHIFT 6

/* An entry as one word, as it is loaded and stored. */
union fragment_word {
	struct fragment fragment;
	__u64 word;
	__u32 ports; /* both */
};

static __always_inline const struct vip *find_vip(const struct packet *packet)
{
	__u64 key[2] = {packet->destination[0], packet->destination[1]};

	return bpf_map_lookup_elem(&vips, key);
}

/* A service of the VIP to stand for all of it: TCP's before UDP's. */
static __always_inline int use_vip_port(struct packet *packet)
{
	const struct vip *vip = find_vip(packet);

	if (!vip)
		return XDP_PASS;
	packet->protocol = vip->protocols & VIP_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	packet->service_port = vip->protocols & VIP_TCP ? vip->tcp_port : vip->udp_port;
	return NEXT;
}

/*
 * The first fragment teaches its ports. A later one that comes before it goes by the addresses
 * alone, as a flow with ports 0 of the VIP's lowest port, and so does the rest of the datagram.
 */
static __always_inline int join_fragments(struct packet *packet, __be32 identification)
{
	const struct vip *vip = find_vip(packet);
	const struct service *service;
	__u64 destination_hash, hash;
	union fragment_word *entry, known, fresh = {};
	bool tcp = packet->protocol == IPPROTO_TCP;
	bool met;
	__u32 key;

	if (!vip || !(vip->protocols & (tcp ? VIP_TCP : VIP_UDP)))
		return XDP_PASS;
	destination_hash = hash_words(&flow_key, packet->destination[0], packet->destination[1],
				      identification | (__u64)packet->protocol << 32);
	hash = hash_words(&flow_key, packet->source[0], packet->source[1], destination_hash);
	key = hash & (FRAGMENTS_MAX - 1);
	entry = bpf_map_lookup_elem(&fragments, &key);
	if (!entry)
		return XDP_PASS;

	known.word = *(volatile __u64 *)&entry->word;
	fresh.fragment.tag = flow_tag(hash);
	fresh.fragment.tick = bpf_jiffies64() >> JIFFIES_PER_TICK_SHIFT;
	met = known.fragment.tag == fresh.fragment.tag &&
	      (__u16)(fresh.fragment.tick - known.fragment.tick) < fragment_life_ticks;
	if (!met || (!packet->later && known.ports)) {
		fresh.ports = packet->ports; /* a later one has none */
		*(volatile __u64 *)&entry->word = fresh.word;
		if (!packet->later)
			return NEXT;
		known = fresh;
	} else if (!packet->later && find_service(packet, &service) != NEXT) {
		/* Or whoever sends a later one first would reach the ports that no service has. */
		return XDP_PASS;
	}
	packet->ports = known.ports;
	if (known.ports)
		packet->service_port = known.fragment.destination_port;
	else
		packet->service_port = tcp ? vip->tcp_port : vip->udp_port;
	return NEXT;
}

#endif
