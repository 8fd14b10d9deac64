/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A router between here and a backend that cannot pass on what we sent tells our tunnel's source, so
 * the client has to be told by us (RFC 2003, 4; RFC 2473, 8.1).
 */
#ifndef SLUICE_BPF_RELAY_H
#define SLUICE_BPF_RELAY_H

#include <linux/icmpv6.h>

#include "chain.h"
#include "fragment.h"
#include "icmp.h"
#include "packet.h"

/* Set by the loader. */
const volatile __be16 gue_port = bpf_htons(GUE_PORT);

/*
 * What parse_unusual() says of such an error. Then l4_bytes is where the client's packet begins,
 * ipv4 its family and length_bytes the MTU that is left for it.
 */
#define RELAY (-3)

static __always_inline bool is_too_big(const struct icmp_head *icmp, bool ipv4)
{
	if (ipv4)
		return icmp->type == ICMPV4_UNREACHABLE &&
		       icmp->code == ICMPV4_FRAGMENTATION_NEEDED;
	return icmp->type == ICMPV6_PKT_TOOBIG;
}

/* IPv4's has 16 bits, behind unused ones (RFC 1191, 4); no packet of ours is longer than those say. */
static __always_inline __u32 told_mtu_bytes(const struct icmp_head *icmp, bool ipv4)
{
	__u32 mtu_bytes = bpf_ntohl(icmp->rest);

	if (ipv4)
		return mtu_bytes & 0xffff;
	return mtu_bytes < 0xffff ? mtu_bytes : 0xffff;
}

/* Where the packet begins that the quoted outer header, which ends at chain->l4_bytes, is around. */
static __always_inline __u32 find_inner(struct xdp_md *ctx, const struct chain *chain, bool *ipv4)
{
	struct udphdr *udp;
	struct gue_header *gue;

	if (chain->protocol == IPPROTO_IPIP || chain->protocol == IPPROTO_IPV6) {
		*ipv4 = chain->protocol == IPPROTO_IPIP;
		return chain->l4_bytes;
	}
	udp = at(ctx, chain->l4_bytes, sizeof(*udp) + sizeof(*gue));
	if (chain->protocol != IPPROTO_UDP || !udp || udp->dest != gue_port)
		return 0;
	gue = (void *)(udp + 1);
	*ipv4 = gue->protocol == IPPROTO_IPIP;
	return chain->l4_bytes + sizeof(*udp) + 4 + (gue->length & 0x1f) * 4;
}

/*
 * Is the error about a packet of our tunnels, and the one inside it a client's to a VIP of ours, of
 * a kind whose sender may be told?
 */
static __always_inline bool parse_tunnel_error(struct xdp_md *ctx, struct packet *packet,
					       const struct icmp_head *icmp)
{
	__u32 mtu_bytes = told_mtu_bytes(icmp, packet->ipv4);
	__u32 l3_bytes = packet->l4_bytes + sizeof(*icmp);
	struct packet outer, inner;
	struct chain chain = {};
	__u32 inner_bytes;
	bool ipv4;

	/* Ethernet pads nothing as long as this, and what stands behind it is nobody's quote. */
	if (packet->l3_bytes != ETH_HLEN ||
	    packet->frame_bytes != packet->l3_bytes + packet->length_bytes ||
	    !read_chain(ctx, l3_bytes, packet->ipv4, &outer, &chain))
		return false;
	inner_bytes = chain.later ? 0 : find_inner(ctx, &chain, &ipv4);
	if (!inner_bytes || mtu_bytes <= inner_bytes - l3_bytes ||
	    !read_chain(ctx, inner_bytes, ipv4, &inner, &chain))
		return false;
	if (chain.later || !is_tcp_or_udp(chain.protocol) || !find_vip(&inner))
		return false;
	packet->l4_bytes = inner_bytes;
	packet->ipv4 = ipv4;
	packet->length_bytes = mtu_bytes - (inner_bytes - l3_bytes);
	return true;
}

/* Take off everything in front of the packet that begins at @inner_bytes, but Ethernet. */
__noinline bool cut_to_inner(struct xdp_md *ctx, __u32 inner_bytes, bool ipv4)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr eth;

	if (data + sizeof(eth) > end)
		return false;
	__builtin_memcpy(&eth, data, sizeof(eth));
	eth.h_proto = bpf_htons(ipv4 ? ETH_P_IP : ETH_P_IPV6);
	if (bpf_xdp_adjust_head(ctx, (int)inner_bytes - ETH_HLEN))
		return false;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + sizeof(eth) > end)
		return false;
	__builtin_memcpy(data, &eth, sizeof(eth));
	return true;
}

/* Turn the error into one for the client. */
static __always_inline int relay_too_big(struct xdp_md *ctx, const struct packet *packet)
{
	record_drop(ctx, drop(DROP_TOO_BIG), packet->frame_bytes);
	if (!cut_to_inner(ctx, packet->l4_bytes, packet->ipv4))
		return XDP_DROP;
	return answer_too_big(ctx, ETH_HLEN, packet->ipv4, packet->length_bytes);
}

#endif
