/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The headers in front of what IP carries, one after the other: VLAN tags, IPv4 options, IPv6
 * extension headers.
 */
#ifndef SLUICE_BPF_CHAIN_H
#define SLUICE_BPF_CHAIN_H

#include "packet.h"
#include "read.h"

#define TAGS_MAX       2
#define EXTENSIONS_MAX 6
/* No header of ours begins further inside a frame: bounds what the verifier has to follow. */
#define HEADERS_BYTES_MAX 1023

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
	__u64 offset = offset_bytes;

	/* What is checked must be what is added: 6.1 does not see that a spilled copy is the same. */
	barrier_var(offset);
	if (offset > HEADERS_BYTES_MAX || data + offset + bytes > end)
		return NULL;
	return data + offset;
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
static __always_inline bool ipv4_checksum_is_right(struct xdp_md *ctx, __u32 l3_bytes)
{
	const struct iphdr *ip = at(ctx, l3_bytes, sizeof(*ip));
	__u64 sum;

	if (!ip)
		return false;
	sum = ipv4_header_sum(ip);
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
__noinline bool follow_ipv6(struct xdp_md *ctx, __u32 l3_bytes, __u8 next, struct chain *chain)
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

/* The IP header that begins at @l3_bytes and what is chained to it; false: it leads nowhere. */
static __always_inline bool read_chain(struct xdp_md *ctx, __u32 l3_bytes, bool ipv4,
				       struct packet *packet, struct chain *chain)
{
	if (ipv4) {
		struct iphdr *ip = at(ctx, l3_bytes, sizeof(*ip));

		if (!ip || !follow_ipv4(ip, l3_bytes, chain))
			return false;
		read_ipv4(packet, ip);
		return true;
	} else {
		struct ipv6hdr *ip = at(ctx, l3_bytes, sizeof(*ip));

		return ip && ip->version == 6 && read_ipv6(packet, ip) &&
		       follow_ipv6(ctx, l3_bytes, packet->protocol, chain);
	}
}

#endif
