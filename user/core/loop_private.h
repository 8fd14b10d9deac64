/* SPDX-License-Identifier: GPL-2.0-only */
/* What a loop remembers; for loop*.c only. */
#ifndef SLUICE_CORE_LOOP_PRIVATE_H
#define SLUICE_CORE_LOOP_PRIVATE_H

#include "fallback.h"
#include "loop.h"

#define LOOP_IDS 65536

/* What lets a weight pass the deadband when it changes. */
struct loop_regime {
	bool starting;
	bool half_open;
	bool frozen;
	bool chosen; /* by the fallback ladder */
	__u32 halvings;
};

struct loop_entry {
	__u16 id;
	__u16 base_weight;
	const struct loop_service *service;
	char region[REGION_BYTES];
	enum backend_state state; /* the operator's */
	bool reachable;
	size_t node;        /* index in latest */
	__u32 next_on_node; /* index of the node's next entry + 1; 0: none */

	struct health health;
	struct congestion congestion;
	struct weight_memory memory;
	bool starting;
	int64_t start_ms;
	__u32 policy_milli; /* before anything but the policy */
	__u32 good_milli;   /* when somebody last took flows */

	struct loop_regime regime;
	struct loop_decision decision;
	__u32 published_milli;
	enum backend_state published_state;
	struct loop_regime published_regime;
};

/* Room for what one service at a time needs. */
struct loop_scratch {
	struct weight_input *inputs;
	struct weight_decision *decisions;
	struct fallback_backend *fallback;
};

struct loop {
	struct loop_config config;
	char region[REGION_BYTES];
	struct loop_service *services;
	size_t service_count;
	struct loop_entry *entries;
	size_t entry_count;
	struct latest latest;
	__u32 *first_on_node; /* by node: index of an entry + 1 */
	__u32 *by_id;         /* index of an entry + 1; 0: not known */
	struct loop_scratch scratch;

	bool running;    /* a time has been seen */
	int64_t seen_ms; /* the caller's clock */
	int64_t now_ms;  /* our own, that never jumps */
	bool has_published;
	int64_t published_ms;
};

/* The loop's own time. */
int64_t loop_advance(struct loop *loop, int64_t now_ms);

/* From now on the backend gets more and more. */
void loop_start_slowly(struct loop_entry *entry, int64_t now_ms);

#endif
