/* SPDX-License-Identifier: GPL-2.0-only */
/* What the harness program and its driver share. */
#ifndef SLUICE_TESTS_BENCH_HARNESS_H
#define SLUICE_TESTS_BENCH_HARNESS_H

#include <linux/types.h>

/* Ethernet and the 64 bytes behind it: every header that a program under test may change. */
#define HARNESS_FRAME_BYTES 78

/* A flow's number becomes a client address (low 26 bits) and a port (6 bits above): 2^32 flows. */
#define HARNESS_ADDRESS_BITS 26
#define HARNESS_SOURCE_IPV4  0x0c000000 /* 12.0.0.0/6 */
#define HARNESS_SOURCE_PORT  4096

/* Slots of the harness's program array. */
enum harness_slot {
	HARNESS_NULL,
	HARNESS_TARGET,
	HARNESS_SLOTS,
};

struct harness_state {
	__u64 flow;   /* number of the flow whose turn it is */
	__u64 flows;  /* how many there are; 2^32 at most */
	__u64 stride; /* from one flow to the next; coprime to flows, so that all are visited */
	__u32 dwell;  /* packets that a flow sends in a row */
	__u32 dwelt;
	__u32 frame_bytes;
	__u32 checksum;     /* of the IPv4 header with source address 0, not folded, host order */
	__u32 answer_bytes; /* a frame of this length is one whose end was cut off; 0: none is */
	__u32 cut_bytes;    /* which have to be put back */
	__u64 failures;     /* frames that could not be restored */
	__u8 frame[HARNESS_FRAME_BYTES + 2];
};

#endif
