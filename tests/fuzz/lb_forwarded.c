/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks of what the balancer forwards: the outer headers, and that inside is the packet that came. */
#include <string.h>

#include "lb_check.h"
#include "lb_world.h"
#include "wire.h"

/* The backend that the frame's first addresses name. */
static __u32 backend_by_macs(const __u8 *frame)
{
	const struct backend *backend;

	for (__u32 id = BACKENDS_EACH; (backend = lb_world_backend(id)); id++) {
		if (!memcmp(frame, backend->next_hop_mac, 6) &&
		    !memcmp(frame + 6, backend->egress_mac, 6))
			return id;
	}
	broken("forwarded to nobody's MAC address");
}

static bool is_address(const __u8 *at, const __be32 address[4], bool ipv4)
{
	const __u8 *whole = (const __u8 *)address;

	return !memcmp(at, ipv4 ? whole + 12 : whole, ipv4 ? 4 : 16);
}

/* Is it a service that the packet is for? */
static void check_service(const struct packet_view *packet, const struct service *service)
{
	const __u8 *ports = packet->ip + packet->header_bytes;
	bool error = packet->protocol == (packet->ipv4 ? WIRE_ICMP : WIRE_ICMPV6);

	must(is_address(packet->destination, service->vip, packet->ipv4), "sent to another VIP's");
	if (error) {
		must(!packet->fragment, "forwarded a fragment of ICMP");
		return;
	}
	must(packet->protocol == service->protocol, "sent to another protocol's service");
	/* Fragments that came before the first take the VIP's lowest port, and it follows them. */
	if (!packet->fragment)
		must(!service->port || !memcmp(ports + 2, &service->port, 2),
		     "sent to another port's service");
}

/* The largest MSS of a SYN lowered in place, as RFC 9293, 3.2, lays options out. True: it was. */
static bool lower_mss_options(__u8 *tcp, __u16 most)
{
	__u32 header_bytes = (tcp[12] >> 4) * 4, at = 20;
	bool lowered = false;

	while (at + 4 <= header_bytes && tcp[at]) {
		if (tcp[at] == 1) {
			at++;
			continue;
		}
		if (tcp[at + 1] < 2)
			break;
		if (tcp[at] == 2 && tcp[at + 1] == 4 && read16(tcp + at + 2) > most) {
			tcp[at + 2] = most >> 8;
			tcp[at + 3] = most & 0xff;
			lowered = true;
		}
		at += tcp[at + 1];
	}
	return lowered;
}

static bool is_syn(const struct packet_view *packet)
{
	return packet->protocol == WIRE_TCP && !packet->later &&
	       (packet->ip[packet->header_bytes + 13] & 0x17) == 2;
}

/* Sums that differ by a multiple of 0xffff say the same. */
static bool same_sum(__u16 one, __u16 other)
{
	return one % 0xffff == other % 0xffff;
}

/* Is @at the packet that came, one router further? */
static void check_inner(const struct lb_run *run, const struct packet_view *came, const __u8 *at,
			__u32 bytes, const struct service *service)
{
	static __u8 expected[FRAME_BYTES_MAX];
	__u32 tcp_end = came->header_bytes + 20, ttl_at = came->ipv4 ? 8 : 7;
	struct packet_view left;

	must(read_packet(&left, at, bytes, came->ipv4), "forwarded what is no packet any more");
	must(left.checksum_right, "forwarded with a wrong header checksum");
	must(left.ip_bytes == came->ip_bytes, "forwarded with another length");
	memcpy(expected, came->ip, came->ip_bytes);
	must(expected[ttl_at] > 1, "forwarded a packet whose TTL had run out");
	expected[ttl_at]--;
	if (came->ipv4)
		memcpy(expected + 10, at + 10, 2); /* found right above */
	if (is_syn(came))
		tcp_end = came->header_bytes + (expected[came->header_bytes + 12] >> 4) * 4;
	/* Of a frame in pieces, what is not in the first is left alone. */
	if (service->mss_bytes && is_syn(came) &&
	    came->ip + tcp_end <= run->in->frame + run->in->arrival.linear_bytes &&
	    lower_mss_options(expected + came->header_bytes, service->mss_bytes)) {
		memcpy(expected + came->header_bytes + 16, at + came->header_bytes + 16, 2);
		must(same_sum(l4_sum(came, WIRE_TCP), l4_sum(&left, WIRE_TCP)),
		     "lowered the MSS and the checksum not along with it");
	}
	must(!memcmp(expected, at, came->ip_bytes), "forwarded another packet than came");
	must(run->out + run->out_bytes - (at + came->ip_bytes) ==
			     run->in->frame + run->in->frame_bytes - (came->ip + came->ip_bytes) &&
		     !memcmp(at + came->ip_bytes, came->ip + came->ip_bytes,
			     run->out + run->out_bytes - (at + came->ip_bytes)),
	     "forwarded with another padding");
}

/* A checksum that is there must be right, unless the packet inside had a wrong one already. */
static void check_outer_udp(const struct packet_view *outer, const struct packet_view *came)
{
	const __u8 *udp = outer->ip + outer->header_bytes;
	bool blame = !came->fragment &&
		     (came->protocol == WIRE_TCP || came->protocol == WIRE_UDP) &&
		     l4_sum(came, came->protocol) != 0xffff;

	must(read16(udp) >= 0xc000, "GUE from a port that is not of the dynamic ones");
	must(read16(udp + 2) == GUE_PORT_HERE, "GUE to another port");
	must(read16(udp + 4) == outer->ip_bytes - outer->header_bytes, "GUE with another length");
	if (outer->ipv4)
		must(!read16(udp + 6), "a checksum of GUE in IPv4");
	else if (read16(udp + 6) && !blame)
		must(l4_sum(outer, WIRE_UDP) == 0xffff, "GUE with a wrong UDP checksum");
}

/* Hops are other backends of the service, each once; returns the bytes of UDP and GUE. */
static __u32 check_gue(const struct packet_view *outer, const struct packet_view *came,
		       __u32 service_id)
{
	const __u8 *gue = outer->ip + outer->header_bytes + 8;
	__u32 hop_bytes = outer->ipv4 ? 4 : 16, seen = 0;

	must(outer->ip_bytes >= outer->header_bytes + 16, "GUE without a header");
	check_outer_udp(outer, came);
	must(gue[1] == (came->ipv4 ? WIRE_IPIP : WIRE_IPV6) && !read16(gue + 2) &&
		     !read16(gue + 4) && !gue[6],
	     "GUE with other fields");
	must(gue[7] <= 2 && gue[0] == 1 + gue[7] * hop_bytes / 4,
	     "GUE with another length of hops");
	for (__u32 hop = 0; hop < gue[7]; hop++) {
		__u32 id = service_id * BACKENDS_EACH, last = id + BACKENDS_EACH;

		while (id < last && !is_address(gue + 8 + hop * hop_bytes,
						lb_world_backend(id)->address, outer->ipv4))
			id++;
		must(id < last, "a next hop that does not serve the service");
		must(!(seen & 1u << (id % BACKENDS_EACH)), "a next hop twice");
		must(!is_address(outer->destination, lb_world_backend(id)->address, outer->ipv4),
		     "a next hop that has the packet already");
		seen |= 1u << (id % BACKENDS_EACH);
	}
	return 16 + gue[7] * hop_bytes;
}

static __u8 traffic_class(const struct packet_view *packet)
{
	return packet->ipv4 ? packet->ip[1] : read16(packet->ip) >> 4;
}

/* Returns the bytes of all outer headers. */
static __u32 check_outer(const struct lb_run *run, const struct frame_view *in,
			 const struct backend *backend, const struct service *service)
{
	__u8 inside = in->packet.ipv4 ? WIRE_IPIP : WIRE_IPV6;
	const struct packet_view *came = &in->packet;
	struct frame_view out;
	struct packet_view *outer = &out.packet;
	__u32 bytes;

	must(read_frame(&out, run->out, run->out_bytes), "forwarded in no packet");
	must(outer->ipv4 == !!(backend->flags & BACKEND_OUTER_IPV4), "in the other family");
	must(!outer->extended && !outer->fragment && outer->checksum_right,
	     "an outer header with options, in fragments or with a wrong checksum");
	must(!outer->ipv4 || read16(outer->ip + 6) == 0x4000, "an outer header without DF");
	must(outer->ip[outer->ipv4 ? 8 : 7] == 64, "an outer header with another TTL");
	must(traffic_class(outer) == traffic_class(came), "with another traffic class");
	must(outer->protocol == (service->forward == FORWARD_GUE ? WIRE_UDP : inside),
	     "an outer header with another protocol");
	must(is_address(outer->destination, backend->address, outer->ipv4), "to somebody else");
	bytes = outer->header_bytes;
	must(!memcmp(outer->source, (const __u8 *)backend->source + (outer->ipv4 ? 12 : 0),
		     outer->ipv4 ? 3 : 15),
	     "from somebody else");
	if (service->forward == FORWARD_GUE)
		bytes += check_gue(outer, came, service->id);
	must(outer->ip_bytes == bytes + came->ip_bytes, "an outer header with another length");
	return bytes;
}

void lb_check_forwarded(const struct lb_run *run)
{
	__u32 id = backend_by_macs(run->out), outer_bytes = 0, l3_bytes;
	const struct backend *backend = lb_world_backend(id);
	const struct service *service = lb_world_service(id / BACKENDS_EACH);
	struct frame_view in;

	must(read_frame(&in, run->in->frame, run->in->frame_bytes), "forwarded what is no packet");
	l3_bytes = in.l3_bytes;
	must(run->out_bytes > l3_bytes && !memcmp(in.bytes + 12, run->out + 12, l3_bytes - 14),
	     "forwarded with other tags");
	must((run->verdict == XDP_TX) == (backend->egress_ifindex == run->in->arrival.ifindex) &&
		     (run->verdict == XDP_TX || redirect_ifindex() == backend->egress_ifindex),
	     "forwarded by another device");
	check_service(&in.packet, service);
	if (service->forward == FORWARD_DSR)
		must(read16(run->out + l3_bytes - 2) == (in.packet.ipv4 ? 0x0800 : 0x86dd),
		     "forwarded as another type");
	else
		outer_bytes = check_outer(run, &in, backend, service);
	must(in.packet.ip_bytes + outer_bytes <= backend->mtu_bytes, "longer than its way carries");
	check_inner(run, &in.packet, run->out + l3_bytes + outer_bytes,
		    run->out_bytes - l3_bytes - outer_bytes, service);
}
