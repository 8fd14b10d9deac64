/* SPDX-License-Identifier: GPL-2.0-only */
/* The time between two readings of a clock that may have been put. */
#ifndef SLUICE_CORE_ELAPSED_H
#define SLUICE_CORE_ELAPSED_H

#include <stdint.h>

/* 0 when @now_ms is before @since_ms, and never more than 2^63 - 1. */
static inline int64_t elapsed_ms(int64_t now_ms, int64_t since_ms)
{
	int64_t elapsed;

	if (now_ms <= since_ms)
		return 0;
	return __builtin_sub_overflow(now_ms, since_ms, &elapsed) ? INT64_MAX : elapsed;
}

#endif
