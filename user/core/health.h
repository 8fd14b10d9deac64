/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The health of a backend: up, down, or on trial (half-open), from the results of checks and from
 * what its flows show. A pure state machine; times are CLOCK_MONOTONIC.
 */
#ifndef SLUICE_CORE_HEALTH_H
#define SLUICE_CORE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

enum health_check {
	HEALTH_TCP,  /* a connection could be made */
	HEALTH_HTTP, /* GET was answered as expected */
	HEALTH_PASSIVE,
	HEALTH_CHECKS
};

enum health_state {
	HEALTH_UP,
	HEALTH_HALF_OPEN, /* gets little, and one failure is enough */
	HEALTH_DOWN,
};

struct health_config {
	__u32 checks; /* bits of enum health_check that count */
	__u32 fall;   /* failures in a row of one check that take a backend down */
	__u32 rise;   /* successes in a row of every active check that bring it back */
	int64_t half_open_ms;
	/*
	 * What only its flows showed, checks cannot disprove: the backend is tried again after this
	 * time, doubled each time up to the longest, and from the start after as long in peace.
	 */
	int64_t retry_ms;
	int64_t retry_max_ms;
	struct {
		__u64 flows_min; /* so many new flows are judged together */
		__u64 half_open_flows_min;
		/*
		 * Of new flows. From so many repeated SYNs on, none answered, it is a failure. Under
		 * loss SYNs are repeated as well, but others get through; and who repeats forged
		 * SYNs must outnumber the clients by far, or takes no backend away from them.
		 */
		double syn_retransmit_percent;
		double established_percent; /* fewer than this is none */
		double reset_percent;
	} passive;
};

/* fall 3, rise 2, half-open for 2 s; no active check. */
const struct health_config *health_config_default(void);

/* What a backend's flows showed since the last time. */
struct health_flows {
	__u64 new_flows;
	__u64 syn_retransmits;
	__u64 resets;
	__u64 established; /* showed more than a SYN: it was answered */
};

/* All 0: up. */
struct health {
	enum health_state state;
	int64_t since_ms;
	__u32 failures[HEALTH_CHECKS];  /* in a row, up to fall */
	__u32 successes[HEALTH_CHECKS]; /* in a row, up to rise */
	enum health_check cause;        /* of the last time down */
	int64_t retry_ms;               /* this time */
	struct health_flows flows;      /* not yet enough to be judged */
};

/* Each returns whether the state is another one now. */
bool health_result(struct health *health, const struct health_config *config,
		   enum health_check check, bool success, int64_t now_ms);
bool health_passive(struct health *health, const struct health_config *config,
		    const struct health_flows *flows, int64_t now_ms);
bool health_pass_time(struct health *health, const struct health_config *config, int64_t now_ms);

/* "tcp check", "http check", "its flows": who took it down. */
const char *health_cause(const struct health *health);

#endif
