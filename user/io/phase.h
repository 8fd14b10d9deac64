/* SPDX-License-Identifier: GPL-2.0-only */
/* When the first of something that is done for many, at an interval, is due: at a time of its own. */
#ifndef SLUICE_IO_PHASE_H
#define SLUICE_IO_PHASE_H

#include <stdint.h>
#include <sys/time.h>

static inline struct timeval timeval_of_ms(unsigned int ms)
{
	return (struct timeval){ms / 1000, ms % 1000 * 1000};
}

/* Steps by the golden ratio: however many numbers there are, they lie apart. */
static inline struct timeval phase_of(unsigned int number, unsigned int interval_ms)
{
	uint32_t phase = number * 0x9e3779b9u;

	return timeval_of_ms((uint64_t)interval_ms * phase >> 32);
}

#endif
