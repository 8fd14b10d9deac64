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

/* Who may try a packet when its backend does not know the flow. */
struct next_hops {
	__be32 address[GUE_HOPS_MAX][4];
	__u32 count;
};

/*
 * The slot's candidates but the one that was picked, as far as they serve and the family of the
 * outer header reaches them: another balancer may have picked one of them.
 */
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
		__u32 id = slot->candidate[i];
		struct backend_halves *halves = bpf_map_lookup_elem(&backends, &id);
		const struct backend *other;
		__u32 hop = hops->count;

		if (!halves || id == packet->backend || hop >= GUE_HOPS_MAX)
			continue;
		other = &halves->half[half_of(packet)];
		if (other->service != service->id ||
		    (other->state != BACKEND_UP && other->state != BACKEND_DRAIN) ||
		    (other->flags ^ picked->flags) & BACKEND_OUTER_IPV4)
			continue;
		__builtin_memcpy(hops->address[hop], other->address, sizeof(other->address));
		hops->count = hop + 1;
	}
}

static __always_inline __u32 gue_bytes(const struct next_hops *hops, const struct backend *backend)
{
	__u32 hop_bytes = backend->flags & BACKEND_OUTER_IPV4 ? 4 : 16;

	return sizeof(struct udphdr) + sizeof(struct gue_header) + hops->count * hop_bytes;
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

/* What is written behind the outer IP header at @udp; the frame ends at @end. */
static __always_inline bool write_hops(void *udp, void *end, const struct next_hops *hops,
				       bool ipv4, __u64 *sum)
{
	__u32 *word = udp + sizeof(struct udphdr) + sizeof(struct gue_header);
	__u32 words = ipv4 ? 1 : 4;

#pragma unroll
	for (__u32 hop = 0; hop < GUE_HOPS_MAX; hop++) {
		if (hop >= hops->count)
			break;
		/* Of 16 bytes in any case: 6.1 does not see that the family decides the size. */
		if ((void *)(word + 4) > end)
			return false;
		if (ipv4) {
			word[0] = hops->address[hop][3];
		} else {
#pragma unroll
			for (int i = 0; i < 4; i++) {
				word[i] = hops->address[hop][i];
				*sum += word[i];
			}
		}
		word += words;
	}
	return true;
}

/*
 * UDP, GUE and the next hops, behind the outer IP header that is there already.
 *
 * IPv4 needs no UDP checksum (RFC 768). IPv6 gets one where it costs no look at the payload, else
 * 0, which RFC 6935 allows to tunnels.
 */
static __always_inline int write_gue(struct xdp_md *ctx, const struct packet *packet,
				     const struct backend *backend, const struct next_hops *hops)
{
	bool ipv4 = backend->flags & BACKEND_OUTER_IPV4;
	__u32 bytes = gue_bytes(hops, backend);
	__u32 words = (bytes - sizeof(struct udphdr) - 4) / 4;
	void *end = (void *)(long)ctx->data_end;
	void *udp = (void *)(long)ctx->data + ETH_HLEN + outer_ip_bytes(ipv4);
	__u32 inner_protocol = packet->ipv4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	__u32 source_port = GUE_SOURCE_PORT | (packet->flow_hash >> 32 & GUE_SOURCE_MASK);
	__u32 *word = udp;
	__u64 sum = 0;
	__u32 *inner;

	if (udp + sizeof(struct udphdr) + sizeof(struct gue_header) > end ||
	    !write_hops(udp, end, hops, ipv4, &sum))
		return drop(packet, DROP_NO_ROOM);
	word[0] = bpf_htons(source_port) | (__u32)gue_port << 16;
	word[1] = bpf_htons(packet->length_bytes + bytes);
	word[2] = bpf_htonl(words << 24 | inner_protocol << 16);
	word[3] = bpf_htonl(hops->count);
	if (ipv4 || !packet->checksummed)
		return NEXT;

	inner = udp + (bytes & 0x3f); /* 48 at most, which the verifier cannot know */
	barrier_var(inner); /* one register, or the verifier does not see what the check is about */
	if ((void *)(inner + 5) > end)
		return drop(packet, DROP_NO_ROOM);
	sum += (__u64)word[-8] + word[-7] + word[-6] + word[-5]; /* the outer source */
	sum += (__u64)word[-4] + word[-3] + word[-2] + word[-1];
	sum += (__u64)word[0] + word[1] + word[1] + word[2] + word[3] + bpf_htons(IPPROTO_UDP);
	sum = fold(sum + inner_sum(packet, inner));
	/* The checksum that is 0 is sent as its other form (RFC 768). */
	word[1] |= (sum == 0xffff ? 0xffff : 0xffff ^ (__u32)sum) << 16;
	return NEXT;
}

#endif
