/* SPDX-License-Identifier: GPL-2.0-only */
/* What must hold for whatever the load balancer's program does with a frame. */
#ifndef SLUICE_TESTS_FUZZ_LB_CHECK_H
#define SLUICE_TESTS_FUZZ_LB_CHECK_H

#include "packets.h"

struct lb_counts {
	__u64 drops, too_big, forwarded, echo_replies, errors;
	__u64 by_rules; /* drops that rules count */
	__u64 told;     /* drops that events tell of, each by itself or as one of those skipped */
};

struct lb_run {
	const struct packet_in *in;
	const __u8 *out;
	__u32 out_bytes;
	int verdict;
	struct lb_counts before, after;
};

void lb_check(const struct lb_run *run);

/* What rules make of it, where there are some. */
void lb_check_policy(const struct lb_run *run);

/* What left for a backend; the verdict said so. */
void lb_check_forwarded(const struct lb_run *run);

/* What went back to the client. */
void lb_check_echo_reply(const struct lb_run *run);
void lb_check_error(const struct lb_run *run, bool relayed);

#endif
