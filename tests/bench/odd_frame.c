/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>

#include "frame.h"
#include "harness.h"

#define ECHO_DATA_BYTES    56   /* as ping sends */
#define LONG_BYTES         1700 /* of an IP packet; the way to the backends carries 1600 */
#define QUOTED_L4_BYTES    8
#define ERROR_BYTES        576 /* of the answer to a packet that is too long */
#define ERROR_HEADER_BYTES (sizeof(struct iphdr) + sizeof(struct icmphdr))

static void insert(struct frame *frame, __u32 offset, const void *bytes, __u32 count)
{
	memmove(frame->bytes + offset + count, frame->bytes + offset, frame->length_bytes - offset);
	memcpy(frame->bytes + offset, bytes, count);
	frame->length_bytes += count;
}

static bool is_ipv4(const struct scenario *scenario)
{
	return scenario->ether_type == ETH_P_IP;
}

static void seal_ipv4(struct iphdr *ip)
{
	ip->check = 0;
	ip->check = htons(checksum_fold(checksum_sum((__u8 *)ip, ip->ihl * 4)));
}

static void set_length(const struct scenario *scenario, struct frame *frame)
{
	struct iphdr *ip = (void *)frame->bytes + ETH_HLEN;
	struct ip6_hdr *ip6 = (void *)ip;

	if (is_ipv4(scenario)) {
		ip->tot_len = htons(frame->length_bytes - ETH_HLEN);
		seal_ipv4(ip);
	} else {
		ip6->ip6_plen = htons(frame->length_bytes - ETH_HLEN - sizeof(*ip6));
	}
}

static void add_tags(struct frame *frame, int count)
{
	static const __u8 outer[] = {0x88, 0xa8, 0, 100};
	static const __u8 inner[] = {0x81, 0x00, 0, 200};

	insert(frame, 2 * ETH_ALEN, inner, sizeof(inner));
	if (count == 2)
		insert(frame, 2 * ETH_ALEN, outer, sizeof(outer));
}

static void add_options(const struct scenario *scenario, struct frame *frame)
{
	static const __u8 nops[] = {1, 1, 1, 1};
	struct iphdr *ip = (void *)frame->bytes + ETH_HLEN;
	struct ip6_hdr *ip6 = (void *)ip;

	if (is_ipv4(scenario)) {
		ip->ihl++;
		insert(frame, ETH_HLEN + sizeof(*ip), nops, sizeof(nops));
	} else {
		__u8 padding[8] = {ip6->ip6_nxt, 0, 1, 4}; /* PadN (RFC 8200, 4.2) */

		ip6->ip6_nxt = IPPROTO_DSTOPTS;
		insert(frame, ETH_HLEN + sizeof(*ip6), padding, sizeof(padding));
	}
	set_length(scenario, frame);
}

static void make_fragment(struct frame *frame, __u16 offset_and_flags)
{
	struct iphdr *ip = (void *)frame->bytes + ETH_HLEN;

	ip->id = htons(0x1234);
	ip->frag_off = htons(offset_and_flags);
	seal_ipv4(ip);
}

/* In front of what is there: an IP header of the same kind, and ICMP's. */
static void quote(const struct scenario *scenario, struct frame *frame)
{
	struct {
		__u8 type, code;
		__be16 check;
		__be32 rest;
	} icmp = {};
	__u8 header[sizeof(struct ip6_hdr)];
	__u32 header_bytes = is_ipv4(scenario) ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
	struct iphdr *ip = (void *)header;
	struct ip6_hdr *ip6 = (void *)header;

	memcpy(header, frame->bytes + ETH_HLEN, header_bytes);
	if (is_ipv4(scenario)) {
		ip->protocol = IPPROTO_ICMP;
		icmp.type = ICMP_TIME_EXCEEDED;
	} else {
		ip6->ip6_nxt = IPPROTO_ICMPV6;
		icmp.type = ICMP6_TIME_EXCEEDED;
	}
	insert(frame, ETH_HLEN, &icmp, sizeof(icmp));
	insert(frame, ETH_HLEN, header, header_bytes);
}

static void swap(void *a, void *b, __u32 bytes)
{
	__u8 kept[16];

	memcpy(kept, a, bytes);
	memcpy(a, b, bytes);
	memcpy(b, kept, bytes);
}

/* The quoted packet went from the VIP to the client; 8 bytes behind its IP header are enough. */
static void make_error(const struct scenario *scenario, struct frame *frame)
{
	__u32 header_bytes = is_ipv4(scenario) ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
	struct iphdr *ip;
	struct ip6_hdr *ip6;
	__be16 *ports;

	quote(scenario, frame);
	ip = (void *)frame->bytes + ETH_HLEN + header_bytes + sizeof(struct icmphdr);
	ip6 = (void *)ip;
	ports = (void *)ip + header_bytes;
	if (is_ipv4(scenario)) {
		swap(&ip->saddr, &ip->daddr, sizeof(ip->saddr));
		seal_ipv4(ip);
	} else {
		swap(&ip6->ip6_src, &ip6->ip6_dst, sizeof(ip6->ip6_src));
	}
	swap(&ports[0], &ports[1], sizeof(ports[0]));
	frame->length_bytes = (__u8 *)ports + QUOTED_L4_BYTES - frame->bytes;
	set_length(scenario, frame);
}

static void make_echo(const struct scenario *scenario, struct frame *frame)
{
	struct iphdr *ip = (void *)frame->bytes + ETH_HLEN;
	struct ip6_hdr *ip6 = (void *)ip;
	__u8 *message;
	__u32 sum = 0;
	__u32 message_bytes = sizeof(struct icmphdr) + ECHO_DATA_BYTES;

	frame->length_bytes = frame->ports_offset + message_bytes;
	message = frame->bytes + frame->ports_offset;
	memset(message, 0, message_bytes);
	if (is_ipv4(scenario)) {
		message[0] = ICMP_ECHO;
		ip->protocol = IPPROTO_ICMP;
	} else {
		message[0] = ICMP6_ECHO_REQUEST;
		ip6->ip6_nxt = IPPROTO_ICMPV6;
		sum = IPPROTO_ICMPV6 + message_bytes + checksum_sum((__u8 *)&ip6->ip6_src, 32);
	}
	*(__be16 *)(message + 2) = htons(checksum_fold(sum + checksum_sum(message, message_bytes)));
	set_length(scenario, frame);
}

void frame_make_odd(const struct scenario *scenario, struct frame *frame)
{
	frame->varies = false;
	switch (scenario->oddity) {
	case PLAIN:
		break;
	case TAGGED:
		add_tags(frame, 1);
		break;
	case TAGGED_TWICE:
		add_tags(frame, 2);
		break;
	case WITH_OPTIONS:
		add_options(scenario, frame);
		break;
	case FIRST_FRAGMENT:
		make_fragment(frame, IP_MF);
		break;
	case LATER_FRAGMENT:
		make_fragment(frame, 100);
		break;
	case ERROR_ABOUT_IT:
		make_error(scenario, frame);
		break;
	case ECHO_REQUEST:
		make_echo(scenario, frame);
		break;
	case TOO_BIG:
		frame->length_bytes = ETH_HLEN + LONG_BYTES;
		frame->answer_bytes = ETH_HLEN + ERROR_BYTES;
		frame->cut_bytes = LONG_BYTES + ERROR_HEADER_BYTES - ERROR_BYTES;
		set_length(scenario, frame);
		break;
	}
	if (frame->length_bytes < HARNESS_FRAME_BYTES) /* padding, as Ethernet's */
		frame->length_bytes = HARNESS_FRAME_BYTES;
}
