/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stage parse: read a frame once into struct packet.
 *
 * What is plain (Ethernet, IP without options, TCP or UDP) is read here at once; the rest by
 * parse_unusual(). What neither understands, or whose lengths lie, is none of our business: it goes
 * to the stack untouched, which knows best what to do with it.
 */
#ifndef SLUICE_BPF_PARSE_H
#define SLUICE_BPF_PARSE_H

#include "packet.h"
#include "read.h"

/* A verdict of parse_plain() alone: there is more to this packet. */
#define UNUSUAL (-2)

static __always_inline int parse_plain(struct xdp_md *ctx, struct packet *packet)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	void *ip = eth + 1;
	__u32 header_bytes;

	if (ip > end)
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		header_bytes = sizeof(struct iphdr);
		if (ip + header_bytes > end || !ipv4_is_plain(ip))
			return UNUSUAL;
		if (!sum_is_right(ipv4_header_sum(ip)))
			return XDP_PASS;
		read_ipv4(packet, ip);
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		header_bytes = sizeof(struct ipv6hdr);
		if (ip + header_bytes > end || !ipv6_is_plain(ip))
			return UNUSUAL;
		if (!read_ipv6(packet, ip))
			return XDP_PASS;
	} else {
		return ethernet_is_tagged(eth->h_proto) ? UNUSUAL : XDP_PASS;
	}
	if (!read_lengths(ctx, packet, ETH_HLEN, header_bytes))
		return XDP_PASS;
	packet->error = false;
	packet->echo = false;
	packet->fragment = false;
	packet->later = false;
	if (packet->protocol == IPPROTO_TCP)
		return read_tcp(packet, ip + header_bytes, end, packet->length_bytes - header_bytes);
	return read_udp(packet, ip + header_bytes, end, packet->length_bytes - header_bytes);
}

#endif
