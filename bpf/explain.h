/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program of its own, that `sluice policy test` runs on a packet it has made up: what would the
 * packet path do with it? It reads the same maps by the same functions, and changes none.
 */
#ifndef SLUICE_BPF_EXPLAIN_H
#define SLUICE_BPF_EXPLAIN_H

#include "../maps/maps.bpf.h"
#include "policy.h"
#include "service.h"
#include "unusual.h"

static __always_inline void explain_packet(const struct packet *packet,
					   const struct service *service,
					   struct policy_answer *answer)
{
	union decision decision;

	answer->policy = packet->policy;
	answer->service = service ? service->id : 0;
	answer->asked =
		packet->policy & POLICY_ON && (service || packet->policy & POLICY_ALL_TRAFFIC);
	if (!answer->asked || !is_filtered(packet->policy, packet->source, packet->ipv4))
		return;
	decision = find_rule(packet->policy, packet->source, packet->ipv4, answer->service,
			     packet->service_port);
	answer->rule = decision.rule;
	answer->action = decision.action;
	answer->bits = decision.bits;
}

/* XDP_DROP: a rule denies it. XDP_ABORTED: the packet was not understood, there is no answer. */
SEC("?xdp")
int explain(struct xdp_md *ctx)
{
	struct packet *packet = packet_in_scratch();
	const struct service *service = NULL;
	struct policy_answer answer = {};
	void *data, *end;

	if (read_unusual(ctx) != NEXT || !packet)
		return XDP_ABORTED;
	find_service(packet, &service);
	explain_packet(packet, service, &answer);
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + sizeof(answer) > end)
		return XDP_ABORTED;
	__builtin_memcpy(data, &answer, sizeof(answer));
	return answer.action == RULE_DENY ? XDP_DROP : XDP_PASS;
}

#endif
