/* SPDX-License-Identifier: GPL-2.0-only */
#include "frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <string.h>

#define TAGS_MAX          2
#define EXTENSIONS_MAX    8
#define FRAGMENT_OFFSET   0x1fff /* of the IPv4 field */
#define FRAGMENT_OFFSET_6 0xfff8 /* of the IPv6 one */

struct rest {
	const __u8 *at;
	size_t bytes;
};

static const void *take(struct rest *rest, size_t bytes)
{
	const void *taken = rest->at;

	if (rest->bytes < bytes)
		return NULL;
	rest->at += bytes;
	rest->bytes -= bytes;
	return taken;
}

static __u16 read_16(const void *at)
{
	__be16 word;

	memcpy(&word, at, sizeof(word));
	return ntohs(word);
}

/* Returns the Ethernet type behind all tags; 0: there is none. */
static __u16 read_ethernet(struct rest *rest)
{
	const __u8 *header = take(rest, ETH_HLEN);
	__u16 type = header ? read_16(header + 2 * ETH_ALEN) : 0;

	for (int i = 0; i < TAGS_MAX && (type == ETH_P_8021Q || type == ETH_P_8021AD); i++) {
		const __u8 *tag = take(rest, 4);

		type = tag ? read_16(tag + 2) : 0;
	}
	return type;
}

/* Returns whether ports follow. */
static bool read_ipv4(struct rest *rest, struct frame_flow *flow)
{
	const struct iphdr *header = take(rest, sizeof(*header));

	if (!header)
		return false;
	flow->source.word[2] = flow->destination.word[2] = htonl(0xffff);
	memcpy(&flow->source.word[3], &header->saddr, sizeof(header->saddr));
	memcpy(&flow->destination.word[3], &header->daddr, sizeof(header->daddr));
	flow->protocol = header->protocol;
	return header->ihl * 4u >= sizeof(*header) &&
	       take(rest, header->ihl * 4 - sizeof(*header)) &&
	       !(read_16(&header->frag_off) & FRAGMENT_OFFSET);
}

static bool is_extension(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_DSTOPTS || protocol == IPPROTO_FRAGMENT;
}

static bool read_ipv6(struct rest *rest, struct frame_flow *flow)
{
	const struct ipv6hdr *header = take(rest, sizeof(*header));

	if (!header)
		return false;
	memcpy(&flow->source, &header->saddr, sizeof(flow->source));
	memcpy(&flow->destination, &header->daddr, sizeof(flow->destination));
	flow->protocol = header->nexthdr;
	for (int i = 0; i < EXTENSIONS_MAX && is_extension(flow->protocol); i++) {
		const __u8 *extension = take(rest, 8);
		bool fragment = flow->protocol == IPPROTO_FRAGMENT;

		if (!extension || (!fragment && !take(rest, extension[1] * 8u)))
			return false;
		flow->protocol = extension[0];
		if (fragment && (read_16(extension + 2) & FRAGMENT_OFFSET_6))
			return false;
	}
	return true;
}

bool frame_read(const void *frame, size_t bytes, struct frame_flow *flow)
{
	struct rest rest = {frame, bytes};
	__u16 type = read_ethernet(&rest);
	const __u8 *ports = NULL;
	bool more;

	memset(flow, 0, sizeof(*flow));
	if (type != ETH_P_IP && type != ETH_P_IPV6)
		return false;
	more = type == ETH_P_IP ? read_ipv4(&rest, flow) : read_ipv6(&rest, flow);
	if (more && (flow->protocol == IPPROTO_TCP || flow->protocol == IPPROTO_UDP))
		ports = take(&rest, 4);
	if (ports) {
		flow->source_port = read_16(ports);
		flow->destination_port = read_16(ports + 2);
	}
	return flow->destination.word[0] || flow->destination.word[1] ||
	       flow->destination.word[2] || flow->destination.word[3];
}

static __u16 checksum(const void *bytes, size_t count)
{
	__u32 sum = 0;

	for (size_t i = 0; i < count; i += 2)
		sum += read_16((const __u8 *)bytes + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static size_t make_ip(const struct frame_flow *flow, size_t payload_bytes, __u8 *at)
{
	struct iphdr ipv4 = {
		.version = 4,
		.ihl = sizeof(ipv4) / 4,
		.tot_len = htons(sizeof(ipv4) + payload_bytes),
		.frag_off = htons(0x4000), /* DF */
		.ttl = 64,
		.protocol = flow->protocol,
		.saddr = flow->source.word[3],
		.daddr = flow->destination.word[3],
	};
	struct ipv6hdr ipv6 = {
		.version = 6,
		.payload_len = htons(payload_bytes),
		.nexthdr = flow->protocol,
		.hop_limit = 64,
	};

	if (address_is_ipv4(&flow->destination)) {
		ipv4.check = htons(checksum(&ipv4, sizeof(ipv4)));
		memcpy(at, &ipv4, sizeof(ipv4));
		return sizeof(ipv4);
	}
	memcpy(&ipv6.saddr, &flow->source, sizeof(ipv6.saddr));
	memcpy(&ipv6.daddr, &flow->destination, sizeof(ipv6.daddr));
	memcpy(at, &ipv6, sizeof(ipv6));
	return sizeof(ipv6);
}

size_t frame_make(const struct frame_flow *flow, __u8 frame[FRAME_MADE_BYTES])
{
	const struct tcphdr tcp = {
		.source = htons(flow->source_port),
		.dest = htons(flow->destination_port),
		.doff = sizeof(tcp) / 4,
		.syn = 1,
		.window = htons(65535),
	};
	const struct udphdr udp = {
		.source = htons(flow->source_port),
		.dest = htons(flow->destination_port),
		.len = htons(sizeof(udp)),
	};
	bool is_tcp = flow->protocol == IPPROTO_TCP;
	size_t payload_bytes = is_tcp ? sizeof(tcp) : sizeof(udp), used = ETH_HLEN;
	bool ipv4 = address_is_ipv4(&flow->destination);
	__be16 type = htons(ipv4 ? ETH_P_IP : ETH_P_IPV6);

	memset(frame, 0, FRAME_MADE_BYTES);
	memcpy(frame + 2 * ETH_ALEN, &type, sizeof(type));
	used += make_ip(flow, payload_bytes, frame + used);
	memcpy(frame + used, is_tcp ? (const void *)&tcp : &udp, payload_bytes);
	return used + payload_bytes;
}

const char *frame_protocol_name(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_GRE:
		return "gre";
	case IPPROTO_ESP:
		return "esp";
	default:
		return NULL;
	}
}
