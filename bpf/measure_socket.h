/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Measuring by the socket, where there is one: the kernel's own account of what it sent again, and
 * its smoothed RTT.
 */
#ifndef SLUICE_BPF_MEASURE_SOCKET_H
#define SLUICE_BPF_MEASURE_SOCKET_H

#include "measure_flow.h"

#define SOCKET_STREAM 1 /* SOCK_STREAM, which no header for BPF has */
#define SRTT_SHIFT    3 /* the kernel keeps eight times the RTT */

/*
 * A full TCP socket or nothing. Request and time-wait sockets are no full ones. The type decides,
 * because the sockets that the kernel sends resets with are raw ones of protocol TCP, which
 * bpf_tcp_sock() would read as if they were TCP's.
 */
static __always_inline struct bpf_sock *stream_socket(struct __sk_buff *skb)
{
	struct bpf_sock *socket = skb->sk;

	if (!socket)
		return NULL;
	socket = bpf_sk_fullsock(socket);
	if (!socket || socket->type != SOCKET_STREAM || socket->protocol != IPPROTO_TCP)
		return NULL;
	return socket;
}

/*
 * The kernel counts a segment that it sends again just before it passes here, so the segment is the
 * packet at hand. Where something holds packets up in between, only the number is sure.
 */
static __always_inline void count_socket_again(struct measure_counters *counters,
					       const struct segment *segment, __u32 segments,
					       __u32 mss_bytes)
{
	count_again(counters, segments,
		    segments == segment->count ? segment->payload_bytes : segments * mss_bytes);
}

/* False: there is no socket, or no memory for it. */
static __always_inline bool measure_by_socket(struct __sk_buff *skb,
					      struct measure_counters *counters,
					      const struct segment *segment)
{
	struct bpf_sock *socket = stream_socket(skb);
	struct bpf_tcp_sock *tcp = socket ? bpf_tcp_sock(socket) : NULL;
	struct measure_socket initial = {}, *memory;
	struct measure_flow *flow;
	__u32 again;

	if (!tcp)
		return false;
	initial.total_retrans = tcp->total_retrans;
	memory =
		bpf_sk_storage_get(&measure_sockets, socket, &initial, BPF_SK_STORAGE_GET_F_CREATE);
	if (!memory)
		return false;

	again = tcp->total_retrans - memory->total_retrans;
	memory->total_retrans += again;
	if (again)
		count_socket_again(counters, segment, again, tcp->mss_cache);
	if (tcp->srtt_us != memory->srtt_us) {
		memory->srtt_us = tcp->srtt_us;
		add_sample(&counters->rtt, tcp->srtt_us >> SRTT_SHIFT);
	}
	/* Flows need not be looked for when nothing came that this could be the response to. */
	if (segment->payload_bytes && !again && tcp->bytes_received != memory->bytes_received) {
		memory->bytes_received = tcp->bytes_received;
		flow = find_measured(segment);
		if (flow)
			follow_response(counters, flow);
	}
	return true;
}

#endif
