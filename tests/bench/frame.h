/* SPDX-License-Identifier: GPL-2.0-only */
/* The frame of a scenario's flow number 0; the harness makes the others of it. */
#ifndef SLUICE_TESTS_BENCH_FRAME_H
#define SLUICE_TESTS_BENCH_FRAME_H

#include "scenario.h"

#define FRAME_BYTES_MAX 256

struct frame {
	__u32 length_bytes;
	__u32 ports_offset; /* where the harness stops changing it; 0: it never does */
	__u32 checksum;     /* as in struct harness_state */
	__u16 align;        /* the IP header to 4 bytes, as NET_IP_ALIGN does */
	__u8 bytes[FRAME_BYTES_MAX];
};

void frame_build(const struct scenario *scenario, struct frame *frame);

#endif
