/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <assert.h>
#include <string.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include "frame.h"
#include "harness.h"

/* Behind the headers: a payload, or TCP options that do nothing. Makes the shortest frame 78 bytes. */
#define TRAILER_BYTES  36
#define TCP_OPTION_NOP 1

static const __u8 client_ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, 0x00, 0x0c};

static __u32 transport_bytes(const struct scenario *scenario)
{
	if (scenario->protocol == IPPROTO_TCP)
		return sizeof(struct tcphdr) + TRAILER_BYTES;
	return sizeof(struct udphdr) + TRAILER_BYTES;
}

/* Checksums of TCP and UDP stay 0: a balancer that keeps addresses and ports has no use for them. */
static void build_transport(const struct scenario *scenario, __u8 *at)
{
	__be16 destination_port = htons(bench_services[scenario->service].port);
	struct tcphdr *tcp = (void *)at;
	struct udphdr *udp = (void *)at;

	if (scenario->protocol == IPPROTO_TCP) {
		tcp->th_sport = htons(HARNESS_SOURCE_PORT);
		tcp->th_dport = destination_port;
		tcp->th_off = transport_bytes(scenario) / 4;
		tcp->th_flags = scenario->tcp_flags;
		tcp->th_win = htons(65535);
		memset(tcp + 1, TCP_OPTION_NOP, TRAILER_BYTES);
	} else {
		udp->uh_sport = htons(HARNESS_SOURCE_PORT);
		udp->uh_dport = destination_port;
		udp->uh_ulen = htons(transport_bytes(scenario));
	}
}

__u32 checksum_sum(const __u8 *bytes, __u32 count)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < count; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	return sum;
}

__u16 checksum_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static void build_ipv4(const struct scenario *scenario, const char *destination,
		       struct frame *frame)
{
	struct iphdr *ip = (void *)frame->bytes + ETH_HLEN;

	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = htons(sizeof(*ip) + transport_bytes(scenario));
	ip->frag_off = htons(IP_DF);
	ip->ttl = 64;
	ip->protocol = scenario->protocol;
	inet_pton(AF_INET, destination, &ip->daddr);
	frame->checksum = checksum_sum((__u8 *)ip, sizeof(*ip));
	ip->saddr = htonl(HARNESS_SOURCE_IPV4);
	ip->check = htons(checksum_fold(checksum_sum((__u8 *)ip, sizeof(*ip))));

	frame->ports_offset = ETH_HLEN + sizeof(*ip);
}

static void build_ipv6(const struct scenario *scenario, const char *destination,
		       struct frame *frame)
{
	struct ip6_hdr *ip = (void *)frame->bytes + ETH_HLEN;

	ip->ip6_vfc = 6 << 4;
	ip->ip6_plen = htons(transport_bytes(scenario));
	ip->ip6_nxt = scenario->protocol;
	ip->ip6_hlim = 64;
	memcpy(&ip->ip6_src, client_ipv6, sizeof(client_ipv6));
	inet_pton(AF_INET6, destination, &ip->ip6_dst);

	frame->ports_offset = ETH_HLEN + sizeof(*ip);
}

void frame_build(const struct scenario *scenario, struct frame *frame)
{
	static const __u8 balancer_mac[ETH_ALEN] = {0x02, 0, 0, 0, 0, 0x01};
	static const __u8 router_mac[ETH_ALEN] = {0x02, 0, 0, 0, 0, 0x02};
	const char *destination = scenario->destination ?: bench_services[scenario->service].vip;
	struct ethhdr *eth = (void *)frame->bytes;

	memset(frame, 0, sizeof(*frame));
	memcpy(eth->h_dest, balancer_mac, ETH_ALEN);
	memcpy(eth->h_source, router_mac, ETH_ALEN);
	eth->h_proto = htons(scenario->ether_type);
	frame->length_bytes = HARNESS_FRAME_BYTES;
	if (scenario->ether_type == ETH_P_ARP)
		return;

	if (scenario->ether_type == ETH_P_IP)
		build_ipv4(scenario, destination, frame);
	else
		build_ipv6(scenario, destination, frame);
	build_transport(scenario, frame->bytes + frame->ports_offset);
	frame->varies = true;
	frame->length_bytes = frame->ports_offset + transport_bytes(scenario);
	assert(frame->length_bytes >= HARNESS_FRAME_BYTES);
	if (scenario->oddity != PLAIN)
		frame_make_odd(scenario, frame);
}
