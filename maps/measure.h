/* SPDX-License-Identifier: GPL-2.0-only */
/* What the TC programs on a node measure of the services that it serves. */
#ifndef SLUICE_MAPS_MEASURE_H
#define SLUICE_MAPS_MEASURE_H

#include <linux/types.h>

#define MEASURE_SERVICES_MAX 256
#define MEASURE_BUCKETS      26 /* the last one: from 33 s on */

/* Addresses are 16 bytes in network order; IPv4 as ::ffff:a.b.c.d. */
struct measure_key {
	__be32 vip[4];
	__be16 port; /* 0: every port */
	__u8 protocol;
	__u8 spare;
};
_Static_assert(sizeof(struct measure_key) == 20, "struct measure_key");

struct measure_settings {
	__u32 any_port; /* there is a service of every port, so look for those, too */
};

/* Bucket 0 holds 0 and 1 us, bucket i what is from 2^i to 2^(i+1)-1 us. */
struct measure_histogram {
	__u64 sum_us;
	__u64 square_sum_us2; /* for the deviation */
	__u64 bucket[MEASURE_BUCKETS];
};
_Static_assert(sizeof(struct measure_histogram) == 224, "struct measure_histogram");

/*
 * By service, words of 64 bits only, which userspace adds up over CPUs. "Sent" is from the service
 * to its clients. Bytes are of payload. Where the protocol is UDP, a segment is a datagram, and only
 * the first two are counted.
 */
struct measure_counters {
	__u64 segments; /* sent, each time that they were sent */
	__u64 bytes;
	__u64 data_segments; /* of those, with payload, SYN or FIN: what can be sent again */
	__u64 retransmitted_segments; /* of those, sent again */
	__u64 retransmitted_bytes;
	__u64 syn_retransmits_sent; /* SYN-ACKs */
	__u64 syn_retransmits_received;
	__u64 resets_sent;
	__u64 resets_received;
	struct measure_histogram rtt;
	/* From the last byte of a request to the first of its response; its count is of requests. */
	struct measure_histogram response;
};
_Static_assert(sizeof(struct measure_counters) == 520, "struct measure_counters");

/* A TCP connection: the service's side and the client's. */
struct measure_flow_key {
	__u64 local[2];
	__u64 peer[2];
	__be16 local_port;
	__be16 peer_port;
	__u32 spare;
};
_Static_assert(sizeof(struct measure_flow_key) == 40, "struct measure_flow_key");

/* What of a flow is known. */
enum measure_flow_known {
	FLOW_SENT = 1 << 0,
	FLOW_ACKED = 1 << 1,
	FLOW_RECEIVED = 1 << 2,
	FLOW_STAMPED = 1 << 3,
	FLOW_GAP = 1 << 4,
};

/* A TSval (RFC 7323) that has not come back yet. */
struct measure_stamp {
	__u64 sent_ns; /* CLOCK_MONOTONIC; 0: it has, or none was sent */
	__u32 value;
	__u32 spare;
};

/* Sequence numbers are those behind the last byte. */
struct measure_flow {
	struct measure_stamp stamps[2]; /* one on its way out, one on its way back */
	__u64 request_ns; /* when the last byte came of a request without a response; 0: none */
	__u32 sent;
	__u32 acked; /* by the client, of what was sent */
	__u32 received;
	__u32 stamped; /* the newest TSval that was sent */
	__u32 gap;     /* the last numbers that were passed over: from here */
	__u32 gap_end;
	__u32 gap_stamp; /* TSval of the segment that passed over them */
	__u32 known;     /* enum measure_flow_known */
};
_Static_assert(sizeof(struct measure_flow) == 72, "struct measure_flow");

/* The first sequence numbers of either side. */
struct measure_handshake {
	__u32 sent;
	__u32 received;
	__u32 known; /* FLOW_SENT, FLOW_RECEIVED */
};
_Static_assert(sizeof(struct measure_handshake) == 12, "struct measure_handshake");

/* What a socket's counters were at its last packet. */
struct measure_socket {
	__u64 bytes_received;
	__u32 total_retrans;
	__u32 srtt_us;
};
_Static_assert(sizeof(struct measure_socket) == 16, "struct measure_socket");

#endif
