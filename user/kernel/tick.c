/* SPDX-License-Identifier: GPL-2.0-only */
#include "tick.h"

#include <time.h>

/* Coarse clocks advance with the tick. */
__u64 tick_ns(void)
{
	struct timespec tick = {.tv_nsec = 4000000};

	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	return tick.tv_nsec;
}
