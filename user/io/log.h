/* SPDX-License-Identifier: GPL-2.0-only */
/* What the daemon has to say: one line each on standard error, where the journal takes it up. */
#ifndef SLUICE_IO_LOG_H
#define SLUICE_IO_LOG_H

#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO };

__attribute__((format(printf, 2, 3))) void log_say(enum log_level level, const char *format, ...);

/* For what a stranger can cause as often as they like: said at once, then at most every 10 s. */
struct log_limit {
	int64_t next_ms;
	uint64_t held_back;
};

__attribute__((format(printf, 3, 4))) void
log_limited(struct log_limit *limit, enum log_level level, const char *format, ...);

#endif
