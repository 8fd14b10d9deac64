/* SPDX-License-Identifier: GPL-2.0-only */
/* What an input of the fuzzer means: a few frames that arrive one after the other. */
#ifndef SLUICE_TESTS_FUZZ_PACKETS_H
#define SLUICE_TESTS_FUZZ_PACKETS_H

#include <stddef.h>
#include "kernel.h"

#define PACKETS_MAX 40
#define OUT_MAX     (2 * FRAME_BYTES_MAX)

/*
 * Four bytes in front of each frame: how it arrives (enum below), eighths of the bytes that are to
 * be appended to it, and its length (little-endian).
 */
#define RECORD_BYTES 4

enum arrives {
	ARRIVES_CPU = 1 << 0,        /* on the other CPU */
	ARRIVES_LATER = 3 << 1,      /* 0, 1, 1000 or 100000 jiffies after the one before */
	ARRIVES_CRAMPED = 1 << 3,    /* without headroom */
	ARRIVES_SPLIT = 1 << 4,      /* with all but its first bytes in fragments */
	ARRIVES_OTHER_HALF = 1 << 5, /* when the state's other half is in use */
	ARRIVES_FAR = 1 << 6,        /* by the other device */
	ARRIVES_POLICED = 1 << 7,    /* when there are rules, for all traffic */
};

#define SPLIT_BYTES 128

struct input {
	const __u8 *bytes;
	size_t left;
};

struct packet_in {
	struct arrival arrival;
	__u32 half;
	bool policed;
	__u32 frame_bytes;
	__u8 frame[FRAME_BYTES_MAX];
};

/* False: there are no more. */
bool next_packet(struct input *input, struct packet_in *packet);

#endif
