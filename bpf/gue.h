/* SPDX-License-Identifier: GPL-2.0-only */
/* Part of stage forward: packets inside GUE, which gives them a second and a third chance. */
#ifndef SLUICE_BPF_GUE_H
#define SLUICE_BPF_GUE_H

#include <linux/in6.h>

#include "../maps/maps.bpf.h"
#include "outer.h"
#include "packet.h"
#include "relay.h"
#include "select.h"

/* As many bits of the flow as fit into the ports that nobody registers (RFC 6335, 6). */
#define GUE_SOURCE_PORT 0xc000
#define GUE_SOURCE_MASK 0x3fff

/* Who may try a packet when its backend does not know the flow; NULL: nobody. */
struct next_hops {
	const struct backend *first;
	const struct backend *second; /* none without a first */
};

/* A candidate, if it serves and the family of the outer header reaches it. */
static __always_inline const struct backend *next_hop(const struct packet *packet,
						      const struct service *service,
						      const struct backend *picked, __u32 id)
{
	struct backend_halves *halves;
	const struct backend *other;

	if (id == packet->backend)
		return NULL;
	halves = bpf_map_lookup_elem(&backends, &id);
	if (!halves)
		return NULL;
	other = &halves->half[half_of(packet)];
	barrier_var(other); /* one pointer, that the verifier still knows when it comes back */
	if (other->service != service->id ||
	    (other->state != BACKEND_UP && other->state != BACKEND_DRAIN) ||
	    (other->flags ^ picked->flags) & BACKEND_OUTER_IPV4)
		return NULL;
	return other;
}

/* The slot's candidates but the one that was picked: another balancer may have picked one of them. */
static __always_inline void find_next_hops(const struct packet *packet,
					   const struct service *service,
					   const struct backend *picked, struct next_hops *hops)
{
	__u32 key = service->slot_base + ((__u32)slot_hash(packet, service) & service->slot_mask);
	const struct slot *slot = bpf_map_lookup_elem(&slots, &key);

	if (!slot)
		return;
#pragma unroll
	for (int i = 0; i < CANDIDATES; i++) {
		const struct backend *other =
			hops->second ? NULL : next_hop(packet, service, picked, slot->candidate[i]);

		if (other && hops->first)
			hops->second = other;
		else if (other)
			hops->first = other;
	}
}

static __always_inline __u32 count_hops(const struct next_hops *hops)
{
	return !hops->first ? 0 : !hops->second ? 1 : 2;
}

static __always_inline __u32 gue_bytes(const struct next_hops *hops, bool ipv4)
{
	return sizeof(struct udphdr) + sizeof(struct gue_header) +
	       count_hops(hops) * (ipv4 ? 4 : 16);
}

/*
 * The sum of all that is inside, without reading it: a right checksum makes what it covers sum up
 * to nothing, so a segment sums up to the complement of its pseudo header.
 */
static __always_inline __u64 inner_sum(const struct packet *packet, const __u32 *inner)
{
	__u32 header_bytes = packet->l4_bytes - packet->l3_bytes;
	__u32 pseudo = bpf_htons(packet->protocol) + bpf_htons(packet->length_bytes - header_bytes);

	if (packet->ipv4)
		return 0xffff ^ fold((__u64)pseudo + inner[3] + inner[4]);
	/* An IPv6 header is not covered; its addresses cancel out with those of the pseudo header. */
	return (0xffff ^ fold(pseudo)) + (__u64)inner[0] + inner[1];
}

/* An address of IPv6 and its sum; the frame ends at @end. */
static __always_inline bool write_hop_ipv6(__u64 *to, void *end, const struct backend *hop,
					   __u64 *sum)
{
	const __u64 *address = (const __u64 *)hop->address;

	if ((void *)(to + 2) > end)
		return false;
	to[0] = address[0];
	to[1] = address[1];
	*sum += (address[0] & 0xffffffff) + (address[0] >> 32);
	*sum += (address[1] & 0xffffffff) + (address[1] >> 32);
	return true;
}

/* Behind the GUE header. */
static __always_inline bool write_hops(void *at, void *end, const struct next_hops *hops, bool ipv4,
				       __u64 *sum)
{
	__be32 *address = at;

	if (!ipv4)
		return (!hops->first || write_hop_ipv6(at, end, hops->first, sum)) &&
		       (!hops->second || write_hop_ipv6(at + 16, end, hops->second, sum));
	/* Room for both in any case: the IP header inside is longer. */
	if ((void *)(address + GUE_HOPS_MAX) > end)
		return false;
	if (hops->first)
		address[0] = hops->first->address[3];
	if (hops->second)
		address[1] = hops->second->address[3];
	return true;
}

/*
 * UDP, GUE and the next hops, behind the outer IP header that is there already.
 *
 * IPv4 needs no UDP checksum (RFC 768). IPv6 gets one where it costs no look at the payload, else
 * 0, which RFC 6935 allows to tunnels.
 */
static __always_inline int write_gue(struct xdp_md *ctx, const struct packet *packet,
				     const struct next_hops *hops, bool ipv4)
{
	__u32 bytes = gue_bytes(hops, ipv4);
	__u32 words = (bytes - sizeof(struct udphdr) - 4) / 4;
	void *end = (void *)(long)ctx->data_end;
	void *udp = (void *)(long)ctx->data + ETH_HLEN + outer_ip_bytes(ipv4);
	__u32 inner_protocol = packet->ipv4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	__u32 source_port = GUE_SOURCE_PORT | (packet->flow_hash >> 32 & GUE_SOURCE_MASK);
	__u32 *word = udp;
	__u64 sum = 0;
	__u32 *inner;

	if (udp + sizeof(struct udphdr) + sizeof(struct gue_header) > end ||
	    !write_hops(udp + sizeof(struct udphdr) + sizeof(struct gue_header), end, hops, ipv4,
			&sum))
		return drop(DROP_NO_ROOM);
	word[0] = bpf_htons(source_port) | (__u32)gue_port << 16;
	word[1] = bpf_htons(packet->length_bytes + bytes);
	word[2] = bpf_htonl(words << 24 | inner_protocol << 16);
	word[3] = bpf_htonl(count_hops(hops));
	if (ipv4 || !packet->checksummed)
		return NEXT;

	inner = udp + (bytes & 0x3f); /* 48 at most, which the verifier cannot know */
	barrier_var(inner); /* one register, or the verifier does not see what the check is about */
	if ((void *)(inner + 5) > end)
		return drop(DROP_NO_ROOM);
	sum += (__u64)word[-8] + word[-7] + word[-6] + word[-5]; /* the outer source */
	sum += (__u64)word[-4] + word[-3] + word[-2] + word[-1];
	sum += (__u64)word[0] + word[1] + word[1] + word[2] + word[3] + bpf_htons(IPPROTO_UDP);
	sum = fold(sum + inner_sum(packet, inner));
	/* The checksum that is 0 is sent as its other form (RFC 768). */
	word[1] |= (sum == 0xffff ? 0xffff : 0xffff ^ (__u32)sum) << 16;
	return NEXT;
}

#endif
