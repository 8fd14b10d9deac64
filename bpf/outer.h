/* SPDX-License-Identifier: GPL-2.0-only */
/* Part of stage forward: the headers that go around a packet. */
#ifndef SLUICE_BPF_OUTER_H
#define SLUICE_BPF_OUTER_H

#include <stddef.h>

#include "../maps/maps.bpf.h"
#include "checksum.h"
#include "drop.h"
#include "packet.h"
#include "read.h"

#define OUTER_TTL 64u

/*
 * Headers are written in words: the compiler copies what it must take for unaligned byte by byte,
 * and a load that spans two stores in flight waits for both.
 */
static __always_inline void write_macs(void *frame, const struct backend *backend)
{
	const __u32 *macs = (const __u32 *)backend->next_hop_mac; /* and egress_mac behind it */
	__u32 *to = frame;

	to[0] = macs[0];
	to[1] = macs[1];
	to[2] = macs[2];
}

/*
 * Source addresses and flow labels of the outer header vary by flow, so that a receiver that
 * spreads packets over its queues by the outer header alone spreads flows (RFC 6438).
 */
static __always_inline __be32 vary_by_flow(const struct packet *packet, __be32 word, __be32 vary)
{
	return word | ((__u32)(packet->flow_hash >> 32) & vary);
}

/*
 * Not to be fragmented, so it needs no identification (RFC 6864). ECN is copied with the rest of
 * the traffic class (RFC 6040, 4.1). The checksum is RFC 1071's, over the words as they stand.
 */
static __always_inline void write_outer_ipv4(void *header, const struct packet *packet,
					     const struct backend *backend, __u32 outer_bytes,
					     __u8 protocol)
{
	__u32 *word = header;
	__be32 first = bpf_htonl(0x45u << 24 | packet->traffic_class << 16 |
				 (packet->length_bytes + outer_bytes));
	__be32 second = bpf_htonl(0x4000);
	__be32 third = bpf_htonl(OUTER_TTL << 24 | protocol << 16);
	__be32 source = vary_by_flow(packet, backend->source[3], backend->source_vary);
	__be32 destination = backend->address[3];
	__u64 sum = (__u64)first + second + third + source + destination;

	word[0] = first;
	word[1] = second;
	word[2] = third | ~(__u32)fold(sum) << 16;
	word[3] = source;
	word[4] = destination;
}

static __always_inline void write_outer_ipv6(void *header, const struct packet *packet,
					     const struct backend *backend, __u32 outer_bytes,
					     __u8 protocol)
{
	const __u64 *destination = (const __u64 *)backend->address;
	__u32 payload_bytes = packet->length_bytes + outer_bytes - sizeof(struct ipv6hdr);
	__u64 *address = header + offsetof(struct ipv6hdr, saddr);
	__u32 *word = header;

	word[0] = bpf_htonl(6u << 28 | packet->traffic_class << 20 |
			    ((__u32)(packet->flow_hash >> 32) & 0xfffff));
	word[1] = bpf_htonl(payload_bytes << 16 | protocol << 8 | OUTER_TTL);
	address[0] = *(const __u64 *)backend->source;
	word[4] = backend->source[2];
	word[5] = vary_by_flow(packet, backend->source[3], backend->source_vary);
	address[2] = destination[0];
	address[3] = destination[1];
}

static __always_inline bool outer_is_ipv4(const struct backend *backend)
{
	return backend->flags & BACKEND_OUTER_IPV4;
}

static __always_inline __u32 outer_ip_bytes(bool ipv4)
{
	return ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

/* Make room for @outer_bytes, and write Ethernet and the outer IP header into it. */
static __always_inline int encapsulate(struct xdp_md *ctx, const struct packet *packet,
				       const struct backend *backend, bool ipv4, __u32 outer_bytes,
				       __u8 protocol)
{
	void *data, *end;

	if (unlikely(bpf_xdp_adjust_head(ctx, -(int)outer_bytes)))
		return drop(DROP_NO_ROOM);
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (unlikely(data + ETH_HLEN + sizeof(struct iphdr) > end))
		return drop(DROP_NO_ROOM);
	write_macs(data, backend);
	*(__be16 *)(data + offsetof(struct ethhdr, h_proto)) =
		ipv4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	if (ipv4) {
		write_outer_ipv4(data + ETH_HLEN, packet, backend, outer_bytes, protocol);
		return NEXT;
	}
	if (data + ETH_HLEN + sizeof(struct ipv6hdr) > end)
		return drop(DROP_NO_ROOM);
	write_outer_ipv6(data + ETH_HLEN, packet, backend, outer_bytes, protocol);
	return NEXT;
}

#endif
