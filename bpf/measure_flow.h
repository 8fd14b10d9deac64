/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of flows, for what takes more than one packet to know: a SYN sent twice, and the time
 * from a request to its response.
 */
#ifndef SLUICE_BPF_MEASURE_FLOW_H
#define SLUICE_BPF_MEASURE_FLOW_H

#include "measure_count.h"

#define NS_PER_US 1000

/* RFC 7323, 2.3: no window is larger, so sequence numbers further apart are of different flows. */
#define WINDOW_MAX (1 << 30)

static __always_inline void key_of(const struct segment *segment, struct measure_flow_key *key)
{
	key->local[0] = segment->local[0];
	key->local[1] = segment->local[1];
	key->peer[0] = segment->peer[0];
	key->peer[1] = segment->peer[1];
	key->local_port = segment->local_port;
	key->peer_port = segment->peer_port;
	key->spare = 0;
}

static __always_inline struct measure_flow *find_measured(const struct segment *segment)
{
	struct measure_flow_key key;

	key_of(segment, &key);
	return bpf_map_lookup_elem(&measure_flows, &key);
}

static __always_inline struct measure_flow *find_or_add_measured(const struct segment *segment)
{
	struct measure_flow fresh = {};
	struct measure_flow_key key;
	struct measure_flow *flow;

	key_of(segment, &key);
	flow = bpf_map_lookup_elem(&measure_flows, &key);
	if (flow)
		return flow;
	bpf_map_update_elem(&measure_flows, &key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&measure_flows, &key);
}

static __always_inline void forget_measured(const struct segment *segment)
{
	struct measure_flow_key key;

	key_of(segment, &key);
	bpf_map_delete_elem(&measure_flows, &key);
}

/* Note the SYN's number. True: it went by before. */
static __always_inline bool is_syn_again(const struct segment *segment, bool sent)
{
	struct measure_handshake fresh = {}, *handshake;
	struct measure_flow_key key;
	__u32 *number;
	__u32 bit = sent ? FLOW_SENT : FLOW_RECEIVED;

	key_of(segment, &key);
	handshake = bpf_map_lookup_elem(&measure_handshakes, &key);
	if (!handshake) {
		bpf_map_update_elem(&measure_handshakes, &key, &fresh, BPF_NOEXIST);
		handshake = bpf_map_lookup_elem(&measure_handshakes, &key);
		if (!handshake)
			return false;
	}
	number = sent ? &handshake->sent : &handshake->received;
	if (handshake->known & bit && *number == segment->sequence)
		return true;
	*number = segment->sequence;
	handshake->known |= bit;
	return false;
}

/* A SYN that is new begins a flow, maybe with the addresses of one that was. */
static __always_inline void follow_syn_sent(struct measure_counters *counters,
					    const struct segment *segment)
{
	if (is_syn_again(segment, true)) {
		counters->syn_retransmits_sent++;
		count_again(counters, segment->count, segment->payload_bytes);
	} else {
		forget_measured(segment);
	}
}

static __always_inline void follow_syn_received(struct measure_counters *counters,
						const struct segment *segment)
{
	if (is_syn_again(segment, false))
		counters->syn_retransmits_received++;
	else
		forget_measured(segment);
}

/* Payload from the client: part of a request, unless it came before. */
static __always_inline void follow_request(struct measure_flow *flow, const struct segment *segment)
{
	__u32 end = segment->sequence + segment->payload_bytes;

	if (flow->known & FLOW_RECEIVED && (__s32)(end - flow->received) <= 0)
		return;
	flow->received = end;
	flow->known |= FLOW_RECEIVED;
	flow->request_ns = bpf_ktime_get_ns();
}

/* Payload to the client, sent for the first time. */
static __always_inline void follow_response(struct measure_counters *counters,
					    struct measure_flow *flow)
{
	__u64 request_ns = flow->request_ns;

	if (!request_ns)
		return;
	flow->request_ns = 0;
	add_sample(&counters->response, (bpf_ktime_get_ns() - request_ns) / NS_PER_US);
}

#endif
