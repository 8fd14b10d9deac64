/* SPDX-License-Identifier: GPL-2.0-only */
/* A sample of what was dropped, for `sluice policy watch`. */
#ifndef SLUICE_MAPS_EVENT_H
#define SLUICE_MAPS_EVENT_H

#include <linux/types.h>

#define EVENT_FRAME_BYTES 128 /* that are kept of a frame */
#define EVENT_RING_BYTES  (1 << 20)
#define EVENTS_A_TICK     4 /* on each CPU; the rest is counted */

struct drop_event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 skipped; /* drops on this CPU since its last event that nobody was told of */
	__u32 ifindex; /* where it came in */
	__u32 frame_bytes;
	__u16 captured_bytes; /* of them in frame[] */
	__u16 service;        /* id; 0: of none */
	__u16 rule;           /* id; 0: no rule had a part in it */
	__u8 reason;          /* enum drop_reason */
	__u8 cpu;             /* its lower 8 bits */
	__u8 frame[EVENT_FRAME_BYTES];
};
_Static_assert(sizeof(struct drop_event) == 160, "struct drop_event");

/* A CPU's right to tell of drops. */
struct event_budget {
	__u64 jiffies; /* the tick that the rest is for */
	__u32 left;
	__u32 spare;
	__u64 skipped;
};

#endif
