/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage forward: send the packet to its backend. */
#ifndef SLUICE_BPF_FORWARD_H
#define SLUICE_BPF_FORWARD_H

#include "../maps/maps.bpf.h"
#include "account.h"
#include "drop.h"
#include "gue.h"
#include "icmp.h"
#include "mss.h"
#include "outer.h"
#include "packet.h"
#include "tags.h"

/* We are a router on the way (RFC 2003, 3.1). The checksum is updated as in RFC 1624. */
static __always_inline bool decrease_ttl(struct xdp_md *ctx, const struct packet *packet)
{
	void *header = (void *)(long)ctx->data + ETH_HLEN;
	void *end = (void *)(long)ctx->data_end;

	if (packet->ipv4) {
		struct iphdr *ip = header;
		__u32 check;

		if (unlikely((void *)(ip + 1) > end))
			return false;
		check = ip->check + bpf_htons(0x0100);
		ip->check = check + ((check + 1) >> 16);
		ip->ttl = packet->ttl - 1;
	} else {
		struct ipv6hdr *ip = header;

		if ((void *)(ip + 1) > end)
			return false;
		ip->hop_limit = packet->ttl - 1;
	}
	return true;
}

/* It is lost; the client is told, unless this is none to be answered (RFC 1122, 3.2.2). */
static __always_inline int refuse_too_big(struct xdp_md *ctx, const struct packet *packet,
					  const struct service *service, __u32 mtu_bytes)
{
	/* Here and not in lb(), because what comes out is the answer. */
	record_drop(ctx, drop_of_service(drop(DROP_TOO_BIG), service), packet->frame_bytes);
	if (packet->error || packet->later)
		return XDP_DROP;
	return answer_too_big(ctx, ETH_HLEN, packet->ipv4, mtu_bytes);
}

/* What every packet goes through before it leaves, @outer_bytes longer than it came. */
static __always_inline int prepare(struct xdp_md *ctx, const struct packet *packet,
				   const struct service *service, const struct backend *backend,
				   __u32 outer_bytes)
{
	if (unlikely(packet->length_bytes + outer_bytes > backend->mtu_bytes))
		return refuse_too_big(ctx, packet, service, backend->mtu_bytes - outer_bytes);
	if (opens(packet) && service->mss_bytes)
		clamp_mss(ctx, packet->l4_bytes - packet->l3_bytes + ETH_HLEN, service->mss_bytes);
	return decrease_ttl(ctx, packet) ? NEXT : drop(DROP_NO_STATE);
}

static __always_inline int send_dsr(struct xdp_md *ctx, const struct packet *packet,
				    const struct service *service, const struct backend *backend)
{
	int verdict = prepare(ctx, packet, service, backend, 0);
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	if (verdict != NEXT)
		return verdict;
	if (data + ETH_HLEN > end)
		return drop(DROP_NO_STATE);
	write_macs(data, backend);
	return NEXT;
}

static __always_inline int send_ipip(struct xdp_md *ctx, const struct packet *packet,
				     const struct service *service, const struct backend *backend,
				     bool outer_ipv4)
{
	__u32 outer_bytes = outer_ip_bytes(outer_ipv4);
	int verdict = prepare(ctx, packet, service, backend, outer_bytes);

	if (verdict != NEXT)
		return verdict;
	return encapsulate(ctx, packet, backend, outer_ipv4, outer_bytes,
			   packet->ipv4 ? IPPROTO_IPIP : IPPROTO_IPV6);
}

static __always_inline int send_gue(struct xdp_md *ctx, const struct packet *packet,
				    const struct service *service, const struct backend *backend,
				    bool outer_ipv4)
{
	struct next_hops hops = {};
	__u32 outer_bytes;
	int verdict;

	find_next_hops(packet, service, backend, &hops);
	outer_bytes = outer_ip_bytes(outer_ipv4) + gue_bytes(&hops, outer_ipv4);
	verdict = prepare(ctx, packet, service, backend, outer_bytes);
	if (verdict == NEXT)
		verdict = encapsulate(ctx, packet, backend, outer_ipv4, outer_bytes, IPPROTO_UDP);
	if (verdict != NEXT)
		return verdict;
	return write_gue(ctx, packet, &hops, outer_ipv4);
}

static __always_inline int forward(struct xdp_md *ctx, const struct packet *packet,
				   const struct service *service, const struct backend *backend)
{
	__u64 tags = 0;
	int verdict;

	if (unlikely(!(backend->flags & BACKEND_REACHABLE)))
		return drop(DROP_NO_NEXT_HOP);
	if (unlikely(packet->ttl <= 1))
		return drop(DROP_TTL_EXPIRED);
	if (unlikely(packet->l3_bytes != ETH_HLEN)) {
		tags = untag(ctx, packet->l3_bytes);
		if (!tags)
			return drop(DROP_NO_ROOM);
	}

	if (service->forward == FORWARD_DSR)
		verdict = send_dsr(ctx, packet, service, backend);
	else if (service->forward == FORWARD_IPIP)
		/* Compiled for each family. */
		verdict = outer_is_ipv4(backend) ? send_ipip(ctx, packet, service, backend, true)
						 : send_ipip(ctx, packet, service, backend, false);
	else
		verdict = outer_is_ipv4(backend) ? send_gue(ctx, packet, service, backend, true)
						 : send_gue(ctx, packet, service, backend, false);
	if (unlikely(tags && (verdict == NEXT || verdict == XDP_TX) && !retag(ctx, tags)))
		return drop(DROP_NO_ROOM);
	if (verdict != NEXT)
		return verdict;

	account(packet, service);
	if (backend->egress_ifindex == ctx->ingress_ifindex)
		return XDP_TX;
	return bpf_redirect(backend->egress_ifindex, 0);
}

#endif
