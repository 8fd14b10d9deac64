/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A node's first stage: is this a tunnelled packet for us, and is what it says of itself true?
 *
 * The outer UDP checksum is not verified: that would read the whole packet, and what it covers is
 * checked elsewhere: the lengths here, the inner packet by its own checksums in the stack.
 */
#ifndef SLUICE_BPF_NODE_TUNNEL_H
#define SLUICE_BPF_NODE_TUNNEL_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../maps/gue.h"
#include "../maps/node.h"

/* Set by the loader; the rest stays 0, which is nobody's address. */
const volatile struct node_address node_addresses[NODE_ADDRESSES_MAX] = {};
const volatile __be16 gue_port = 0;

#define VLAN_TAGS_MAX 2

#define ECN_MASK       3
#define ECN_CONGESTION 3

#define GUE_PLAIN_BYTES 4      /* of a header without private data */
#define GUE_OUTER_MASK  0xff   /* no outer header is longer: 40 + 8 + 4 + 31 * 4 */
#define FRAGMENTED      0x3fff /* more fragments, or an offset */

struct tunnel {
	__u32 ip_at;        /* where the outer IP header begins */
	__u32 ip_bytes;     /* of it */
	__u32 outer_bytes;  /* of all outer headers from there on */
	__u32 packet_bytes; /* from there to where the outer packet says that it ends */
	__u32 frame_bytes;
	__u32 ifindex; /* of the device that has the outer destination */
	__u8 inner_protocol;
	__u8 next_hop; /* index of the hop to try next */
	__u8 hop_count;
	bool ipv4;       /* the outer header is */
	bool congestion; /* met on the way through the tunnel */
	bool has_hops;   /* the sender gave the packet a list of hops, be it an empty one */
};

/* RFC 792 and RFC 4443; the kernel's headers for it want a C library. */
struct icmp_header {
	__u8 type;
	__u8 code;
	__be16 check;
	__be32 rest;
};

enum {
	ICMP_UNREACHABLE = 3,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER_PROBLEM = 12,
};

struct vlan_tag {
	__be16 control;
	__be16 protocol;
};

/* The device that has this address; 0: it is not ours. */
static __always_inline __u32 device_of(__u64 high, __u64 low)
{
	__u32 ifindex = 0;

#pragma unroll
	for (int i = 0; i < NODE_ADDRESSES_MAX; i++) {
		if (node_addresses[i].high == high && node_addresses[i].low == low)
			ifindex = node_addresses[i].ifindex;
	}
	return ifindex;
}

static __always_inline bool is_vlan_tag(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* Where the network header is, behind up to two tags; its type goes to @protocol. */
static __always_inline __u32 skip_tags(void *data, void *end, __be16 *protocol)
{
	struct ethhdr *eth = data;
	__u32 at = sizeof(*eth);

	*protocol = 0;
	if ((void *)(eth + 1) > end)
		return at;
	*protocol = eth->h_proto;
#pragma unroll
	for (int i = 0; i < VLAN_TAGS_MAX; i++) {
		struct vlan_tag *tag = data + at;

		if (!is_vlan_tag(*protocol) || (void *)(tag + 1) > end)
			break;
		*protocol = tag->protocol;
		at += sizeof(*tag);
	}
	return at;
}

/* The protocol inside; 0: this is nothing for us. */
static __always_inline __u8 read_outer_ipv4(struct tunnel *tunnel, void *data, void *end)
{
	struct iphdr *ip = data + tunnel->ip_at;

	if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl != 5 ||
	    ip->frag_off & bpf_htons(FRAGMENTED))
		return 0;
	tunnel->ifindex = device_of(0, (__u64)ip->daddr << 32 | 0xffff0000);
	tunnel->ipv4 = true;
	tunnel->ip_bytes = sizeof(*ip);
	tunnel->packet_bytes = bpf_ntohs(ip->tot_len);
	tunnel->congestion = (ip->tos & ECN_MASK) == ECN_CONGESTION;
	return ip->protocol;
}

static __always_inline __u8 read_outer_ipv6(struct tunnel *tunnel, void *data, void *end)
{
	struct ipv6hdr *ip = data + tunnel->ip_at;
	__u64 *destination = (void *)&ip->daddr;

	if ((void *)(ip + 1) > end || ip->version != 6)
		return 0;
	tunnel->ifindex = device_of(destination[0], destination[1]);
	tunnel->ipv4 = false;
	tunnel->ip_bytes = sizeof(*ip);
	tunnel->packet_bytes = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	tunnel->congestion = (ip->flow_lbl[0] >> 4 & ECN_MASK) == ECN_CONGESTION;
	return ip->nexthdr;
}

/*
 * The list of hops: as long as the header says it is. Without one (plain GUE) the packet is ours
 * or nobody's.
 */
static __always_inline bool read_hops(struct tunnel *tunnel, const struct gue_header *gue,
				      void *end, __u32 words)
{
	__u32 words_of_hop = tunnel->ipv4 ? 1 : 4;

	if (words == 0)
		return true;
	if ((void *)(gue + 1) > end || gue->private_type ||
	    words != 1 + gue->hop_count * words_of_hop)
		return false;
	tunnel->has_hops = true;
	tunnel->next_hop = gue->next_hop;
	tunnel->hop_count = gue->hop_count;
	return true;
}

/* Returns the protocol inside; 0: this is no GUE of ours. */
static __always_inline __u8 read_gue(struct tunnel *tunnel, void *data, void *end)
{
	struct udphdr *udp = data + tunnel->ip_at + tunnel->ip_bytes;
	struct gue_header *gue = (void *)(udp + 1);
	__u32 udp_bytes, words;

	if ((void *)(udp + 1) + GUE_PLAIN_BYTES > end || udp->dest != gue_port)
		return 0;
	udp_bytes = bpf_ntohs(udp->len);
	/* What `length` holds above the five bits of a length, version and control, is 0. */
	words = gue->length;
	if (words > 31 || gue->flags || tunnel->ip_bytes + udp_bytes > tunnel->packet_bytes)
		return 0;
	if (!read_hops(tunnel, gue, end, words))
		return 0;
	tunnel->outer_bytes = tunnel->ip_bytes + sizeof(*udp) + GUE_PLAIN_BYTES + words * 4;
	tunnel->packet_bytes = tunnel->ip_bytes + udp_bytes;
	return gue->protocol;
}

/*
 * Is a whole packet of the family inside that the outer header names? Inside is what the outer
 * packet's own length spans: bytes behind it are Ethernet's padding.
 */
static __always_inline bool inner_is_whole(const struct tunnel *tunnel, void *data, void *end)
{
	void *at = data + tunnel->ip_at + (tunnel->outer_bytes & GUE_OUTER_MASK);

	if (tunnel->inner_protocol == IPPROTO_IPIP) {
		struct iphdr *ip = at;

		return (void *)(ip + 1) <= end && ip->version == 4 && ip->ihl >= 5 &&
		       bpf_ntohs(ip->tot_len) >= ip->ihl * 4 &&
		       tunnel->outer_bytes + bpf_ntohs(ip->tot_len) <= tunnel->packet_bytes;
	} else {
		struct ipv6hdr *ip = at;

		return (void *)(ip + 1) <= end && ip->version == 6 &&
		       tunnel->outer_bytes + sizeof(*ip) + bpf_ntohs(ip->payload_len) <=
			       tunnel->packet_bytes;
	}
}

/* A jumbo frame's tail lies outside the bytes that the program sees, but is counted here. */
static __always_inline __u32 frame_bytes_of(struct xdp_md *ctx, __u32 least)
{
	__u32 linear_bytes = (void *)(long)ctx->data_end - (void *)(long)ctx->data;

	return linear_bytes >= least ? linear_bytes : bpf_xdp_get_buff_len(ctx);
}

/* Read the frame into @tunnel. False: not a tunnel's packet for us, or one that lies. */
static __always_inline bool read_tunnel(struct xdp_md *ctx, struct tunnel *tunnel)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__be16 network;
	__u32 whole_bytes;
	__u8 protocol = 0;

	tunnel->ip_at = skip_tags(data, end, &network);
	if (network == bpf_htons(ETH_P_IP))
		protocol = read_outer_ipv4(tunnel, data, end);
	else if (network == bpf_htons(ETH_P_IPV6))
		protocol = read_outer_ipv6(tunnel, data, end);
	if (!protocol || !tunnel->ifindex)
		return false;

	whole_bytes = tunnel->ip_at + tunnel->packet_bytes;
	tunnel->outer_bytes = tunnel->ip_bytes;
	if (protocol == IPPROTO_UDP)
		protocol = read_gue(tunnel, data, end);
	if (protocol != IPPROTO_IPIP && protocol != IPPROTO_IPV6)
		return false;
	tunnel->inner_protocol = protocol;
	if (!inner_is_whole(tunnel, data, end))
		return false;
	tunnel->frame_bytes = frame_bytes_of(ctx, whole_bytes);
	return whole_bytes <= tunnel->frame_bytes;
}

#endif
