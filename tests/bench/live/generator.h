/* SPDX-License-Identifier: GPL-2.0-only */
/* What the generator's programs and the command that runs them share. */
#ifndef SLUICE_TESTS_BENCH_LIVE_GENERATOR_H
#define SLUICE_TESTS_BENCH_LIVE_GENERATOR_H

#include <linux/types.h>

#define GENERATOR_FRAME_BYTES 64

/* Flow number n comes from 198.18.0.0 (RFC 2544's benchmarks) + its low 16 bits. */
#define GENERATOR_SOURCE_IPV4  0xc6120000u
#define GENERATOR_SOURCE_PORT  1024
#define GENERATOR_ADDRESS_BITS 16
#define GENERATOR_FLOWS_MAX    (1u << 20)

struct generator_config {
	__u64 frame[GENERATOR_FRAME_BYTES / sizeof(__u64)]; /* of the flow whose source is 0:0 */
	__u32 flows;
	__u32 ifindex; /* where frames leave */
	__u32 ip_sum;  /* RFC 1071, not folded, over what no flow changes */
	__u32 tcp_sum;
};

struct generator_count {
	__u64 frames;
	__u64 bytes;
};

#endif
