/* SPDX-License-Identifier: GPL-2.0-only */
/* The load balancer's packet path. Each stage is a header of its name; a packet's way is balance(). */
#include "admit.h"
#include "drop.h"
#include "explain.h"
#include "flow.h"
#include "forward.h"
#include "icmp.h"
#include "packet.h"
#include "parse.h"
#include "policy.h"
#include "relay.h"
#include "select.h"
#include "service.h"
#include "unusual.h"

/* The way of every packet that is not of balance_open(). */
static __always_inline int balance(struct xdp_md *ctx, struct packet *packet,
				   const struct service *service)
{
	const struct backend *backend;
	int verdict;

	/* May it pass? */
	verdict = check_policy(ctx, packet, service);
	if (verdict != NEXT)
		return verdict;

	/* A ping for the VIP itself? */
	if (packet->echo)
		return answer_echo(ctx, packet->l3_bytes, packet->ipv4);

	/* Has its flow a backend already? */
	verdict = find_flow(ctx, packet, service, &backend);
	if (verdict != NEXT)
		return verdict;

	/* If not, may it open one? */
	verdict = admit_flow(packet, service, backend);
	if (verdict != NEXT)
		return verdict;

	/* Then which of the slot's candidates does the coin choose? */
	verdict = select_backend(packet, service, &backend);
	if (verdict != NEXT)
		return verdict;

	/* Off it goes, and into the counters. */
	return forward(ctx, packet, service, backend);
}

/*
 * Most packets: plain, and of a flow that is open, whose memory they leave as it is. Compiled for
 * each family and apart from balance(), so that what only other packets need costs these nothing:
 * what was read of a packet goes to *@rest, in memory, only when it turns out to be another.
 * NEXT: it did, and is for @service.
 */
static __always_inline int balance_open(struct xdp_md *ctx, bool ipv4, struct packet *rest,
					const struct service **service)
{
	const struct backend *backend;
	struct packet packet = {};
	int verdict;

	verdict = parse_plain(ctx, &packet, ipv4);
	if (unlikely(verdict != NEXT))
		return verdict == UNUSUAL ? UNUSUAL : NOT_OURS;
	verdict = find_service(&packet, service);
	if (verdict != NEXT)
		return verdict;

	/* What some rule is about, check_policy() has to see. */
	backend = is_clean(&packet) ? backend_of_open_flow(&packet, *service) : NULL;
	if (likely(backend))
		return drop_of_service(forward(ctx, &packet, *service, backend), *service);
	*rest = packet;
	return NEXT;
}

/* A packet in registers would be spilled to the stack by those who have no use for it, too. */
static __always_inline void stay_in_memory(struct packet *packet)
{
	asm volatile("" : : "r"(packet) : "memory");
}

/* What is not for a service is the stack's, unless there are rules for that, too. */
static __always_inline int leave(struct xdp_md *ctx, const struct packet *packet, bool relay)
{
	int verdict = check_other(ctx);

	return relay && verdict == XDP_PASS ? relay_too_big(ctx, packet) : verdict;
}

/* What is it? Frames that we do not understand are the stack's, too. */
SEC("xdp.frags")
int lb(struct xdp_md *ctx)
{
	__be16 protocol = ethernet_protocol(ctx);
	const struct service *service = NULL;
	struct packet packet;
	int verdict;

	if (likely(protocol == bpf_htons(ETH_P_IP)))
		verdict = balance_open(ctx, true, &packet, &service);
	else if (protocol == bpf_htons(ETH_P_IPV6))
		verdict = balance_open(ctx, false, &packet, &service);
	else if (ethernet_is_tagged(protocol))
		verdict = UNUSUAL;
	else
		return XDP_PASS;
	if (likely(is_final(verdict)))
		return verdict;

	if (verdict == UNUSUAL) {
		verdict = parse_unusual(ctx, &packet, ethernet_protocol(ctx));
		if (verdict == NEXT)
			verdict = find_service(&packet, &service);
		else if (verdict != RELAY)
			verdict = NOT_OURS;
	}
	if (verdict == NEXT && service) { /* it is there, which 6.1 cannot tell */
		stay_in_memory(&packet);
		verdict = drop_of_service(balance(ctx, &packet, service), service);
	} else if (verdict == NOT_OURS || verdict == RELAY) {
		verdict = leave(ctx, &packet, verdict == RELAY);
	}
	if (is_final(verdict))
		return verdict;
	return record_drop(ctx, verdict, bpf_xdp_get_buff_len(ctx));
}

char _license[] SEC("license") = "GPL";
