/* SPDX-License-Identifier: GPL-2.0-only */
#include "node_check.h"

#include <string.h>

#include "node_world.h"
#include "wire.h"

/* The outer headers of a packet for this node. */
struct tunnel_view {
	struct frame_view frame;
	struct packet_view inner;
	const __u8 *udp, *gue; /* NULL: it is IP in IP */
	__u32 outer_bytes;
	__u32 hop_bytes;
};

/* Wherever the program did anything there was a tunnel's packet, whole, and for us. */
static void read_tunnel(struct tunnel_view *tunnel, const struct node_run *run)
{
	const struct packet_view *outer = &tunnel->frame.packet;
	__u8 inside;

	must(read_frame(&tunnel->frame, run->in->frame, run->in->frame_bytes),
	     "opened what is no packet");
	must(!memcmp(outer->destination, outer->ipv4 ? NODE_IPV4 : NODE_IPV6, outer->ipv4 ? 4 : 16),
	     "opened a packet for somebody else");
	must(!outer->extended && !outer->fragment, "opened a fragment, or options");
	tunnel->outer_bytes = outer->header_bytes;
	tunnel->hop_bytes = outer->ipv4 ? 4 : 16;
	tunnel->udp = tunnel->gue = NULL;
	inside = outer->protocol;
	if (inside == WIRE_UDP) {
		tunnel->udp = outer->ip + outer->header_bytes;
		tunnel->gue = tunnel->udp + 8;
		must(outer->ip_bytes >= outer->header_bytes + 12u, "opened what is no GUE");
		must(read16(tunnel->udp + 2) == GUE_PORT_HERE, "opened UDP to another port");
		must(outer->header_bytes + read16(tunnel->udp + 4) <= outer->ip_bytes,
		     "opened a datagram longer than its packet");
		must(!(tunnel->gue[0] & 0xe0) && !read16(tunnel->gue + 2),
		     "opened another version of GUE, control or flags");
		tunnel->outer_bytes += 12 + (tunnel->gue[0] & 31) * 4;
		inside = tunnel->gue[1];
	}
	must(inside == WIRE_IPIP || inside == WIRE_IPV6, "opened another protocol");
	must(outer->ip_bytes >= tunnel->outer_bytes &&
		     read_packet(&tunnel->inner, outer->ip + tunnel->outer_bytes,
				 outer->ip_bytes - tunnel->outer_bytes, inside == WIRE_IPIP),
	     "opened something with no whole packet inside");
}

static __u8 traffic_class(const struct packet_view *packet)
{
	return packet->ipv4 ? packet->ip[1] : read16(packet->ip) >> 4;
}

/* RFC 6040, 4.2: congestion is told to those who can hear of it. */
static void mark_congestion(__u8 *packet, bool ipv4)
{
	if (ipv4)
		packet[1] |= 3;
	else
		packet[1] |= 0x30;
}

static void check_opened(const struct node_run *run)
{
	static __u8 expected[FRAME_BYTES_MAX];
	struct tunnel_view tunnel;
	__u32 l3_bytes, rest;
	const __u8 *inner;
	__u8 *at;

	read_tunnel(&tunnel, run);
	must(run->verdict == XDP_PASS, "opened and did not pass");
	l3_bytes = tunnel.frame.l3_bytes;
	inner = tunnel.inner.ip;
	rest = run->in->frame + run->in->frame_bytes - inner;
	memcpy(expected, run->in->frame, l3_bytes - 2);
	expected[l3_bytes - 2] = tunnel.inner.ipv4 ? 0x08 : 0x86;
	expected[l3_bytes - 1] = tunnel.inner.ipv4 ? 0x00 : 0xdd;
	at = expected + l3_bytes;
	memcpy(at, inner, rest);
	must(run->out_bytes == l3_bytes + rest, "opened to another length");
	if ((traffic_class(&tunnel.frame.packet) & 3) == 3 && traffic_class(&tunnel.inner) & 3) {
		struct packet_view left;

		mark_congestion(at, tunnel.inner.ipv4);
		must(read_packet(&left, run->out + l3_bytes, rest, tunnel.inner.ipv4),
		     "opened to what is no packet");
		must(left.checksum_right == tunnel.inner.checksum_right,
		     "told of congestion and not the checksum");
		if (tunnel.inner.ipv4)
			memcpy(at + 10, run->out + l3_bytes + 10, 2);
	}
	must(!memcmp(expected, run->out, run->out_bytes), "opened to another packet");
}

static bool same_sum(__u16 one, __u16 other)
{
	return one % 0xffff == other % 0xffff;
}

/* The address that the list says is next. */
static const __u8 *read_hop(const struct tunnel_view *tunnel)
{
	must(tunnel->gue && (tunnel->gue[0] & 31) && tunnel->gue[6] < tunnel->gue[7] &&
		     (tunnel->gue[0] & 31u) == 1 + tunnel->gue[7] * tunnel->hop_bytes / 4,
	     "passed on to a hop that is not in the list");
	return tunnel->gue + 8 + tunnel->gue[6] * tunnel->hop_bytes;
}

/* A stranger's: no connection is known by its ports, see bpf_skc_lookup_tcp() in kernel.c. */
static void check_stranger(const struct tunnel_view *tunnel)
{
	const struct packet_view *inner = &tunnel->inner;
	const __u8 *l4 = inner->ip + inner->header_bytes;

	if (inner->protocol != WIRE_TCP)
		return;
	must(!inner->fragment, "passed a fragment on");
	must((l4[13] & 0x12) != 2, "passed a SYN on");
	must((l4[1] & 3) != 3, "passed on what belongs to a connection of this node's");
}

/* A tagged frame does, or it would not have been passed on. */
static bool goes_back(const struct node_run *run, const struct tunnel_view *tunnel, const __u8 *hop)
{
	__u8 way = hop[tunnel->hop_bytes - 1] % WAY_KINDS;
	__u32 ifindex = way == WAY_FAR ? IFINDEX_FAR : IFINDEX_NEAR;

	must(way == WAY_NEAR || way == WAY_FAR, "passed on without a way");
	return tunnel->frame.l3_bytes > ETHERNET_BYTES || ifindex == run->in->arrival.ifindex;
}

static void check_passed_on(const struct node_run *run)
{
	static __u8 expected[FRAME_BYTES_MAX];
	struct tunnel_view tunnel;
	struct frame_view left;
	const struct packet_view *outer = &tunnel.frame.packet;
	__u32 hop_bytes, udp_at;
	const __u8 *hop;
	__u8 *ip;

	read_tunnel(&tunnel, run);
	check_stranger(&tunnel);
	hop = read_hop(&tunnel);
	hop_bytes = tunnel.hop_bytes;
	udp_at = outer->header_bytes;
	must(run->verdict == (goes_back(run, &tunnel, hop) ? XDP_TX : XDP_REDIRECT),
	     "passed on by another device");
	must(run->out_bytes == run->in->frame_bytes, "passed on with another length");
	must(read_frame(&left, run->out, run->out_bytes), "passed on what is no packet");
	must(left.packet.checksum_right == outer->checksum_right,
	     "passed on with another header checksum");
	memcpy(expected, run->in->frame, run->in->frame_bytes);
	memcpy(expected, way_macs, sizeof(way_macs));
	ip = expected + left.l3_bytes;
	must(ip[outer->ipv4 ? 8 : 7]-- > 1, "passed on a packet whose TTL had run out");
	memcpy(ip + (outer->ipv4 ? 12 : 8), outer->destination, hop_bytes);
	memcpy(ip + (outer->ipv4 ? 16 : 24), hop, hop_bytes);
	ip[udp_at + 14]++;
	if (outer->ipv4)
		memcpy(ip + 10, left.packet.ip + 10, 2);
	must(!read16(tunnel.udp + 6) == !read16(left.packet.ip + udp_at + 6),
	     "a UDP checksum came or went");
	if (read16(tunnel.udp + 6)) {
		memcpy(ip + udp_at + 6, left.packet.ip + udp_at + 6, 2);
		must(same_sum(l4_sum(outer, WIRE_UDP), l4_sum(&left.packet, WIRE_UDP)),
		     "passed on with another UDP checksum");
	}
	must(!memcmp(expected, run->out, run->out_bytes), "passed on another packet");
}

/* A ping from the hop, so that the kernel's answer asks for its neighbour. */
static void check_ping(const struct node_run *run)
{
	struct tunnel_view tunnel;
	struct frame_view left;
	const struct packet_view *ping = &left.packet;
	const __u8 *hop, *icmp;
	__u16 sum;

	read_tunnel(&tunnel, run);
	check_stranger(&tunnel);
	hop = read_hop(&tunnel);
	must(run->verdict == XDP_PASS && run->out_bytes == run->in->frame_bytes,
	     "a ping of another length or verdict");
	must(hop[tunnel.hop_bytes - 1] % WAY_KINDS == WAY_NO_NEIGHBOUR, "a ping without need");
	must(read_frame(&left, run->out, run->out_bytes) && ping->checksum_right,
	     "a ping that is no packet");
	must(!memcmp(run->out, run->in->frame, left.l3_bytes), "a ping with another link header");
	must(!memcmp(ping->source, hop, tunnel.hop_bytes) &&
		     !memcmp(ping->destination, ping->ipv4 ? NODE_IPV4 : NODE_IPV6,
			     tunnel.hop_bytes),
	     "a ping from somebody else or to somebody else");
	icmp = ping->ip + ping->header_bytes;
	must(ping->protocol == (ping->ipv4 ? WIRE_ICMP : WIRE_ICMPV6) &&
		     ping->ip_bytes == ping->header_bytes + 8u &&
		     icmp[0] == (ping->ipv4 ? 8 : 128) && !icmp[1],
	     "a ping that is none");
	sum = ping->ipv4 ? ones_sum(icmp, 8, 0) : l4_sum(ping, WIRE_ICMPV6);
	must(sum == 0xffff, "a ping with a wrong checksum");
}

void node_check(const struct node_run *run)
{
	const struct node_counters *before = &run->before, *after = &run->after;

	if (after->passed_on != before->passed_on) {
		check_passed_on(run);
	} else if (after->no_neighbour != before->no_neighbour) {
		check_ping(run);
	} else if (after->packets != before->packets) {
		check_opened(run);
	} else {
		must(run->verdict == XDP_PASS, "did not pass what it left alone");
		must(run->out_bytes == run->in->frame_bytes &&
			     !memcmp(run->out, run->in->frame, run->out_bytes),
		     "passed a frame that it had changed");
	}
}
