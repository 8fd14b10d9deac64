/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage forward: send the packet to its backend. */
#ifndef SLUICE_BPF_FORWARD_H
#define SLUICE_BPF_FORWARD_H

#include <stddef.h>

#include "../maps/maps.bpf.h"
#include "account.h"
#include "packet.h"
#include "parse.h"

#define OUTER_TTL 64u

/*
 * Headers are written in words: the compiler copies what it must take for unaligned byte by byte,
 * and a load that spans two stores in flight waits for both.
 */
static __always_inline void write_ethernet(void *frame, const struct backend *backend,
					   __be16 protocol)
{
	const __u32 *macs = (const __u32 *)backend->next_hop_mac; /* and egress_mac behind it */
	__u32 *to = frame;

	to[0] = macs[0];
	to[1] = macs[1];
	to[2] = macs[2];
	((struct ethhdr *)frame)->h_proto = protocol;
}

/* We are a router on the way (RFC 2003, 3.1). The checksum is updated as in RFC 1624. */
static __always_inline bool decrease_ttl(const struct packet *packet, void *data, void *end)
{
	if (packet->ipv4) {
		struct iphdr *ip = data + ETH_HLEN;
		__u32 check;

		if ((void *)(ip + 1) > end)
			return false;
		check = ip->check + bpf_htons(0x0100);
		ip->check = check + (check >= 0xffff);
		ip->ttl = packet->ttl - 1;
	} else {
		struct ipv6hdr *ip = data + ETH_HLEN;

		if ((void *)(ip + 1) > end)
			return false;
		ip->hop_limit = packet->ttl - 1;
	}
	return true;
}

/*
 * Source addresses and flow labels of the outer header vary by flow, so that a receiver that
 * spreads packets over its queues by the outer header alone spreads flows (RFC 6438).
 */
static __always_inline __be32 vary_by_flow(const struct packet *packet, __be32 word, __be32 vary)
{
	return word | ((__u32)(packet->flow_hash >> 32) & vary);
}

static __always_inline __u32 halves_sum(__u32 word)
{
	return (word & 0xffff) + (word >> 16);
}

/*
 * Not to be fragmented, so it needs no identification (RFC 6864). ECN is copied with the rest of
 * the traffic class (RFC 6040, 4.1). The checksum is RFC 1071's, over the words as they stand.
 */
static __always_inline void write_outer_ipv4(void *header, const struct packet *packet,
					     const struct backend *backend)
{
	__u8 inner = packet->ipv4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	__u32 *word = header;
	__be32 first = bpf_htonl(0x45u << 24 | packet->traffic_class << 16 |
				 (packet->length_bytes + sizeof(struct iphdr)));
	__be32 second = bpf_htonl(0x4000);
	__be32 third = bpf_htonl(OUTER_TTL << 24 | inner << 16);
	__be32 source = vary_by_flow(packet, backend->source[3], backend->source_vary);
	__be32 destination = backend->address[3];
	__u32 sum = halves_sum(first) + halves_sum(second) + halves_sum(third) +
		    halves_sum(source) + halves_sum(destination);

	sum = halves_sum(halves_sum(sum));
	word[0] = first;
	word[1] = second;
	word[2] = third | (~sum << 16);
	word[3] = source;
	word[4] = destination;
}

static __always_inline void write_outer_ipv6(void *header, const struct packet *packet,
					     const struct backend *backend)
{
	__u8 inner = packet->ipv4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	const __u64 *destination = (const __u64 *)backend->address;
	__u32 *word = header;
	__u64 *address = header + offsetof(struct ipv6hdr, saddr);

	word[0] = bpf_htonl(6u << 28 | packet->traffic_class << 20 |
			    ((__u32)(packet->flow_hash >> 32) & 0xfffff));
	word[1] = bpf_htonl(packet->length_bytes << 16 | inner << 8 | OUTER_TTL);
	address[0] = *(const __u64 *)backend->source;
	word[4] = backend->source[2];
	word[5] = vary_by_flow(packet, backend->source[3], backend->source_vary);
	address[2] = destination[0];
	address[3] = destination[1];
}

static __always_inline int encapsulate(struct xdp_md *ctx, const struct packet *packet,
				       const struct backend *backend, __u32 outer_bytes)
{
	void *data, *end;

	if (bpf_xdp_adjust_head(ctx, -(int)outer_bytes))
		return drop(packet, DROP_NO_ROOM);
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;

	if (backend->flags & BACKEND_OUTER_IPV4) {
		if (data + ETH_HLEN + sizeof(struct iphdr) > end)
			return drop(packet, DROP_NO_ROOM);
		write_ethernet(data, backend, bpf_htons(ETH_P_IP));
		write_outer_ipv4(data + ETH_HLEN, packet, backend);
	} else {
		if (data + ETH_HLEN + sizeof(struct ipv6hdr) > end)
			return drop(packet, DROP_NO_ROOM);
		write_ethernet(data, backend, bpf_htons(ETH_P_IPV6));
		write_outer_ipv6(data + ETH_HLEN, packet, backend);
	}
	return NEXT;
}

static __always_inline int send_dsr(struct xdp_md *ctx, const struct packet *packet,
				    const struct backend *backend)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	if (data + ETH_HLEN > end)
		return drop(packet, DROP_NO_STATE);
	write_ethernet(data, backend, bpf_htons(packet->ipv4 ? ETH_P_IP : ETH_P_IPV6));
	return NEXT;
}

static __always_inline int forward(struct xdp_md *ctx, const struct packet *packet,
				   const struct service *service, const struct backend *backend)
{
	__u32 outer_bytes = 0;
	int verdict;

	if (!(backend->flags & BACKEND_REACHABLE))
		return drop(packet, DROP_NO_NEXT_HOP);
	if (packet->ttl <= 1)
		return drop(packet, DROP_TTL_EXPIRED);
	if (service->forward == FORWARD_IPIP)
		outer_bytes = backend->flags & BACKEND_OUTER_IPV4 ? sizeof(struct iphdr) :
								    sizeof(struct ipv6hdr);
	if (packet->length_bytes + outer_bytes > backend->mtu_bytes)
		return drop(packet, DROP_TOO_BIG);

	if (!decrease_ttl(packet, (void *)(long)ctx->data, (void *)(long)ctx->data_end))
		return drop(packet, DROP_NO_STATE);
	verdict = outer_bytes ? encapsulate(ctx, packet, backend, outer_bytes) :
				send_dsr(ctx, packet, backend);
	if (verdict != NEXT)
		return verdict;

	account(packet, service);
	if (backend->egress_ifindex == ctx->ingress_ifindex)
		return XDP_TX;
	return bpf_redirect(backend->egress_ifindex, 0);
}

#endif
