/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Measuring by sequence numbers, where there is no socket to ask: packets that are forwarded, or
 * come from another network namespace. What is sent below the highest number sent is sent again,
 * unless it is only late: it was passed over before, by a segment that is not older.
 */
#ifndef SLUICE_BPF_MEASURE_SEQUENCE_H
#define SLUICE_BPF_MEASURE_SEQUENCE_H

#include "measure_flow.h"

/*
 * RFC 9293, 3.8.4: a byte below the highest, sent when nothing else is on its way, asks whether the
 * other side is still there. Where acknowledgements are not seen, one byte is taken to be this.
 */
static __always_inline bool is_keepalive(const struct measure_flow *flow,
					 const struct segment *segment)
{
	return segment->payload_bytes == 1 && !(segment->flags & TCP_FIN) &&
	       segment->sequence + 1 == flow->sent &&
	       (!(flow->known & FLOW_ACKED) || flow->acked == flow->sent);
}

/* @below: how much of the segment was sent before, in sequence numbers. */
static __always_inline void count_sequence_again(struct measure_counters *counters,
						 const struct segment *segment, __u32 below,
						 __u32 gso_bytes)
{
	__u32 segments = segment->count;

	if (below >= segment->payload_bytes) {
		count_again(counters, segments, segment->payload_bytes);
		return;
	}
	if (segments > 1 && gso_bytes)
		segments = (below + gso_bytes - 1) / gso_bytes;
	count_again(counters, segments, below);
}

/* The segment begins behind numbers that nobody has seen yet. */
static __always_inline void note_gap(struct measure_flow *flow, const struct segment *segment)
{
	flow->known &= ~FLOW_GAP;
	if (!segment->has_timestamps)
		return;
	flow->gap = flow->sent;
	flow->gap_end = segment->sequence;
	flow->gap_stamp = segment->timestamp;
	flow->known |= FLOW_GAP;
}

static __always_inline bool fills_gap(struct measure_flow *flow, const struct segment *segment,
				      __u32 end)
{
	if (!(flow->known & FLOW_GAP) || (__s32)(segment->sequence - flow->gap) < 0 ||
	    (__s32)(end - flow->gap_end) > 0 || (__s32)(segment->timestamp - flow->gap_stamp) > 0)
		return false;
	flow->gap = end;
	if (flow->gap == flow->gap_end)
		flow->known &= ~FLOW_GAP;
	return true;
}

/*
 * A segment below the highest number that was not sent after it: on the way here the two changed
 * places. It is older than another by its TSval, or, where these are the same, it was passed over.
 */
static __always_inline bool is_late(struct measure_flow *flow, const struct segment *segment,
				    __u32 end)
{
	if (!segment->has_timestamps || !(flow->known & FLOW_STAMPED))
		return false;
	return fills_gap(flow, segment, end) || (__s32)(segment->timestamp - flow->stamped) < 0;
}

/* Of a segment that takes sequence numbers. True: it has some that were never sent. */
static __always_inline bool follow_sent(struct measure_counters *counters,
					struct measure_flow *flow, const struct segment *segment,
					__u32 gso_bytes)
{
	__u32 fin = segment->flags & TCP_FIN ? 1 : 0;
	__u32 end = segment->sequence + segment->payload_bytes + fin;
	__s32 below = flow->sent - segment->sequence;
	bool known = flow->known & FLOW_SENT && below <= WINDOW_MAX && below >= -WINDOW_MAX;

	if (known && below > 0) {
		if (is_keepalive(flow, segment))
			return false;
		if (is_late(flow, segment, end))
			return true;
		count_sequence_again(counters, segment, below, gso_bytes);
		if ((__s32)(end - flow->sent) <= 0)
			return false;
	}
	if (known && below < 0)
		note_gap(flow, segment);
	flow->sent = end;
	flow->known |= FLOW_SENT;
	return true;
}

/*
 * Note when a TSval is sent for the first time; the client returns it. Two are kept: while one is on
 * its way the next can be noted, so that a long way is measured twice a round trip.
 */
static __always_inline void stamp(struct measure_flow *flow, __u32 value)
{
	struct measure_stamp *free = &flow->stamps[0];

	if (flow->known & FLOW_STAMPED && (__s32)(value - flow->stamped) <= 0)
		return;
	flow->stamped = value;
	flow->known |= FLOW_STAMPED;
	if (free->sent_ns)
		free = &flow->stamps[1];
	if (free->sent_ns)
		return;
	free->value = value;
	free->sent_ns = bpf_ktime_get_ns();
}

/* A TSval that was passed over is not waited for: the segment that carried it was lost. */
static __always_inline void read_echo(struct measure_counters *counters,
				      struct measure_stamp *stamp, __u32 echo)
{
	__s32 past = echo - stamp->value;

	if (!stamp->sent_ns || past < 0)
		return;
	if (past == 0)
		add_sample(&counters->rtt, (bpf_ktime_get_ns() - stamp->sent_ns) / NS_PER_US);
	stamp->sent_ns = 0;
}

static __always_inline void measure_by_sequence(struct __sk_buff *skb,
						struct measure_counters *counters,
						struct segment *segment)
{
	struct measure_flow *flow;

	if (!takes_sequence_numbers(segment))
		return;
	flow = find_or_add_measured(segment);
	if (!flow)
		return;
	read_timestamps(skb, segment);
	if (follow_sent(counters, flow, segment, skb->gso_size) && segment->payload_bytes)
		follow_response(counters, flow);
	if (segment->has_timestamps)
		stamp(flow, segment->timestamp);
}

/* From the client. */
static __always_inline void follow_acknowledged(struct __sk_buff *skb,
						struct measure_counters *counters,
						struct measure_flow *flow, struct segment *segment)
{
	if (!(flow->known & FLOW_ACKED) || (__s32)(segment->acknowledged - flow->acked) > 0) {
		flow->acked = segment->acknowledged;
		flow->known |= FLOW_ACKED;
	}
	if (!flow->stamps[0].sent_ns && !flow->stamps[1].sent_ns)
		return;
	read_timestamps(skb, segment);
	if (!segment->has_timestamps)
		return;
	read_echo(counters, &flow->stamps[0], segment->echo);
	read_echo(counters, &flow->stamps[1], segment->echo);
}

#endif
