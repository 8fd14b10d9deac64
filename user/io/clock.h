/* SPDX-License-Identifier: GPL-2.0-only */
/* The two clocks: one that never jumps, and the one that nodes talk about. */
#ifndef SLUICE_IO_CLOCK_H
#define SLUICE_IO_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline int64_t clock_steady_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static inline int64_t clock_steady_ms(void)
{
	return clock_steady_ns() / 1000000;
}

/* Unix time. */
static inline int64_t clock_wall_ms(void)
{
	return clock_ns(CLOCK_REALTIME) / 1000000;
}

#endif
