/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TC programs that measure how well a node's services do: what they send, what of it again, how long
 * the way to their clients is, and how soon they answer. They change no packet and stop none.
 *
 * They stand where both directions pass: on the node's device, or, where no sockets are, on that of
 * a router between service and clients.
 */
#include <linux/pkt_cls.h>

#include "measure_segment.h"
#include "measure_count.h"
#include "measure_flow.h"
#include "measure_sequence.h"
#include "measure_socket.h"

/* For TCX as for clsact: let the next program or filter decide, as if there were none of ours. */
#define GO_ON TC_ACT_UNSPEC

/* From a service to its clients. */
SEC("tc")
int measure_sent(struct __sk_buff *skb)
{
	struct segment segment = {};
	struct measure_counters *counters;

	if (!read_segment(skb, true, &segment))
		return GO_ON;
	counters = counters_of(&segment);
	if (!counters)
		return GO_ON;
	count_sent(counters, &segment);
	if (segment.protocol != IPPROTO_TCP)
		return GO_ON;
	if (segment.flags & TCP_SYN)
		follow_syn_sent(counters, &segment);
	else if (!measure_by_socket(skb, counters, &segment))
		measure_by_sequence(skb, counters, &segment);
	return GO_ON;
}

/* From clients to a service. */
SEC("tc")
int measure_received(struct __sk_buff *skb)
{
	struct segment segment = {};
	struct measure_counters *counters;
	struct measure_flow *flow;

	if (!read_segment(skb, false, &segment) || segment.protocol != IPPROTO_TCP)
		return GO_ON;
	counters = counters_of(&segment);
	if (!counters)
		return GO_ON;
	if (segment.flags & TCP_RST) {
		counters->resets_received++;
		forget_measured(&segment);
		return GO_ON;
	}
	if (segment.flags & TCP_SYN) {
		follow_syn_received(counters, &segment);
		return GO_ON;
	}
	flow = segment.payload_bytes ? find_or_add_measured(&segment) : find_measured(&segment);
	if (!flow)
		return GO_ON;
	if (segment.payload_bytes)
		follow_request(flow, &segment);
	if (segment.flags & TCP_ACK)
		follow_acknowledged(skb, counters, flow, &segment);
	return GO_ON;
}

char _license[] SEC("license") = "GPL";
