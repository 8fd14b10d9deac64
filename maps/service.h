/* SPDX-License-Identifier: GPL-2.0-only */
/* A service: what clients reach (VIP, port, protocol), and how its packets go on. */
#ifndef SLUICE_MAPS_SERVICE_H
#define SLUICE_MAPS_SERVICE_H

#include <linux/types.h>

#include "hash.h"

#define NAME_BYTES   64 /* of a service, backend or node, with the closing NUL */
#define REGION_BYTES 32
#define REASON_BYTES 64

#define SERVICES_MAX	      1024  /* ids are 1..SERVICES_MAX-1; 0 is "no service" */
#define SERVICE_TABLE_BITS    16
#define SERVICE_TABLE_ENTRIES (1 << SERVICE_TABLE_BITS) /* places in the table */

/* How a packet reaches its backend. */
enum forward_mode {
	FORWARD_DSR,  /* new MAC addresses, nothing else */
	FORWARD_IPIP, /* inside IPv4 or IPv6 (RFC 2003, RFC 2473, RFC 4213) */
	FORWARD_GUE,  /* inside UDP, with the slot's other candidates as next hops: maps/gue.h */
};

enum service_flags {
	/* A pick much busier than the slot's best other candidate gives way to it. */
	SERVICE_LOCAL_COUNT = 1 << 0,
	/* Two bits: the priority class. P0 is never shed, P2 first. */
	SERVICE_PRIORITY = 3 << 1,
};
#define SERVICE_PRIORITY_SHIFT 1
#define SERVICE_PRIORITY_MAX   2

/*
 * Addresses are 16 bytes in network order everywhere; IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2),
 * so that both families are one code path.
 */
struct service {
	__be32 vip[4];
	__be16 port;	/* 0: every port */
	__u8 protocol;	/* IPPROTO_TCP, IPPROTO_UDP; 0: no service stands here */
	__u8 forward;	/* enum forward_mode */
	__u16 id;
	__u16 fallback; /* backend that takes a new flow when no candidate will; 0: none */
	__u32 slot_base; /* first of this service's slots in the slots map */
	__u32 slot_mask; /* number of slots - 1 */
	/* The slots before the last change of candidates, for flows older than it without an entry. */
	__u32 old_slot_base;
	__u32 old_slot_mask;
	__u64 old_until_ns; /* CLOCK_MONOTONIC; 0: there are none */
	__u64 slot_seed;    /* the same on every balancer */
	/*
	 * UDP: 2^32 divided by the idle time in jiffies, so that a jiffies' number times this is the
	 * idle period it lies in. A flow without a packet in a whole period is forgotten. TCP: 0.
	 */
	__u32 idle_rate;
	__u16 mss_bytes;      /* no SYN passes that asks for more; 0: as it came */
	__u8 server_id_bytes; /* of the QUIC server ids that route packets; 0: they do not */
	__u8 flags;	      /* enum service_flags */
};
_Static_assert(sizeof(struct service) == 64, "struct service");

/* One place in the table: what stands here in either half of the state. */
struct service_place {
	struct service half[2];
};
_Static_assert(sizeof(struct service_place) == 128, "struct service_place");

/* Kept for people and for the next userspace process; the packet path does not read it. */
struct service_info {
	char name[NAME_BYTES]; /* empty: this id is free */
	__be32 vip[4];
	__be16 port;
	__u8 protocol;
	__u8 forward;
	__u32 flags;
	__u32 idle_ms; /* UDP: how long without a packet until a flow is forgotten */
	__u16 mss_bytes;
	__u8 server_id_bytes;
	__u8 spare;
	__u32 slot_count;     /* as asked for; 0: by the number of backends */
	__u32 slot_base;
	__u32 slot_mask;
	__u32 old_slot_base;
	__u32 old_slot_mask;
	__u32 place; /* in the table of services */
	__u64 old_until_ns;
};
_Static_assert(sizeof(struct service_info) == 128, "struct service_info");

struct service_info_halves {
	struct service_info half[2];
};

struct service_counters {
	__u64 packets;
	__u64 bytes; /* of frames as they came in */
	__u64 new_flows;
};

#endif
