/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage forward: send the packet to its backend. */
#ifndef SLUICE_BPF_FORWARD_H
#define SLUICE_BPF_FORWARD_H

#include "../maps/maps.bpf.h"
#include "account.h"
#include "packet.h"
#include "parse.h"

#define OUTER_TTL 64

static __always_inline void write_ethernet(struct ethhdr *eth, const struct backend *backend,
					   __be16 protocol)
{
	__builtin_memcpy(eth->h_dest, backend->next_hop_mac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, backend->egress_mac, ETH_ALEN);
	eth->h_proto = protocol;
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

/* The sum of a header without options, whose check field is 0 (RFC 1071). */
static __always_inline __sum16 ipv4_checksum(const struct iphdr *ip)
{
	const __u16 *word = (const __u16 *)ip;
	__u32 sum = 0;

#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += word[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/*
 * Source addresses and flow labels of the outer header vary by flow, so that a receiver that
 * spreads packets over its queues by the outer header alone spreads flows (RFC 6438).
 */
static __always_inline __be32 vary_by_flow(const struct packet *packet, __be32 word, __be32 vary)
{
	return word | ((__u32)(packet->flow_hash >> 32) & vary);
}

static __always_inline void write_outer_ipv4(struct iphdr *ip, const struct packet *packet,
					     const struct backend *backend)
{
	ip->version = 4;
	ip->ihl = 5;
	ip->tos = packet->traffic_class; /* ECN too: RFC 6040, 4.1 */
	ip->tot_len = bpf_htons(packet->length_bytes + sizeof(*ip));
	ip->id = 0; /* never fragmented, so it needs none (RFC 6864) */
	ip->frag_off = bpf_htons(0x4000);
	ip->ttl = OUTER_TTL;
	ip->protocol = packet->ipv4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	ip->check = 0;
	ip->saddr = vary_by_flow(packet, backend->source[3], backend->source_vary);
	ip->daddr = backend->address[3];
	ip->check = ipv4_checksum(ip);
}

static __always_inline void write_outer_ipv6(struct ipv6hdr *ip, const struct packet *packet,
					     const struct backend *backend)
{
	__be32 *head = (__be32 *)ip;
	__be32 *source = (__be32 *)&ip->saddr;

	head[0] = bpf_htonl(6u << 28 | packet->traffic_class << 20 |
			    ((__u32)(packet->flow_hash >> 32) & 0xfffff));
	ip->payload_len = bpf_htons(packet->length_bytes);
	ip->nexthdr = packet->ipv4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	ip->hop_limit = OUTER_TTL;
	__builtin_memcpy(&ip->saddr, backend->source, sizeof(ip->saddr));
	source[3] = vary_by_flow(packet, backend->source[3], backend->source_vary);
	__builtin_memcpy(&ip->daddr, backend->address, sizeof(ip->daddr));
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
