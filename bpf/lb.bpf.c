/* SPDX-License-Identifier: GPL-2.0-only */
/* The load balancer's packet path. Each stage is a header of its name; a packet's way is balance(). */
#include "account.h"
#include "flow.h"
#include "forward.h"
#include "icmp.h"
#include "packet.h"
#include "parse.h"
#include "relay.h"
#include "select.h"
#include "service.h"
#include "unusual.h"

static __always_inline int balance(struct xdp_md *ctx, struct packet *packet)
{
	const struct service *service;
	const struct backend *backend;
	int verdict;

	/* Is it for one of our services? Everything else is the stack's. */
	verdict = find_service(packet, &service);
	if (verdict != NEXT)
		return verdict;

	/* Policy will stand here: what may pass, and how fast. */

	/* A ping for the VIP itself? */
	if (packet->echo)
		return answer_echo(ctx, packet->l3_bytes, packet->ipv4);

	/* Has its flow a backend already? */
	verdict = find_flow(ctx, packet, service, &backend);
	if (verdict != NEXT)
		return verdict;

	/* If not, which of the slot's candidates does the coin choose? */
	verdict = select_backend(packet, service, &backend);
	if (verdict != NEXT)
		return verdict;

	/* Off it goes, and into the counters. */
	return forward(ctx, packet, service, backend);
}

/*
 * What is it? Frames that we do not understand are the stack's, too. Plain packets have a way of
 * their own through the compiled program, in which nothing asks about tags, fragments or errors.
 */
SEC("xdp.frags")
int lb(struct xdp_md *ctx)
{
	struct packet packet;
	int verdict;

	verdict = parse_plain(ctx, &packet);
	if (verdict == NEXT)
		return balance(ctx, &packet);
	if (verdict != UNUSUAL)
		return verdict;

	verdict = parse_unusual(ctx, &packet);
	if (verdict == RELAY)
		return relay_too_big(ctx, &packet);
	if (verdict != NEXT)
		return verdict;
	return balance(ctx, &packet);
}

char _license[] SEC("license") = "GPL";
