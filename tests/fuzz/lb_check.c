/* SPDX-License-Identifier: GPL-2.0-only */
#include "lb_check.h"

#include <string.h>

#include "lb_world.h"
#include "wire.h"

static bool is_vip(const struct packet_view *packet)
{
	const struct service *service;

	for (__u32 id = 1; (service = lb_world_service(id)); id++) {
		const __u8 *vip = (const __u8 *)service->vip;
		bool ipv4 = vip[10] == 0xff && vip[11] == 0xff && !vip[0];

		if (ipv4 == packet->ipv4 &&
		    !memcmp(packet->destination, ipv4 ? vip + 12 : vip, ipv4 ? 4 : 16))
			return true;
	}
	return false;
}

/* A router's word about one of our tunnels, which goes to another address of ours. */
static bool says_too_big(const struct packet_view *packet)
{
	const __u8 *icmp = packet->ip + packet->header_bytes;

	if (packet->ip_bytes < packet->header_bytes + 8)
		return false;
	if (packet->ipv4)
		return packet->protocol == WIRE_ICMP && icmp[0] == 3 && icmp[1] == 4;
	return packet->protocol == WIRE_ICMPV6 && icmp[0] == 2;
}

/* Only whole packets to a VIP with a right header may be anything but the stack's. */
static void check_ours(const struct packet_view *packet)
{
	must(packet->checksum_right, "took a packet with a wrong header checksum");
	must(packet->plain_chain, "took a packet whose headers do not fit into it");
	must(is_vip(packet) || says_too_big(packet), "took a packet that is not for a VIP");
}

static bool is_plain_flow(const struct frame_view *in)
{
	const struct packet_view *packet = &in->packet;
	const __u8 *l4 = packet->ip + packet->header_bytes;
	__u32 bytes = packet->ip_bytes - packet->header_bytes;

	if (packet->fragment || packet->extended || !packet->checksum_right)
		return false;
	if (packet->protocol == WIRE_TCP)
		return bytes >= 20 && (l4[12] >> 4) * 4u >= 20 && (l4[12] >> 4) * 4u <= bytes;
	return packet->protocol == WIRE_UDP && bytes >= 8 && read16(l4 + 4) >= 8 &&
	       read16(l4 + 4) <= bytes;
}

/* What is plainly for a service may not go past it to the stack. */
static void check_passed(const struct lb_run *run)
{
	const struct service *service;
	struct frame_view in;
	const __u8 *l4;

	must(run->out_bytes == run->in->frame_bytes &&
		     !memcmp(run->out, run->in->frame, run->out_bytes),
	     "passed a frame that it had changed");
	must(run->after.drops == run->before.drops && run->after.forwarded == run->before.forwarded,
	     "counted what it passed");
	if (run->in->arrival.linear_bytes < run->in->frame_bytes ||
	    !read_frame(&in, run->in->frame, run->in->frame_bytes) || !is_plain_flow(&in))
		return;
	l4 = in.packet.ip + in.packet.header_bytes;
	for (__u32 id = 1; (service = lb_world_service(id)); id++) {
		const __u8 *vip = (const __u8 *)service->vip;
		const __u8 *port = (const __u8 *)&service->port;
		bool ipv4 = !vip[0];

		must(ipv4 != in.packet.ipv4 ||
			     memcmp(in.packet.destination, ipv4 ? vip + 12 : vip, ipv4 ? 4 : 16) ||
			     service->protocol != in.packet.protocol ||
			     (service->port && memcmp(port, l4 + 2, 2)),
		     "passed a plain packet for a service");
	}
}

void lb_check(const struct lb_run *run)
{
	bool sent = run->verdict == XDP_TX || run->verdict == XDP_REDIRECT;
	struct frame_view in;

	lb_check_policy(run);
	if (run->after.by_rules != run->before.by_rules) {
		must(run->after.drops == run->before.drops + 1, "dropped by a rule, not counted");
		return;
	}
	if (run->verdict == XDP_PASS) {
		check_passed(run);
		return;
	}
	must(read_frame(&in, run->in->frame, run->in->frame_bytes), "took what is no IP packet");
	check_ours(&in.packet);
	if (run->verdict == XDP_DROP) {
		must(run->after.drops == run->before.drops + 1, "dropped without a reason counted");
		return;
	}
	must(sent, "a verdict that is none of pass, drop, tx and redirect");
	if (run->after.echo_replies != run->before.echo_replies) {
		lb_check_echo_reply(run);
	} else if (run->after.errors != run->before.errors) {
		must(run->after.too_big == run->before.too_big + 1, "too big, but not counted");
		lb_check_error(run, says_too_big(&in.packet));
	} else {
		must(run->after.forwarded == run->before.forwarded + 1, "forwarded, not counted");
		must(run->after.drops == run->before.drops, "forwarded and counted as dropped");
		lb_check_forwarded(run);
	}
}
