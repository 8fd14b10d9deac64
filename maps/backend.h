/* SPDX-License-Identifier: GPL-2.0-only */
/* A backend: an address that serves one service, and how a frame gets there. */
#ifndef SLUICE_MAPS_BACKEND_H
#define SLUICE_MAPS_BACKEND_H

#include <linux/types.h>

#include "server_id.h"
#include "service.h"

#define BACKEND_NONE 0 /* ids start at 1, so that zeroed memory holds no backend */

enum backend_state {
	BACKEND_FREE,  /* no backend has this id */
	BACKEND_UP,    /* takes new flows */
	BACKEND_DRAIN, /* no new flows, old ones stay */
	BACKEND_DOWN,  /* nothing goes there, old flows are re-selected */
	BACKEND_GONE,  /* deleted; the id rests until the grace period is over */
};

enum backend_flags {
	BACKEND_REACHABLE = 1 << 0, /* egress interface and MAC addresses are known */
	BACKEND_OUTER_IPV4 = 1 << 1, /* an encapsulated packet travels in IPv4, else in IPv6 */
};

/* What the packet path needs to send a frame: one cache line. */
struct backend {
	__be32 address[4];
	__be32 source[4];   /* outer source of encapsulated packets */
	__be32 source_vary; /* bits of the last word of source that vary by flow */
	__u32 egress_ifindex;
	__u8 next_hop_mac[6];
	__u8 egress_mac[6];
	__u16 service; /* id; an entry of another service's flow never comes here */
	__u16 mtu_bytes; /* of the path to the backend, outer header included */
	__u8 state;	 /* enum backend_state */
	__u8 flags;	 /* enum backend_flags */
	__be16 port;
	__u32 spare;
};
_Static_assert(sizeof(struct backend) == 64, "struct backend");
_Static_assert(__builtin_offsetof(struct backend, egress_mac) ==
		       __builtin_offsetof(struct backend, next_hop_mac) + 6,
	       "both are copied at once");

struct backend_halves {
	struct backend half[2];
};
_Static_assert(sizeof(struct backend_halves) == 128, "struct backend_halves");

/* Kept for people and for the next userspace process; the packet path does not read it. */
struct backend_info {
	char name[NAME_BYTES]; /* empty: this id is free */
	char node[NAME_BYTES];
	char region[REGION_BYTES];
	char reason[REASON_BYTES]; /* why the weight is what it is, in words */
	__be32 address[4];
	__be32 next_hop_source[4]; /* this machine's address towards the backend */
	__be16 port;
	__u16 service;
	__u16 base_weight;
	__u16 table_weight; /* that the candidates were made with; differs after a re-base */
	__u32 weight_milli; /* thousandths, on the scale of base_weight */
	__u16 bias;
	__u8 state;    /* enum backend_state, as the operator set it */
	__u8 next_hop; /* enum next_hop_state */
	__u64 gone_until_ns; /* CLOCK_MONOTONIC; the id is not given away before */
	__u8 server_id[SERVER_ID_BYTES_MAX];
	__u8 server_id_bytes; /* as many as the service says, or 0: it has none */
	__u16 vlan[2]; /* tags that frames must come with to arrive there, outermost first; 0: none */
	__u8 failed;   /* its health checks say so; it is down as long as that is so */
	__u8 spare[3];
};
_Static_assert(sizeof(struct backend_info) == 304, "struct backend_info");

struct backend_info_halves {
	struct backend_info half[2];
};

/* What the kernel's routes and neighbours said of the way to a backend. */
enum next_hop_state {
	NEXT_HOP_UNKNOWN,    /* nobody has asked yet */
	NEXT_HOP_RESOLVED,
	NEXT_HOP_NO_ROUTE,
	NEXT_HOP_NO_NEIGHBOUR, /* asked for, no answer */
	NEXT_HOP_NOT_ETHERNET, /* the route leaves through a device without MAC addresses */
	NEXT_HOP_LOCAL,	     /* the address is this machine's own */
};

struct backend_counters {
	__u64 packets;
	__u64 bytes;
	__u64 new_flows;
	__u64 syn_retransmits; /* SYNs of flows that have shown nothing but SYNs so far */
	__u64 established;     /* flows that went on: as if their first packet had been answered */
};
_Static_assert(sizeof(struct backend_counters) == 40, "struct backend_counters");

#endif
