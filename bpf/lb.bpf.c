/* SPDX-License-Identifier: GPL-2.0-only */
/* The load balancer's packet path. Each stage is a header of its name; a packet's way is lb(). */
#include "account.h"
#include "flow.h"
#include "forward.h"
#include "packet.h"
#include "parse.h"
#include "select.h"
#include "service.h"

SEC("xdp.frags")
int lb(struct xdp_md *ctx)
{
	const struct service *service;
	const struct backend *backend;
	struct packet packet;
	int verdict;

	/* What is it? Frames we do not understand are the stack's. */
	verdict = parse(ctx, &packet);
	if (verdict != NEXT)
		return verdict;

	/* Is it for one of our services? Everything else is the stack's, too. */
	verdict = find_service(&packet, &service);
	if (verdict != NEXT)
		return verdict;

	/* Policy will stand here: what may pass, and how fast. */

	/* A ping for the VIP itself? */
	if (packet.echo)
		return answer_echo(ctx, packet.l3_bytes, packet.ipv4);

	/* Has its flow a backend already? */
	verdict = find_flow(ctx, &packet, service, &backend);
	if (verdict != NEXT)
		return verdict;

	/* If not, which of the slot's candidates does the coin choose? */
	verdict = select_backend(&packet, service, &backend);
	if (verdict != NEXT)
		return verdict;

	/* Off it goes, and into the counters. */
	return forward(ctx, &packet, service, backend);
}

char _license[] SEC("license") = "GPL";
