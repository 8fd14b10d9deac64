/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a packet was dropped. Each reason has a counter, and a sentence in user/core/verdict.c. */
#ifndef SLUICE_MAPS_VERDICT_H
#define SLUICE_MAPS_VERDICT_H

#include <linux/types.h>

enum drop_reason {
	DROP_NO_BACKEND,    /* nobody takes new flows of this service */
	DROP_NO_NEXT_HOP,   /* the way to the backend is not known */
	DROP_TTL_EXPIRED,   /* TTL or hop limit would reach 0 */
	DROP_TOO_BIG,       /* longer than the path to the backend carries */
	DROP_NO_ROOM,       /* the driver left no headroom for the outer header */
	DROP_NO_STATE,      /* a map entry that must be there is not */
	DROP_ECHO_LIMIT,    /* an echo request above the rate of answers */
	DROP_DENIED,        /* a rule denies it */
	DROP_RATE,          /* above the packets a second of a rule */
	DROP_NEW_FLOW_RATE, /* opens a flow, above the new flows a second of a rule */
	DROP_SOURCE_RATE,   /* likewise, of one source */
	DROP_SOURCE_NEW_FLOW_RATE,
	DROP_SHED, /* opens a flow of a service whose nodes are hot, and whose class gives way */
	DROP_REASONS
};

struct drop_counters {
	__u64 packets;
	__u64 bytes;
};

#endif
