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

/* Compiled for each family. One check for all headers, whichever protocol the packet carries. */
static __always_inline int parse_plain(struct xdp_md *ctx, struct packet *packet, bool ipv4)
{
	__u32 header_bytes = ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	void *ip = (void *)(long)ctx->data + ETH_HLEN;
	void *l4 = ip + header_bytes;
	void *end = (void *)(long)ctx->data_end;
	__u32 payload_bytes;

	if (unlikely(l4 + sizeof(struct tcphdr) > end ||
		     !(ipv4 ? ipv4_is_plain(ip) : ipv6_is_plain(ip))))
		return UNUSUAL;
	if (ipv4) {
		if (unlikely(!sum_is_right(ipv4_header_sum(ip))))
			return XDP_PASS;
		read_ipv4(packet, ip);
	} else if (unlikely(!read_ipv6(packet, ip))) {
		return XDP_PASS;
	}
	if (unlikely(!read_lengths(ctx, packet, ETH_HLEN, header_bytes)))
		return XDP_PASS;
	packet->error = false;
	packet->echo = false;
	packet->fragment = false;
	packet->later = false;
	payload_bytes = packet->length_bytes - header_bytes;
	if (packet->protocol == IPPROTO_TCP)
		return read_tcp(packet, l4, payload_bytes);
	return read_udp(packet, l4, payload_bytes);
}

/* 0: there is none. Not by struct ethhdr, which the compiler reads byte by byte. */
static __always_inline __be16 ethernet_protocol(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	if (unlikely(data + ETH_HLEN > end))
		return 0;
	return *(const __be16 *)(data + offsetof(struct ethhdr, h_proto));
}

#endif
