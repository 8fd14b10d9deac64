/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A node's third stage: give a packet of an unknown connection to the next hop of its list, with
 * this node as the sender.
 */
#ifndef SLUICE_BPF_NODE_HOP_H
#define SLUICE_BPF_NODE_HOP_H

#include <stddef.h>
#include "checksum.h"
#include "node_tunnel.h"
#include "packet.h"

#define AF_INET  2
#define AF_INET6 10

/*
 * Routes are asked for as for packets of this machine's own, which is what they become. The helper
 * wants forwarding allowed on the device it is told: a node is no router, so the loader allows it
 * on lo alone, where nothing comes in from outside.
 */
#define LOOPBACK_IFINDEX 1

#define HOPS_IPV4_MASK 31 /* Hlen has no room for more */
#define HOPS_IPV6_MASK 7

/* An echo request without data (RFC 792; RFC 4443, 4.1): type, code, checksum, id and number 0. */
#define PING_BYTES      8u
#define PING_IPV4_BYTES (sizeof(struct iphdr) + PING_BYTES)
#define PING_IPV4_TYPE  8u
#define PING_IPV6_TYPE  128u
#define PING_TTL        64u

/* What takes @from's place with @to adds to a sum. */
static __always_inline __u64 replace_words(const __be32 *from, const __be32 *to, __u32 count)
{
	__u64 difference = 0;

#pragma unroll
	for (__u32 i = 0; i < count; i++)
		difference += (__u64)~from[i] + to[i];
	return difference;
}

/* Copies the address of the hop to try next; false: it is not in the frame. */
static __always_inline bool read_hop(const struct tunnel *tunnel, void *data, void *end,
				     __be32 hop[4])
{
	void *hops = data + tunnel->ip_at + tunnel->ip_bytes + sizeof(struct udphdr) +
		     sizeof(struct gue_header);

	if (tunnel->ipv4) {
		__be32 *address = hops + (tunnel->next_hop & HOPS_IPV4_MASK) * sizeof(__be32);

		if ((void *)(address + 1) > end)
			return false;
		hop[0] = *address;
	} else {
		__be32 *address = hops + (tunnel->next_hop & HOPS_IPV6_MASK) * 16;

		if ((void *)(address + 4) > end)
			return false;
		__builtin_memcpy(hop, address, 16);
	}
	return true;
}

/* Ask the kernel's routes and neighbours for the way; returns what the helper does. */
static __always_inline long find_way(struct xdp_md *ctx, const struct tunnel *tunnel, void *header,
				     const struct udphdr *udp, const __be32 hop[4],
				     struct bpf_fib_lookup *way)
{
	way->l4_protocol = IPPROTO_UDP;
	way->sport = udp->source;
	way->dport = udp->dest;
	way->ifindex = LOOPBACK_IFINDEX;
	if (tunnel->ipv4) {
		struct iphdr *ip = header;

		way->family = AF_INET;
		way->tot_len = bpf_ntohs(ip->tot_len);
		way->tos = ip->tos & ~ECN_MASK;
		way->ipv4_src = ip->daddr;
		way->ipv4_dst = hop[0];
	} else {
		struct ipv6hdr *ip = header;

		way->family = AF_INET6;
		way->tot_len = sizeof(*ip) + bpf_ntohs(ip->payload_len);
		way->flowinfo = *(__be32 *)ip & bpf_htonl(0x0fffffff);
		__builtin_memcpy(way->ipv6_src, &ip->daddr, 16);
		__builtin_memcpy(way->ipv6_dst, hop, 16);
	}
	return bpf_fib_lookup(ctx, way, sizeof(*way), 0);
}

/* From us to @hop, one router further. Returns what the addresses change in a sum. */
static __always_inline __u64 readdress_ipv4(struct iphdr *ip, const __be32 hop[4])
{
	__u64 difference = replace_words(&ip->saddr, hop, 1);

	ip->saddr = ip->daddr;
	ip->daddr = hop[0];
	ip->ttl--;
	ip->check = adjust_checksum(ip->check, difference + (__u16)~bpf_htons(0x0100));
	return difference;
}

static __always_inline __u64 readdress_ipv6(struct ipv6hdr *ip, const __be32 hop[4])
{
	__u64 difference = replace_words(ip->saddr.s6_addr32, hop, 4);

	ip->saddr = ip->daddr;
	__builtin_memcpy(&ip->daddr, hop, 16);
	ip->hop_limit--;
	return difference;
}

static __always_inline void readdress(const struct tunnel *tunnel, void *header, struct udphdr *udp,
				      const __be32 hop[4])
{
	struct gue_header *gue = (void *)(udp + 1);
	__u64 difference;

	difference = tunnel->ipv4 ? readdress_ipv4(header, hop) : readdress_ipv6(header, hop);
	gue->next_hop++;
	if (udp->check) {
		udp->check = adjust_checksum(udp->check, difference + bpf_htons(0x0100));
		if (!udp->check) /* 0 would say that there is none (RFC 768) */
			udp->check = 0xffff;
	}
}

/*
 * Only the kernel can ask for a neighbour, and it does when it has something to send there. So the
 * packet becomes a ping of the hop's, for the kernel to answer. The packet is lost, TCP sends it
 * again, and by then the way is known; the kernel would reset the connection if it saw the packet.
 */
static __always_inline void become_ping_ipv4(struct iphdr *ip, const __be32 hop[4])
{
	__be32 *word = (void *)ip;
	__be32 first = bpf_htonl(0x45u << 24 | PING_IPV4_BYTES);
	__be32 third = bpf_htonl(PING_TTL << 24 | IPPROTO_ICMP << 16);
	__u64 sum = (__u64)first + third + hop[0] + ip->daddr;

	word[0] = first;
	word[1] = 0;
	word[2] = third | ~(__u32)fold(sum) << 16;
	word[3] = hop[0];
	word[5] = bpf_htonl(PING_IPV4_TYPE << 24 | (0xffff - (PING_IPV4_TYPE << 8)));
	word[6] = 0;
}

/* The pseudo-header (RFC 8200, 8.1) is both addresses, the length and the protocol. */
static __always_inline void become_ping_ipv6(struct ipv6hdr *ip, const __be32 hop[4])
{
	__be32 *word = (void *)ip;
	__u64 sum =
		bpf_htons(PING_BYTES) + bpf_htons(IPPROTO_ICMPV6) + bpf_htons(PING_IPV6_TYPE << 8);

	sum = add_words(add_words(sum, hop, 16), &ip->daddr, sizeof(ip->daddr));
	word[0] = bpf_htonl(6u << 28);
	word[1] = bpf_htonl(PING_BYTES << 16 | IPPROTO_ICMPV6 << 8 | PING_TTL);
	__builtin_memcpy(word + 2, hop, 16);
	word[10] = bpf_htonl(PING_IPV6_TYPE << 24) | ~(__u32)fold(sum) << 16;
	word[11] = 0;
}

/* A packet that would not survive another router goes no further. */
static __always_inline bool may_travel(const struct tunnel *tunnel, const void *header)
{
	return tunnel->ipv4 ? ((const struct iphdr *)header)->ttl > 1
			    : ((const struct ipv6hdr *)header)->hop_limit > 1;
}

/*
 * A tagged frame leaves by the VLAN it came in by, or not at all: what device a tag belongs to
 * cannot be asked for, and XDP cannot send by a VLAN device.
 */
static __always_inline int leave_by(struct xdp_md *ctx, const struct tunnel *tunnel,
				    const struct bpf_fib_lookup *way)
{
	if (tunnel->ip_at != ETH_HLEN || way->ifindex == ctx->ingress_ifindex)
		return XDP_TX;
	return bpf_redirect(way->ifindex, 0);
}

/*
 * Send the packet to the next hop of its list. Returns its verdict, or NEXT with the packet as it
 * was when there is no hop left or no way to it.
 */
static __always_inline int pass_on(struct xdp_md *ctx, const struct tunnel *tunnel,
				   struct node_counters *counters)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	void *header = data + tunnel->ip_at;
	struct udphdr *udp = header + tunnel->ip_bytes;
	struct bpf_fib_lookup way = {};
	struct ethhdr *eth = data;
	__be32 hop[4] = {};
	long result;

	if (tunnel->next_hop >= tunnel->hop_count ||
	    (void *)(udp + 1) + sizeof(struct gue_header) > end || !may_travel(tunnel, header) ||
	    !read_hop(tunnel, data, end, hop))
		return NEXT;
	result = find_way(ctx, tunnel, header, udp, hop, &way);
	if (result == BPF_FIB_LKUP_RET_NO_NEIGH) {
		if (tunnel->ipv4)
			become_ping_ipv4(header, hop);
		else
			become_ping_ipv6(header, hop);
		counters->no_neighbour++;
		return XDP_PASS;
	}
	if (result != BPF_FIB_LKUP_RET_SUCCESS)
		return NEXT;
	if (tunnel->ip_at != ETH_HLEN && way.ifindex != tunnel->ifindex)
		return NEXT;

	readdress(tunnel, header, udp, hop);
	__builtin_memcpy(eth->h_dest, way.dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, way.smac, ETH_ALEN);
	counters->passed_on++;
	return leave_by(ctx, tunnel, &way);
}

#endif
