/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks of what the balancer answers itself: echo replies, and that a packet was too big. */
#include <string.h>

#include "lb_check.h"
#include "lb_world.h"
#include "wire.h"

/* An answer goes back the way that the request came, tags and all. */
static void check_way_back(const struct lb_run *run, struct frame_view *in, struct frame_view *out)
{
	must(run->verdict == XDP_TX, "an answer that does not go back");
	must(read_frame(in, run->in->frame, run->in->frame_bytes), "answered what is no packet");
	must(read_frame(out, run->out, run->out_bytes), "an answer that is no packet");
	must(in->l3_bytes == out->l3_bytes &&
		     !memcmp(in->bytes + 12, out->bytes + 12, in->l3_bytes - 14),
	     "an answer with other tags");
	must(!memcmp(in->bytes, out->bytes + 6, 6) && !memcmp(in->bytes + 6, out->bytes, 6),
	     "an answer to another station");
	must(!(in->bytes[0] & 1), "answered a frame for many stations");
	must(out->packet.checksum_right, "an answer with a wrong header checksum");
	must(out->packet.ip[out->packet.ipv4 ? 8 : 7] == 64, "an answer with another TTL");
	must(out->packet.protocol == (out->packet.ipv4 ? WIRE_ICMP : WIRE_ICMPV6) &&
		     !out->packet.extended && out->packet.plain_chain &&
		     out->packet.ip_bytes >= out->packet.header_bytes + 8,
	     "an answer that is not ICMP");
}

/* @packet goes from where @about went to where it came from. */
static void check_turned(const struct packet_view *packet, const struct packet_view *about)
{
	__u32 address_bytes = packet->ipv4 ? 4 : 16;

	must(packet->ipv4 == about->ipv4, "an answer in the other family");
	must(!memcmp(about->source, packet->destination, address_bytes) &&
		     !memcmp(about->destination, packet->source, address_bytes),
	     "an answer with other addresses");
}

static __u16 icmp_sum(const struct packet_view *packet)
{
	if (!packet->ipv4)
		return l4_sum(packet, WIRE_ICMPV6);
	return ones_sum(packet->ip + packet->header_bytes, packet->ip_bytes - packet->header_bytes,
			0);
}

void lb_check_echo_reply(const struct lb_run *run)
{
	struct frame_view in, out;
	const __u8 *asked, *said;

	check_way_back(run, &in, &out);
	check_turned(&out.packet, &in.packet);
	must(in.frame_bytes == out.frame_bytes && in.packet.ip_bytes == out.packet.ip_bytes,
	     "an echo of another length");
	asked = in.packet.ip + in.packet.header_bytes;
	said = out.packet.ip + out.packet.header_bytes;
	must(in.packet.header_bytes == out.packet.header_bytes && !in.packet.fragment,
	     "an echo of a packet with options, or of a fragment");
	must(asked[0] == (in.packet.ipv4 ? 8 : 128) && !asked[1], "an echo of what was no request");
	must(said[0] == (in.packet.ipv4 ? 0 : 129) && !said[1], "an echo of another type");
	must(!memcmp(asked + 4, said + 4, in.bytes + in.frame_bytes - asked - 4),
	     "an echo of something else");
	must(icmp_sum(&in.packet) == 0xffff, "an echo of a request with a wrong checksum");
	must(icmp_sum(&out.packet) == 0xffff, "an echo with a wrong checksum");
}

/* Where the packet begins that a router's error about a tunnel's is about; NULL: there is none. */
static const __u8 *inner_of_error(const struct packet_view *error, bool *ipv4, __u32 *outer_bytes)
{
	const __u8 *outer = error->ip + error->header_bytes + 8, *at = outer;
	__u8 protocol = error->ipv4 ? at[9] : at[6];

	if (error->ipv4) {
		at += (at[0] & 15) * 4;
	} else {
		at += 40;
		while (protocol == 0 || protocol == 43 || protocol == 44 || protocol == 60) {
			__u32 bytes = protocol == 44 ? 8 : (at[1] + 1) * 8;

			protocol = at[0];
			at += bytes;
		}
	}
	*ipv4 = protocol == WIRE_IPIP;
	if (protocol == WIRE_UDP) {
		*ipv4 = at[9] == WIRE_IPIP;
		at += 12 + (at[8] & 31) * 4;
	}
	*outer_bytes = at - outer;
	return at;
}

/* Reads only the packet's header, because an error need not quote more. */
static void read_quoted(struct packet_view *packet, const __u8 *at, bool ipv4)
{
	*packet = (struct packet_view){
		.ip = at,
		.ipv4 = ipv4,
		.ip_bytes = ipv4 ? read16(at + 2) : 40 + read16(at + 4),
		.source = at + (ipv4 ? 12 : 8),
		.destination = at + (ipv4 ? 16 : 24),
	};
}

void lb_check_error(const struct lb_run *run, bool relayed)
{
	struct frame_view in, out;
	struct packet_view about;
	__u32 quoted, mtu_bytes, outer_bytes, least_bytes;
	const __u8 *said;
	bool ipv4;

	check_way_back(run, &in, &out);
	must(out.frame_bytes == out.l3_bytes + out.packet.ip_bytes, "an error and more behind it");
	said = out.packet.ip + out.packet.header_bytes;
	quoted = out.packet.ip_bytes - out.packet.header_bytes - 8;
	mtu_bytes = read32(said + 4);
	least_bytes = out.packet.ipv4 ? 68 : 1280;
	about = in.packet;
	if (relayed) {
		const __u8 *inner = inner_of_error(&in.packet, &ipv4, &outer_bytes);
		const __u8 *told = in.packet.ip + in.packet.header_bytes + 4;
		__u32 claimed = in.packet.ipv4 ? read16(told + 2) : read32(told);

		if (claimed > 65535)
			claimed = 65535;
		read_quoted(&about, inner, ipv4);
		must(mtu_bytes == least_bytes || mtu_bytes == claimed - outer_bytes,
		     "relayed another MTU");
		must(about.ip + quoted <= in.packet.ip + in.packet.ip_bytes,
		     "relayed more than the router had quoted");
	} else {
		must(mtu_bytes <= 1500 && !in.packet.later && in.packet.protocol != WIRE_ICMP &&
			     in.packet.protocol != WIRE_ICMPV6,
		     "an error about what may not be answered");
	}
	check_turned(&out.packet, &about);
	must(said[0] == (out.packet.ipv4 ? 3 : 2) && said[1] == (out.packet.ipv4 ? 4 : 0),
	     "an error of another type");
	must(icmp_sum(&out.packet) == 0xffff, "an error with a wrong checksum");
	must(out.packet.ip_bytes <= (out.packet.ipv4 ? 576 : 1280), "an error that is too long");
	must(mtu_bytes >= least_bytes, "an MTU that no link has");
	must(quoted == about.ip_bytes || out.packet.ip_bytes == (out.packet.ipv4 ? 576 : 1280) ||
		     relayed,
	     "an error that quotes less than fits");
	must(quoted <= about.ip_bytes && !memcmp(said + 8, about.ip, quoted),
	     "an error that quotes something else");
}
