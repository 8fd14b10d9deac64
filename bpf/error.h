/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Part of stage parse: ICMP errors. The packet that one quotes went from the VIP to a client, so the
 * flow that the error is about is the other way round.
 */
#ifndef SLUICE_BPF_ERROR_H
#define SLUICE_BPF_ERROR_H

#include <linux/icmpv6.h>

#include "icmp.h"
#include "packet.h"
#include "parse.h"
#include "read.h"
#include "relay.h"

/* RFC 792; more of them in icmp.h. */
enum {
	ICMPV4_TIME_EXCEEDED = 11,
	ICMPV4_BAD_PARAMETER = 12,
};

#define QUOTED_L4_BYTES 8 /* that are there for certain (RFC 792) */

static __always_inline bool is_error(__u8 type, bool ipv4)
{
	if (ipv4)
		return type == ICMPV4_UNREACHABLE || type == ICMPV4_TIME_EXCEEDED ||
		       type == ICMPV4_BAD_PARAMETER;
	return type == ICMPV6_DEST_UNREACH || type == ICMPV6_PKT_TOOBIG ||
	       type == ICMPV6_TIME_EXCEED || type == ICMPV6_PARAMPROB;
}

/* From now on the packet is one of the flow whose packet it quotes; false: that is nobody's. */
static __always_inline bool join_quoted(struct packet *packet, const struct packet *quoted,
					const __be16 *ports)
{
	if (!is_tcp_or_udp(quoted->protocol) || quoted->source[0] != packet->destination[0] ||
	    quoted->source[1] != packet->destination[1])
		return false;
	packet->source[0] = quoted->destination[0];
	packet->source[1] = quoted->destination[1];
	packet->ports = ports[1] | (__u32)ports[0] << 16;
	packet->service_port = ports[0];
	packet->protocol = quoted->protocol;
	packet->error = true;
	return true;
}

/*
 * An error as most are, about a packet as most are: nothing but IP, ICMP, IP and TCP or UDP, at
 * places that are known. Compiled for each family. Of others, and of those about our own tunnels,
 * parse_unusual() knows more.
 */
static __always_inline int parse_plain_error(struct xdp_md *ctx, struct packet *packet, bool ipv4)
{
	__u32 header_bytes = ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	void *ip = (void *)(long)ctx->data + ETH_HLEN;
	void *end = (void *)(long)ctx->data_end;
	struct icmp_head *icmp = ip + header_bytes;
	void *quoted_ip = icmp + 1;
	__be16 *ports = quoted_ip + header_bytes;
	struct packet quoted = {};

	if ((void *)ports + QUOTED_L4_BYTES > end)
		return UNUSUAL;
	if (ipv4) {
		if (!ipv4_is_whole(ip) || ((struct iphdr *)ip)->protocol != IPPROTO_ICMP ||
		    !sum_is_right(ipv4_header_sum(ip)) || !ipv4_is_plain(quoted_ip))
			return UNUSUAL;
		read_ipv4(packet, ip);
		read_ipv4(&quoted, quoted_ip);
	} else if (((struct ipv6hdr *)ip)->version != 6 ||
		   ((struct ipv6hdr *)ip)->nexthdr != IPPROTO_ICMPV6 || !ipv6_is_plain(quoted_ip) ||
		   !read_ipv6(packet, ip) || !read_ipv6(&quoted, quoted_ip)) {
		return UNUSUAL;
	}
	if (!is_error(icmp->type, ipv4) || (is_too_big(icmp, ipv4) && ports[1] == gue_port) ||
	    !read_lengths(ctx, packet, ETH_HLEN, header_bytes) ||
	    packet->length_bytes < 2 * header_bytes + sizeof(*icmp) + QUOTED_L4_BYTES ||
	    !join_quoted(packet, &quoted, ports))
		return UNUSUAL;
	packet->tcp_flags = 0;
	packet->checksummed = false;
	packet->echo = false;
	packet->fragment = false;
	packet->later = false;
	return NEXT;
}

#endif
