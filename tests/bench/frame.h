/* SPDX-License-Identifier: GPL-2.0-only */
/* The frame of a scenario's flow number 0; the harness makes the others of it. */
#ifndef SLUICE_TESTS_BENCH_FRAME_H
#define SLUICE_TESTS_BENCH_FRAME_H

#include "scenario.h"

#define FRAME_BYTES_MAX 2048

struct frame {
	__u32 length_bytes;
	__u32 ports_offset; /* where the harness stops changing it; 0: it never does */
	__u32 checksum;     /* as in struct harness_state */
	bool varies;        /* into other flows, by the harness */
	__u32 answer_bytes; /* see struct harness_state */
	__u32 cut_bytes;
	__u16 align; /* the IP header to 4 bytes, as NET_IP_ALIGN does */
	__u8 bytes[FRAME_BYTES_MAX];
};

void frame_build(const struct scenario *scenario, struct frame *frame);

/* What is not plain about a scenario's frame, done to a plain one. */
void frame_make_odd(const struct scenario *scenario, struct frame *frame);

/* RFC 1071, of an even number of bytes. */
__u32 checksum_sum(const __u8 *bytes, __u32 count);
__u16 checksum_fold(__u32 sum);

#endif
