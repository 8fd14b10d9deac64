/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stage parse: read a frame once into struct packet.
 *
 * What this stage does not understand, or whose lengths lie, is none of our business: it goes to
 * the stack untouched, which knows best what to do with it.
 */
#ifndef SLUICE_BPF_PARSE_H
#define SLUICE_BPF_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "packet.h"

#define IP_MORE_FRAGMENTS 0x2000
#define IP_OFFSET	  0x1fff

#define TCP_FLAGS_OFFSET 13
#define TCP_FIN		 0x01
#define TCP_SYN		 0x02
#define TCP_RST		 0x04
#define TCP_ACK		 0x10

/* The second word of ::ffff:a.b.c.d, in network order. */
static __always_inline __u64 ipv4_mapped(__be32 address)
{
	return (__u64)address << 32 | 0xffff0000;
}

static __always_inline int parse_ipv4(struct packet *packet, void *data, void *end)
{
	struct iphdr *ip = data + ETH_HLEN;

	if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl != 5)
		return XDP_PASS;
	if (ip->frag_off & bpf_htons(IP_MORE_FRAGMENTS | IP_OFFSET))
		return XDP_PASS;

	packet->source[0] = 0;
	packet->source[1] = ipv4_mapped(ip->saddr);
	packet->destination[0] = 0;
	packet->destination[1] = ipv4_mapped(ip->daddr);
	packet->protocol = ip->protocol;
	packet->ttl = ip->ttl;
	packet->traffic_class = ip->tos;
	packet->length_bytes = bpf_ntohs(ip->tot_len);
	packet->ipv4 = true;
	return NEXT;
}

static __always_inline int parse_ipv6(struct packet *packet, void *data, void *end)
{
	struct ipv6hdr *ip = data + ETH_HLEN;
	__u64 *addresses = (void *)&ip->saddr;
	__u32 length_bytes;

	if ((void *)(ip + 1) > end || ip->version != 6)
		return XDP_PASS;

	length_bytes = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	if (length_bytes > 65535)
		return XDP_PASS;
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
	if (packet->destination[0] == 0 && (__u32)packet->destination[1] == 0xffff0000)
		return XDP_PASS;
	return NEXT;
}

static __always_inline int parse_tcp(struct packet *packet, struct tcphdr *tcp, void *end,
				     __u32 payload_bytes)
{
	__u8 flags;

	if ((void *)(tcp + 1) > end || tcp->doff < 5 || tcp->doff * 4 > payload_bytes)
		return XDP_PASS;

	flags = ((__u8 *)tcp)[TCP_FLAGS_OFFSET];
	packet->source_port = tcp->source;
	packet->destination_port = tcp->dest;
	packet->closes = flags & (TCP_FIN | TCP_RST);
	packet->opens = (flags & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST)) == TCP_SYN;
	return NEXT;
}

static __always_inline int parse_udp(struct packet *packet, struct udphdr *udp, void *end,
				     __u32 payload_bytes)
{
	if ((void *)(udp + 1) > end)
		return XDP_PASS;
	if (bpf_ntohs(udp->len) < sizeof(*udp) || bpf_ntohs(udp->len) > payload_bytes)
		return XDP_PASS;

	packet->source_port = udp->source;
	packet->destination_port = udp->dest;
	packet->closes = false;
	packet->opens = false;
	return NEXT;
}

/*
 * The packet kinds still to come (VLAN tags, IPv4 options, IPv6 extension headers, fragments, ICMP
 * errors) each get a branch here; until then they go to the stack.
 */
static __always_inline int parse(struct xdp_md *ctx, struct packet *packet)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	__u32 header_bytes;
	__u32 payload_bytes;
	int verdict;

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	packet->frame_bytes = end - data;

	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		verdict = parse_ipv4(packet, data, end);
		header_bytes = sizeof(struct iphdr);
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		verdict = parse_ipv6(packet, data, end);
		header_bytes = sizeof(struct ipv6hdr);
	} else {
		return XDP_PASS;
	}
	if (verdict != NEXT)
		return verdict;

	/* A frame may be longer than its packet (Ethernet pads to 60 bytes), never shorter. */
	if (packet->length_bytes < header_bytes ||
	    packet->length_bytes + ETH_HLEN > packet->frame_bytes)
		return XDP_PASS;
	payload_bytes = packet->length_bytes - header_bytes;

	if (packet->protocol == IPPROTO_TCP)
		return parse_tcp(packet, data + ETH_HLEN + header_bytes, end, payload_bytes);
	if (packet->protocol == IPPROTO_UDP)
		return parse_udp(packet, data + ETH_HLEN + header_bytes, end, payload_bytes);
	return XDP_PASS;
}

#endif
