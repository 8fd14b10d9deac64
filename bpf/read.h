/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading headers into struct packet: what plain and unusual packets have in common. */
#ifndef SLUICE_BPF_READ_H
#define SLUICE_BPF_READ_H

#include <stddef.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "checksum.h"
#include "packet.h"

#define IP_MORE_FRAGMENTS 0x2000
#define IP_OFFSET         0x1fff

#define TCP_LENGTH_OFFSET 12 /* in its upper half, in words */
#define TCP_FLAGS_OFFSET  13

/* The second word of ::ffff:a.b.c.d, in network order. */
static __always_inline __u64 ipv4_mapped(__be32 address)
{
	return (__u64)address << 32 | 0xffff0000;
}

static __always_inline bool is_tcp_or_udp(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static __always_inline bool ethernet_is_tagged(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* Of a header without options. */
static __always_inline __u64 ipv4_header_sum(const struct iphdr *ip)
{
	return add_words(0, ip, sizeof(*ip));
}

/*
 * Does the sum of a header fold to 0xffff? So it does if 65535 divides it, and an odd number divides
 * what times its inverse modulo 2^64 is no more than 2^64 / itself (Warren, Hacker's Delight, 10-17).
 */
static __always_inline bool sum_is_right(__u64 sum)
{
	return sum * 0xfffefffefffeffffULL <= 0x0001000100010001ULL;
}

/* Without options, and not a fragment. */
static __always_inline bool ipv4_is_whole(const struct iphdr *ip)
{
	return *(const __u8 *)ip == 0x45 &&
	       !(ip->frag_off & bpf_htons(IP_MORE_FRAGMENTS | IP_OFFSET));
}

/* And carrying what services are made of. */
static __always_inline bool ipv4_is_plain(const struct iphdr *ip)
{
	return ipv4_is_whole(ip) && is_tcp_or_udp(ip->protocol);
}

static __always_inline bool ipv6_is_plain(const struct ipv6hdr *ip)
{
	return ip->version == 6 && is_tcp_or_udp(ip->nexthdr);
}

static __always_inline void read_ipv4(struct packet *packet, const struct iphdr *ip)
{
	packet->source[0] = 0;
	packet->source[1] = ipv4_mapped(ip->saddr);
	packet->destination[0] = 0;
	packet->destination[1] = ipv4_mapped(ip->daddr);
	packet->protocol = ip->protocol;
	packet->ttl = ip->ttl;
	packet->traffic_class = ip->tos;
	packet->length_bytes = bpf_ntohs(ip->tot_len);
	packet->ipv4 = true;
}

/* False: not a packet that travels. */
static __always_inline bool read_ipv6(struct packet *packet, const struct ipv6hdr *ip)
{
	const __u64 *addresses = (const void *)&ip->saddr;
	__u32 length_bytes = sizeof(*ip) + bpf_ntohs(ip->payload_len);

	if (length_bytes > 65535)
		return false;
	packet->source[0] = addresses[0];
	packet->source[1] = addresses[1];
	packet->destination[0] = addresses[2];
	packet->destination[1] = addresses[3];
	packet->protocol = ip->nexthdr;
	packet->ttl = ip->hop_limit;
	packet->traffic_class = ip->priority << 4 | ip->flow_lbl[0] >> 4;
	packet->length_bytes = length_bytes;
	packet->ipv4 = false;
	/* IPv4-mapped addresses never travel in IPv6 (RFC 5156, 2.2); here they would be IPv4's. */
	return packet->destination[0] || (__u32)packet->destination[1] != 0xffff0000;
}

/* A frame may be longer than its packet (Ethernet pads to 60 bytes), never shorter. */
static __always_inline bool read_lengths(struct xdp_md *ctx, struct packet *packet, __u32 l3_bytes,
					 __u32 header_bytes)
{
	__u32 frame_bytes = ctx->data_end - ctx->data;

	if (unlikely(packet->length_bytes < header_bytes))
		return false;
	/* A jumbo frame lies in several buffers, of which we see the first. */
	if (unlikely(l3_bytes + packet->length_bytes > frame_bytes)) {
		frame_bytes = bpf_xdp_get_buff_len(ctx);
		if (l3_bytes + packet->length_bytes > frame_bytes)
			return false;
	}
	packet->frame_bytes = frame_bytes;
	packet->l3_bytes = l3_bytes;
	packet->l4_bytes = l3_bytes + header_bytes;
	return true;
}

static __always_inline void read_ports(struct packet *packet, const __be16 *ports)
{
	packet->ports = *(const __u32 *)ports;
	packet->service_port = ports[1];
}

/* That the header is in the frame has been checked. */
static __always_inline int read_tcp(struct packet *packet, const struct tcphdr *tcp,
				    __u32 payload_bytes)
{
	__u32 header_bytes;

	header_bytes = (((const __u8 *)tcp)[TCP_LENGTH_OFFSET] & 0xf0) >> 2;
	if (unlikely(header_bytes < sizeof(*tcp) || header_bytes > payload_bytes))
		return XDP_PASS;
	packet->tcp_flags =
		((const __u8 *)tcp)[TCP_FLAGS_OFFSET] & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST);
	packet->checksummed = true;
	read_ports(packet, &tcp->source);
	return NEXT;
}

static __always_inline int read_udp(struct packet *packet, const struct udphdr *udp,
				    __u32 payload_bytes)
{
	__u32 length_bytes = bpf_ntohs(udp->len);

	/* A first fragment names the length of the whole. */
	if (unlikely(length_bytes < sizeof(*udp) ||
		     (length_bytes > payload_bytes && !packet->fragment)))
		return XDP_PASS;
	packet->tcp_flags = 0;
	/* What follows behind a datagram in its packet is not covered (RFC 9868). */
	packet->checksummed = udp->check && length_bytes == payload_bytes;
	read_ports(packet, &udp->source);
	return NEXT;
}

#endif
