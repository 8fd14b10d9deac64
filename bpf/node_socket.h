/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A node's second stage: does this node know the TCP connection of the packet inside?
 *
 * Sockets are looked for in the network namespace of the device. Packets that open a connection
 * (SYN), other protocols and fragments are never a stranger's: whoever gets them handles them.
 */
#ifndef SLUICE_BPF_NODE_SOCKET_H
#define SLUICE_BPF_NODE_SOCKET_H

#include <linux/tcp.h>

#include "node_tunnel.h"

#define IP_OFFSET        0x1fff
#define TCP_FLAGS_OFFSET 13
#define TCP_SYN_BIT      0x02
#define TCP_SYN_ACK_BITS 0x12

struct inner_flow {
	struct bpf_sock_tuple tuple; /* as of a packet that comes in */
	void *ip;
	void *ports;
	bool quoted; /* by an ICMP error, which may have no more of it than the ports */
};

struct tcp_ports {
	__be16 source;
	__be16 destination;
};

/* What an ICMP error quotes is a packet of ours: its source is this side of the connection. */
static __always_inline bool read_flow_ipv4(struct inner_flow *flow, void *at, void *end,
					   bool quoted)
{
	struct iphdr *ip = at;
	struct tcp_ports *ports;

	if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5 ||
	    ip->protocol != IPPROTO_TCP ||
	    ip->frag_off & bpf_htons(quoted ? IP_OFFSET : FRAGMENTED))
		return false;
	ports = at + ip->ihl * 4;
	if ((void *)ports + (quoted ? sizeof(*ports) : sizeof(struct tcphdr)) > end)
		return false;
	flow->tuple.ipv4.saddr = quoted ? ip->daddr : ip->saddr;
	flow->tuple.ipv4.daddr = quoted ? ip->saddr : ip->daddr;
	flow->tuple.ipv4.sport = quoted ? ports->destination : ports->source;
	flow->tuple.ipv4.dport = quoted ? ports->source : ports->destination;
	flow->ip = ip;
	flow->ports = ports;
	flow->quoted = quoted;
	return true;
}

static __always_inline bool read_flow_ipv6(struct inner_flow *flow, void *at, void *end,
					   bool quoted)
{
	struct ipv6hdr *ip = at;
	struct tcp_ports *ports = (void *)(ip + 1);

	if ((void *)ports + (quoted ? sizeof(*ports) : sizeof(struct tcphdr)) > end ||
	    ip->version != 6 || ip->nexthdr != IPPROTO_TCP)
		return false;
	__builtin_memcpy(flow->tuple.ipv6.saddr, quoted ? &ip->daddr : &ip->saddr, 16);
	__builtin_memcpy(flow->tuple.ipv6.daddr, quoted ? &ip->saddr : &ip->daddr, 16);
	flow->tuple.ipv6.sport = quoted ? ports->destination : ports->source;
	flow->tuple.ipv6.dport = quoted ? ports->source : ports->destination;
	flow->ip = ip;
	flow->ports = ports;
	flow->quoted = quoted;
	return true;
}

static __always_inline bool quotes_ipv4(const struct icmp_header *icmp)
{
	return icmp->type == ICMP_UNREACHABLE || icmp->type == ICMP_TIME_EXCEEDED ||
	       icmp->type == ICMP_PARAMETER_PROBLEM;
}

/* RFC 4443, 2.1: errors have the highest bit of their type clear. */
static __always_inline bool quotes_ipv6(const struct icmp_header *icmp)
{
	return !(icmp->type & 0x80);
}

static __always_inline bool find_flow_ipv4(struct inner_flow *flow, void *at, void *end)
{
	struct iphdr *ip = at;
	struct icmp_header *icmp;

	if ((void *)(ip + 1) > end)
		return false;
	if (ip->protocol != IPPROTO_ICMP)
		return read_flow_ipv4(flow, at, end, false);
	icmp = at + ip->ihl * 4;
	if ((void *)(icmp + 1) > end || ip->frag_off & bpf_htons(FRAGMENTED) || !quotes_ipv4(icmp))
		return false;
	return read_flow_ipv4(flow, icmp + 1, end, true);
}

static __always_inline bool find_flow_ipv6(struct inner_flow *flow, void *at, void *end)
{
	struct ipv6hdr *ip = at;
	struct icmp_header *icmp = (void *)(ip + 1);

	if ((void *)(icmp + 1) > end)
		return false;
	if (ip->nexthdr != IPPROTO_ICMPV6)
		return read_flow_ipv6(flow, at, end, false);
	return quotes_ipv6(icmp) && read_flow_ipv6(flow, icmp + 1, end, true);
}

static __always_inline bool opens_connection(const __u8 *tcp)
{
	__u8 flags = tcp[TCP_FLAGS_OFFSET];

	return (flags & TCP_SYN_ACK_BITS) == TCP_SYN_BIT;
}

/*
 * A listener knows the connection when it sent the SYN cookie that this ACK brings back. Without a
 * flood of late it says so before it computes anything.
 */
static __always_inline bool brings_cookie_back(struct bpf_sock *listener,
					       const struct inner_flow *flow, __u32 ip_bytes)
{
	return !flow->quoted && !bpf_tcp_check_syncookie(listener, flow->ip, ip_bytes, flow->ports,
							 sizeof(struct tcphdr));
}

/*
 * Established, half-open and time-wait sockets are connections; a listener is none. Sizes are
 * constants of the callers', by family: the verifier of 6.1 cannot tell which goes with which.
 */
static __always_inline bool has_connection(struct xdp_md *ctx, struct inner_flow *flow,
					   __u32 tuple_bytes, __u32 ip_bytes)
{
	struct bpf_sock *socket;
	bool known = true;

	socket = bpf_skc_lookup_tcp(ctx, &flow->tuple, tuple_bytes, BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return false;
	if (socket->state == BPF_TCP_LISTEN)
		known = brings_cookie_back(socket, flow, ip_bytes);
	bpf_sk_release(socket);
	return known;
}

static __always_inline bool needs_connection(const struct inner_flow *flow)
{
	return flow->quoted || !opens_connection(flow->ports);
}

/* The packet belongs to a TCP connection that is not one of this node's. */
static __always_inline bool is_stranger(struct xdp_md *ctx, const struct tunnel *tunnel)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	void *at = data + tunnel->ip_at + (tunnel->outer_bytes & GUE_OUTER_MASK);
	struct inner_flow flow = {};

	if (tunnel->inner_protocol == IPPROTO_IPIP)
		return find_flow_ipv4(&flow, at, end) && needs_connection(&flow) &&
		       !has_connection(ctx, &flow, sizeof(flow.tuple.ipv4), sizeof(struct iphdr));
	return find_flow_ipv6(&flow, at, end) && needs_connection(&flow) &&
	       !has_connection(ctx, &flow, sizeof(flow.tuple.ipv6), sizeof(struct ipv6hdr));
}

#endif
