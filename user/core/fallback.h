/* SPDX-License-Identifier: GPL-2.0-only */
/* Who takes a service's new flows when its weights leave nobody to. */
#ifndef SLUICE_CORE_FALLBACK_H
#define SLUICE_CORE_FALLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* One backend of the service. */
struct fallback_backend {
	bool usable;        /* up as the operator has it, reachable, and its base weight is not 0 */
	const char *region; /* "": none */
	double latency_ms;  /* under 0: not known */
	__u32 base_milli;
	__u32 good_milli; /* its weight when somebody last took flows; 0: it took none then */
	bool healthy;     /* this and the weight are what was decided, and what may be changed */
	__u32 weight_milli;
	bool chosen; /* by a rung below the first */
};

enum fallback_rung {
	FALLBACK_NONE,      /* the weights do */
	FALLBACK_NEAREST,   /* every healthy one of the nearest region, whatever its load */
	FALLBACK_LAST_GOOD, /* none is healthy: those that were, when anyone last was */
	FALLBACK_NOBODY,    /* there is none that could be chosen */
};

/*
 * If no backend is usable, healthy and has a weight, choose others and give them weights. The
 * nearest region is the balancer's own (@region, "" for none), else that of the healthy backend
 * with the smallest latency, else any.
 */
enum fallback_rung fallback_choose(const char *region, struct fallback_backend *backends,
				   size_t count);

#endif
