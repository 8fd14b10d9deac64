/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver of the harness: frames through a program, and what they cost. */
#ifndef SLUICE_TESTS_BENCH_DRIVER_H
#define SLUICE_TESTS_BENCH_DRIVER_H

#include "frame.h"
#include "harness.h"

/* A flow is remembered for good from its second packet on; the third finds it so. */
#define WARM_DWELL 3

struct driver;

/* NULL with errno set. */
struct driver *driver_open(void);
void driver_close(struct driver *driver);

/* Which program is measured. Returns 0 or negative errno. */
int driver_set_target(struct driver *driver, int program);

/* Let go of it, so that it can be unloaded. */
void driver_forget_target(struct driver *driver);

/* What comes next: @flows of this frame, arriving on @ifindex. */
void driver_set_traffic(struct driver *driver, const struct frame *frame, __u64 flows,
			__u32 ifindex);

struct driver_run {
	__u64 packets;
	bool warm;          /* see driver_run() */
	double elapsed_ns;  /* CPU time of this thread */
	__u32 verdict;      /* of the last packet */
	struct frame frame; /* the last packet as it came out; only bytes and length_bytes */
};

/*
 * Send run->packets through the target or the null program and fill in the rest. To warm up, each
 * flow sends WARM_DWELL packets in a row, one flow after the other; else one packet each, in an
 * order of its own: memory handed out to flows as they came must not be visited in that order.
 * Returns 0, -EPROTO (the harness could not restore a frame) or negative errno.
 */
int driver_run(struct driver *driver, enum harness_slot slot, struct driver_run *run);

#endif
