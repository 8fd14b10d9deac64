/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stage parse, for what is not plain: VLAN tags, IPv4 options, IPv6 extension headers, fragments,
 * ICMP. One call away from the packets that are many.
 */
#ifndef SLUICE_BPF_UNUSUAL_H
#define SLUICE_BPF_UNUSUAL_H

#include "chain.h"
#include "error.h"
#include "fragment.h"
#include "icmp.h"
#include "packet.h"
#include "read.h"
#include "relay.h"

#define ICMPV4_ECHO_REQUEST 8 /* RFC 792; more of them in icmp.h and error.h */

/* Of what follows the quoted IP header only 8 bytes need be there (RFC 792). */
static __always_inline int parse_error(struct xdp_md *ctx, struct packet *packet)
{
	__u32 l3_bytes = packet->l4_bytes + sizeof(struct icmp_head);
	struct packet quoted;
	struct chain chain = {};
	__be16 *ports;

	if (!read_chain(ctx, l3_bytes, packet->ipv4, &quoted, &chain) || chain.later)
		return XDP_PASS;
	ports = at(ctx, chain.l4_bytes, QUOTED_L4_BYTES);
	if (!ports || chain.l4_bytes + QUOTED_L4_BYTES > packet->l3_bytes + packet->length_bytes)
		return XDP_PASS;
	quoted.protocol = chain.protocol;
	return join_quoted(packet, &quoted, ports) ? NEXT : XDP_PASS;
}

/* Errors about our flows or our tunnels, and echo requests to our VIPs. */
static __always_inline int parse_icmp(struct xdp_md *ctx, struct packet *packet)
{
	struct icmp_head *icmp = at(ctx, packet->l4_bytes, sizeof(*icmp));

	if (!icmp || packet->l4_bytes + sizeof(*icmp) > packet->l3_bytes + packet->length_bytes)
		return XDP_PASS;
	if (is_too_big(icmp, packet->ipv4) && parse_tunnel_error(ctx, packet, icmp))
		return RELAY;
	if (is_error(icmp->type, packet->ipv4))
		return parse_error(ctx, packet);
	if (icmp->type != (packet->ipv4 ? ICMPV4_ECHO_REQUEST : ICMPV6_ECHO_REQUEST) || icmp->code)
		return XDP_PASS;
	packet->echo = true;
	return use_vip_port(packet);
}

static __always_inline int parse_l4(struct xdp_md *ctx, struct packet *packet)
{
	__u32 payload_bytes = packet->l3_bytes + packet->length_bytes - packet->l4_bytes;
	void *l4;

	if (packet->protocol == IPPROTO_TCP) {
		l4 = at(ctx, packet->l4_bytes, sizeof(struct tcphdr));
		return l4 ? read_tcp(packet, l4, payload_bytes) : XDP_PASS;
	}
	l4 = at(ctx, packet->l4_bytes, sizeof(struct udphdr));
	return l4 ? read_udp(packet, l4, payload_bytes) : XDP_PASS;
}

/* The IP header and what is chained to it. */
static __always_inline int parse_l3(struct xdp_md *ctx, struct packet *packet, struct chain *chain)
{
	__be16 protocol = 0;
	__u32 l3_bytes = skip_tags(ctx, &protocol);
	bool ipv4 = protocol == bpf_htons(ETH_P_IP);

	if (!l3_bytes || (!ipv4 && protocol != bpf_htons(ETH_P_IPV6)) ||
	    !read_chain(ctx, l3_bytes, ipv4, packet, chain) ||
	    (ipv4 && !ipv4_checksum_is_right(ctx, l3_bytes)))
		return XDP_PASS;
	packet->protocol = chain->protocol;
	return read_lengths(ctx, packet, l3_bytes, chain->l4_bytes - l3_bytes) ? NEXT : XDP_PASS;
}

/* Not on the stack, of which there are 512 bytes for lb() and what it calls. */
static __always_inline struct packet *packet_in_scratch(void)
{
	__u32 zero = 0;

	_Static_assert(sizeof(struct packet) <= SCRATCH_BYTES, "a packet in scratch");
	return bpf_map_lookup_elem(&scratch, &zero);
}

/* What it finds is left in scratch. */
__noinline int read_unusual(struct xdp_md *ctx)
{
	struct packet *packet = packet_in_scratch();
	struct chain chain = {};
	int verdict;

	if (!packet)
		return XDP_PASS;
	__builtin_memset(packet, 0, sizeof(*packet));
	verdict = parse_l3(ctx, packet, &chain);
	if (verdict != NEXT)
		return verdict;
	packet->fragment = chain.fragment;
	packet->later = chain.later;
	if (is_tcp_or_udp(packet->protocol)) {
		verdict = chain.later ? NEXT : parse_l4(ctx, packet);
		/* What it sums up to is known without a look at it (gue.h) of whole, plain packets. */
		if (chain.fragment ||
		    (!packet->ipv4 &&
		     packet->l4_bytes != packet->l3_bytes + sizeof(struct ipv6hdr)))
			packet->checksummed = false;
		if (verdict == NEXT && chain.fragment)
			verdict = join_fragments(packet, chain.identification);
		return verdict;
	}
	if (!chain.fragment && packet->protocol == (packet->ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return parse_icmp(ctx, packet);
	return XDP_PASS;
}

/* Errors first: they come in floods, and need no call. */
static __always_inline int parse_unusual(struct xdp_md *ctx, struct packet *packet, __be16 protocol)
{
	const struct packet *read;
	int verdict = UNUSUAL;

	if (protocol == bpf_htons(ETH_P_IP))
		verdict = parse_plain_error(ctx, packet, true);
	else if (protocol == bpf_htons(ETH_P_IPV6))
		verdict = parse_plain_error(ctx, packet, false);
	if (verdict == NEXT)
		return NEXT;
	read = packet_in_scratch();
	if (!read)
		return XDP_PASS;
	verdict = read_unusual(ctx);
	*packet = *read;
	return verdict;
}

#endif
