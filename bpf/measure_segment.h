/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a packet that passes TC into struct segment.
 *
 * Headers are copied from the network header on, wherever the link header or a tag in it ends, and
 * skb->protocol says what stands there: so devices without a link header are read like Ethernet,
 * and a tag that the kernel keeps beside the packet needs no care.
 */
#ifndef SLUICE_BPF_MEASURE_SEGMENT_H
#define SLUICE_BPF_MEASURE_SEGMENT_H

#include "read.h"

#define TAGS_MAX                2
#define HEADERS_BYTES_MAX       128
#define TIMESTAMP_OPTION_BYTES  10
#define TIMESTAMP_ALIGNED_BYTES 12
#define TIMESTAMP_ALIGNED       0x0101080a /* RFC 7323, appendix A: two NOPs before it */
#define OPTIONS_READ_MAX        12

enum tcp_option { TCP_OPTION_END, TCP_OPTION_NOP, TCP_OPTION_TIMESTAMP = 8 };

/* Offsets are from the network header. */
struct segment {
	__u64 local[2]; /* the service's address, whichever way the packet goes */
	__u64 peer[2];
	__be16 local_port;
	__be16 peer_port;
	__u8 protocol;
	__u8 flags;          /* TCP's */
	__u32 count;         /* of segments: a GSO packet is many */
	__u32 payload_bytes; /* of all of them */
	__u32 sequence;
	__u32 acknowledged;
	__u32 options_at;
	__u32 options_end;
	bool has_timestamps; /* only read_timestamps() knows */
	__u32 timestamp;     /* TSval */
	__u32 echo;          /* TSecr */
};

/* Where a driver left the headers outside of the packet's linear part, they are moved there. */
static __always_inline bool load(struct __sk_buff *skb, __u32 at, void *to, __u32 bytes)
{
	__u32 headers_bytes = skb->len < HEADERS_BYTES_MAX ? skb->len : HEADERS_BYTES_MAX;

	if (!bpf_skb_load_bytes_relative(skb, at, to, bytes, BPF_HDR_START_NET))
		return true;
	return skb->data_end - skb->data < headers_bytes &&
	       !bpf_skb_pull_data(skb, headers_bytes) &&
	       !bpf_skb_load_bytes_relative(skb, at, to, bytes, BPF_HDR_START_NET);
}

/* An IP length of 0 is of a packet that is too long for the field (BIG TCP), on Ethernet only. */
static __always_inline __u32 ip_bytes(const struct __sk_buff *skb, __u32 ip_at, __u32 fixed_bytes,
				      __be16 length)
{
	return length ? fixed_bytes + bpf_ntohs(length) : skb->len - ETH_HLEN - ip_at;
}

static __always_inline void place(struct segment *segment, bool sent, const __u64 source[2],
				  const __u64 destination[2])
{
	segment->local[0] = sent ? source[0] : destination[0];
	segment->local[1] = sent ? source[1] : destination[1];
	segment->peer[0] = sent ? destination[0] : source[0];
	segment->peer[1] = sent ? destination[1] : source[1];
}

/* Each returns where the TCP or UDP header is, or 0. *@end: where the packet ends. */
static __always_inline __u32 read_ipv4_of(struct __sk_buff *skb, __u32 at, bool sent,
					  struct segment *segment, __u32 *end)
{
	__u64 source[2] = {}, destination[2] = {};
	struct iphdr ip;

	if (!load(skb, at, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5 ||
	    ip.frag_off & bpf_htons(IP_MORE_FRAGMENTS | IP_OFFSET))
		return 0;
	source[1] = ipv4_mapped(ip.saddr);
	destination[1] = ipv4_mapped(ip.daddr);
	place(segment, sent, source, destination);
	segment->protocol = ip.protocol;
	*end = at + ip_bytes(skb, at, 0, ip.tot_len);
	return at + ip.ihl * 4;
}

/* Of extension headers only that which comes with BIG TCP (RFC 2675) is followed. */
static __always_inline __u32 read_ipv6_of(struct __sk_buff *skb, __u32 at, bool sent,
					  struct segment *segment, __u32 *end)
{
	__u32 l4_at = at + sizeof(struct ipv6hdr);
	struct ipv6hdr ip;
	__u8 hop_by_hop[2];

	if (!load(skb, at, &ip, sizeof(ip)) || ip.version != 6)
		return 0;
	place(segment, sent, (const __u64 *)&ip.saddr, (const __u64 *)&ip.daddr);
	segment->protocol = ip.nexthdr;
	*end = at + ip_bytes(skb, at, sizeof(ip), ip.payload_len);
	if (ip.nexthdr == IPPROTO_HOPOPTS) {
		if (!load(skb, l4_at, hop_by_hop, sizeof(hop_by_hop)))
			return 0;
		segment->protocol = hop_by_hop[0];
		l4_at += (hop_by_hop[1] + 1) * 8;
	}
	return l4_at;
}

static __always_inline bool read_tcp_of(struct __sk_buff *skb, __u32 at, bool sent,
					struct segment *segment, __u32 end)
{
	struct tcphdr tcp;

	if (!load(skb, at, &tcp, sizeof(tcp)) || tcp.doff < 5 || at + tcp.doff * 4 > end)
		return false;
	segment->local_port = sent ? tcp.source : tcp.dest;
	segment->peer_port = sent ? tcp.dest : tcp.source;
	segment->flags = ((const __u8 *)&tcp)[TCP_FLAGS_OFFSET];
	segment->sequence = bpf_ntohl(tcp.seq);
	segment->acknowledged = bpf_ntohl(tcp.ack_seq);
	segment->options_at = at + sizeof(tcp);
	segment->options_end = at + tcp.doff * 4;
	segment->payload_bytes = end - segment->options_end;
	return true;
}

static __always_inline bool read_udp_of(struct __sk_buff *skb, __u32 at, bool sent,
					struct segment *segment, __u32 end)
{
	struct udphdr udp;

	if (!load(skb, at, &udp, sizeof(udp)) || at + sizeof(udp) > end)
		return false;
	segment->local_port = sent ? udp.source : udp.dest;
	segment->peer_port = sent ? udp.dest : udp.source;
	segment->payload_bytes = end - at - sizeof(udp);
	return true;
}

/* Drivers that take the packets of a virtual machine know its size, but not its number. */
static __always_inline __u32 count_segments(const struct __sk_buff *skb, __u32 payload_bytes)
{
	if (skb->gso_segs)
		return skb->gso_segs;
	if (skb->gso_size && payload_bytes > skb->gso_size)
		return (payload_bytes + skb->gso_size - 1) / skb->gso_size;
	return 1;
}

/* False: no TCP or UDP, a fragment, or malformed. @sent: the packet leaves, else it arrives. */
static __always_inline bool read_segment(struct __sk_buff *skb, bool sent, struct segment *segment)
{
	__be16 protocol = skb->protocol;
	__u32 at = 0, l4_at = 0, end = 0;
	__be16 tag[2];
	int i;

	for (i = 0; i < TAGS_MAX && ethernet_is_tagged(protocol); i++) {
		if (!load(skb, at, tag, sizeof(tag)))
			return false;
		protocol = tag[1];
		at += sizeof(tag);
	}
	if (protocol == bpf_htons(ETH_P_IP))
		l4_at = read_ipv4_of(skb, at, sent, segment, &end);
	else if (protocol == bpf_htons(ETH_P_IPV6))
		l4_at = read_ipv6_of(skb, at, sent, segment, &end);
	/* The link header is in skb->len, too. */
	if (!l4_at || end > skb->len)
		return false;
	if (segment->protocol == IPPROTO_TCP) {
		if (!read_tcp_of(skb, l4_at, sent, segment, end))
			return false;
	} else if (segment->protocol != IPPROTO_UDP ||
		   !read_udp_of(skb, l4_at, sent, segment, end)) {
		return false;
	}
	segment->count = count_segments(skb, segment->payload_bytes);
	return true;
}

/* Options one by one, as nearly nobody sends them. Returns where the timestamps are, or 0. */
static __always_inline __u32 find_timestamps(struct __sk_buff *skb, const struct segment *segment)
{
	__u32 at = segment->options_at;
	__u8 option[2]; /* kind and length */
	int i;

	for (i = 0; i < OPTIONS_READ_MAX && at + TIMESTAMP_OPTION_BYTES <= segment->options_end;
	     i++) {
		if (!load(skb, at, option, sizeof(option)) || option[0] == TCP_OPTION_END)
			return 0;
		if (option[0] == TCP_OPTION_TIMESTAMP)
			return option[1] == TIMESTAMP_OPTION_BYTES ? at + sizeof(option) : 0;
		if (option[0] != TCP_OPTION_NOP && option[1] < sizeof(option))
			return 0;
		at += option[0] == TCP_OPTION_NOP ? 1 : option[1];
	}
	return 0;
}

static __always_inline void read_timestamps(struct __sk_buff *skb, struct segment *segment)
{
	__be32 word[TIMESTAMP_ALIGNED_BYTES / sizeof(__be32)];
	__u32 at;

	segment->has_timestamps = false;
	if (segment->options_at + sizeof(word) > segment->options_end ||
	    !load(skb, segment->options_at, word, sizeof(word)))
		return;
	if (word[0] != bpf_htonl(TIMESTAMP_ALIGNED)) {
		at = find_timestamps(skb, segment);
		if (!at || !load(skb, at, &word[1], 2 * sizeof(word[1])))
			return;
	}
	segment->has_timestamps = true;
	segment->timestamp = bpf_ntohl(word[1]);
	segment->echo = bpf_ntohl(word[2]);
}

#endif
