/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When reports are in force. Reads the pinned maps: with each flip of the generation, of every backend
 * of one service, by its weight, which of its node's reports that weight comes from.
 */
#ifndef SLUICE_TESTS_BENCH_INGEST_FLIPS_H
#define SLUICE_TESTS_BENCH_INGEST_FLIPS_H

#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "user/core/text_error.h"

struct flips;

/*
 * The backends of @service, whose policy is probe and whose nodes report as nodes.h has it, out of
 * the maps pinned at @pin_dir; there are @node_count nodes. NULL with a sentence in @error.
 */
struct flips *flips_open(const char *pin_dir, const char *service, size_t node_count,
			 struct text_error *error);
void flips_close(struct flips *flips);

/* Report @sequence of node @index leaves now. */
void flips_sent(struct flips *flips, size_t index, __u64 sequence, int64_t now_ns);

/* To be called often: how late it is called is how late a flip is seen. */
void flips_look(struct flips *flips, int64_t now_ns);

/* Forget what was seen up to now, but not what is under way. Returns 0 or -ENOMEM. */
int flips_begin(struct flips *flips, int64_t now_ns);

struct flips_result {
	__u64 count;
	size_t reports; /* of which it was seen when they were in force first */
	double p50_ms;
	double p99_ms;
	double max_ms;
};

struct flips_result flips_result(struct flips *flips);

#endif
