/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stage parse, for what is not plain: VLAN tags, IPv4 options, IPv6 extension headers, fragments,
 * ICMP. One call away from the packets that are many.
 */
#ifndef SLUICE_BPF_UNUSUAL_H
#define SLUICE_BPF_UNUSUAL_H

#include <linux/icmpv6.h>

#include "fragment.h"
#include "icmp.h"
#include "packet.h"
#include "read.h"

#define TAGS_MAX       2
#define EXTENSIONS_MAX 6
/* No header of ours begins further inside a frame: bounds what the verifier has to follow. */
#define HEADERS_BYTES_MAX 1023

/* RFC 792; more of them in icmp.h. */
enum {
	ICMPV4_ECHO_REQUEST = 8,
	ICMPV4_TIME_EXCEEDED = 11,
	ICMPV4_BAD_PARAMETER = 12,
};

struct tag {
	__be16 tci;
	__be16 protocol;
};

/* Any extension header but the fragment's (RFC 8200, 4). */
struct extension {
	__u8 next;
	__u8 length; /* words of 8 bytes behind the first */
	__u8 routing_type;
	__u8 segments_left;
	__be32 rest;
};

struct fragment_header {
	__u8 next;
	__u8 reserved;
	__be16 offset; /* and the flag that more follow in its last bit */
	__be32 identification;
};

/* What a chain of headers led to. */
struct chain {
	__u32 l4_bytes;
	__u8 protocol;
	bool fragment;
	bool later; /* not the first fragment: no header of L4 is here */
	__be32 identification;
};

/* A place in the frame as far as the verifier can follow; NULL if less than @bytes are there. */
static __always_inline void *at(struct xdp_md *ctx, __u32 offset_bytes, __u32 bytes)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	if (offset_bytes > HEADERS_BYTES_MAX || data + offset_bytes + bytes > end)
		return NULL;
	return data + offset_bytes;
}

/* Where the IP header begins and which protocol that is; 0: too many tags. */
static __always_inline __u32 skip_tags(struct xdp_md *ctx, __be16 *protocol)
{
	struct ethhdr *eth = at(ctx, 0, sizeof(*eth));
	__u32 bytes = sizeof(*eth);

	if (!eth)
		return 0;
	*protocol = eth->h_proto;
#pragma unroll
	for (int i = 0; i < TAGS_MAX; i++) {
		struct tag *tag;

		if (!ethernet_is_tagged(*protocol))
			break;
		tag = at(ctx, bytes, sizeof(*tag));
		if (!tag)
			return 0;
		*protocol = tag->protocol;
		bytes += sizeof(*tag);
	}
	return bytes;
}

/* Of the whole header, options and all (RFC 1812, 5.2.2). */
static __always_inline bool ipv4_checksum_is_right(struct xdp_md *ctx, const struct iphdr *ip,
						   __u32 l3_bytes)
{
	__u64 sum = ipv4_header_sum(ip);

	for (__u32 i = sizeof(*ip) / 4; i < 15 && i < ip->ihl; i++) {
		__u32 *word = at(ctx, l3_bytes + i * 4, sizeof(*word));

		if (!word)
			return false;
		sum += *word;
	}
	return sum_is_right(sum);
}

/* Options, if any, are left for the backend to look at. */
static __always_inline bool follow_ipv4(const struct iphdr *ip, __u32 l3_bytes, struct chain *chain)
{
	__u16 fragment = bpf_ntohs(ip->frag_off);

	if (ip->version != 4 || ip->ihl < 5)
		return false;
	chain->l4_bytes = l3_bytes + ip->ihl * 4;
	chain->protocol = ip->protocol;
	chain->later = fragment & IP_OFFSET;
	chain->fragment = fragment & (IP_OFFSET | IP_MORE_FRAGMENTS);
	chain->identification = ip->id;
	return true;
}

/* Bounded; a packet that is not at its last segment's end (RFC 8200, 4.4) is for the stack. */
__noinline bool follow_ipv6(struct xdp_md *ctx, __u32 l3_bytes, __u8 next,
				   struct chain *chain)
{
	__u32 bytes = l3_bytes + sizeof(struct ipv6hdr);

	if (!chain)
		return false;
	chain->fragment = false;
	chain->later = false;
	for (int i = 0; i <= EXTENSIONS_MAX; i++) {
		struct extension *extension;

		chain->l4_bytes = bytes;
		chain->protocol = next;
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_DSTOPTS && next != IPPROTO_ROUTING &&
		    next != IPPROTO_FRAGMENT)
			return true;
		extension = at(ctx, bytes, sizeof(*extension));
		if (!extension || chain->later)
			return chain->later;
		if (next == IPPROTO_ROUTING && extension->segments_left)
			return false;
		if (next == IPPROTO_FRAGMENT) {
			struct fragment_header *header = (void *)extension;

			if (chain->fragment)
				return false;
			chain->fragment = header->offset & bpf_htons(0xfff9);
			chain->later = header->offset & bpf_htons(0xfff8);
			chain->identification = header->identification;
			bytes += sizeof(*header);
		} else {
			bytes += (extension->length + 1) * 8;
		}
		next = extension->next;
	}
	return false;
}

static __always_inline bool is_error(__u8 type, bool ipv4)
{
	if (ipv4)
		return type == ICMPV4_UNREACHABLE || type == ICMPV4_TIME_EXCEEDED ||
		       type == ICMPV4_BAD_PARAMETER;
	return type == ICMPV6_DEST_UNREACH || type == ICMPV6_PKT_TOOBIG ||
	       type == ICMPV6_TIME_EXCEED || type == ICMPV6_PARAMPROB;
}

/*
 * The packet that an ICMP error quotes went from the VIP to a client, so its flow is the other way
 * round. Of what follows its IP header only 8 bytes need be there (RFC 792).
 */
static __always_inline int parse_error(struct xdp_md *ctx, struct packet *packet)
{
	__u32 l3_bytes = packet->l4_bytes + sizeof(struct icmp_head);
	__u64 vip[2] = {packet->destination[0], packet->destination[1]};
	struct packet quoted;
	struct chain chain = {};
	__be16 *ports;

	if (packet->ipv4) {
		struct iphdr *ip = at(ctx, l3_bytes, sizeof(*ip));

		if (!ip || !follow_ipv4(ip, l3_bytes, &chain))
			return XDP_PASS;
		read_ipv4(&quoted, ip);
	} else {
		struct ipv6hdr *ip = at(ctx, l3_bytes, sizeof(*ip));

		if (!ip || ip->version != 6 || !read_ipv6(&quoted, ip))
			return XDP_PASS;
		if (!follow_ipv6(ctx, l3_bytes, quoted.protocol, &chain))
			return XDP_PASS;
	}
	ports = at(ctx, chain.l4_bytes, 8);
	if (!ports || chain.l4_bytes + 8 > packet->l3_bytes + packet->length_bytes || chain.later ||
	    !is_tcp_or_udp(chain.protocol) || quoted.source[0] != vip[0] || quoted.source[1] != vip[1])
		return XDP_PASS;

	packet->source[0] = quoted.destination[0];
	packet->source[1] = quoted.destination[1];
	packet->ports = ports[1] | (__u32)ports[0] << 16;
	packet->service_port = ports[0];
	packet->protocol = chain.protocol;
	packet->error = true;
	return NEXT;
}

/* Errors about our flows, and echo requests to our VIPs. */
static __always_inline int parse_icmp(struct xdp_md *ctx, struct packet *packet)
{
	struct icmp_head *icmp = at(ctx, packet->l4_bytes, sizeof(*icmp));

	if (!icmp || packet->l4_bytes + sizeof(*icmp) > packet->l3_bytes + packet->length_bytes)
		return XDP_PASS;
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
	void *end = (void *)(long)ctx->data_end;
	void *l4;

	if (packet->protocol == IPPROTO_TCP) {
		l4 = at(ctx, packet->l4_bytes, sizeof(struct tcphdr));
		return l4 ? read_tcp(packet, l4, end, payload_bytes) : XDP_PASS;
	}
	l4 = at(ctx, packet->l4_bytes, sizeof(struct udphdr));
	return l4 ? read_udp(packet, l4, end, payload_bytes) : XDP_PASS;
}

/* The IP header and what is chained to it. */
static __always_inline int parse_l3(struct xdp_md *ctx, struct packet *packet, struct chain *chain)
{
	__be16 protocol = 0;
	__u32 l3_bytes = skip_tags(ctx, &protocol);

	if (l3_bytes && protocol == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = at(ctx, l3_bytes, sizeof(*ip));

		if (!ip || !follow_ipv4(ip, l3_bytes, chain) ||
		    !ipv4_checksum_is_right(ctx, ip, l3_bytes))
			return XDP_PASS;
		read_ipv4(packet, ip);
	} else if (l3_bytes && protocol == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = at(ctx, l3_bytes, sizeof(*ip));

		if (!ip || ip->version != 6 || !read_ipv6(packet, ip) ||
		    !follow_ipv6(ctx, l3_bytes, packet->protocol, chain))
			return XDP_PASS;
	} else {
		return XDP_PASS;
	}
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
		if (verdict == NEXT && chain.fragment)
			verdict = join_fragments(packet, chain.identification);
		return verdict;
	}
	if (!chain.fragment && packet->protocol == (packet->ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return parse_icmp(ctx, packet);
	return XDP_PASS;
}

static __always_inline int parse_unusual(struct xdp_md *ctx, struct packet *packet)
{
	const struct packet *read = packet_in_scratch();
	int verdict = read ? read_unusual(ctx) : XDP_PASS;

	if (verdict == NEXT)
		*packet = *read;
	return verdict;
}

#endif
