/* SPDX-License-Identifier: GPL-2.0-only */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "clock.h"

#define LIMIT_MS   10000
#define LINE_BYTES 1024

/* The journal takes the level from the prefix; people read words. */
static const char *prefix_of(enum log_level level)
{
	static const char *const journal[] = {SD_ERR, SD_WARNING, SD_INFO};
	static const char *const words[] = {"sluice: error: ", "sluice: warning: ", "sluice: "};

	return getenv("JOURNAL_STREAM") ? journal[level] : words[level];
}

static void say(enum log_level level, const char *format, va_list arguments, const char *behind)
{
	char line[LINE_BYTES];
	char *at;

	vsnprintf(line, sizeof(line), format, arguments);
	for (at = line; *at; at++) {
		if (*at == '\n')
			*at = ' ';
	}
	/* In one piece: commands that the daemon starts write to the same place. */
	fprintf(stderr, "%s%s%s\n", prefix_of(level), line, behind);
}

void log_say(enum log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(level, format, arguments, "");
	va_end(arguments);
}

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
	int64_t now_ms = clock_steady_ms();
	char behind[48] = "";
	va_list arguments;

	if (now_ms < limit->next_ms) {
		limit->held_back++;
		return;
	}
	if (limit->held_back)
		snprintf(behind, sizeof(behind), " (and %llu more like it)",
			 (unsigned long long)limit->held_back);
	va_start(arguments, format);
	say(level, format, arguments, behind);
	va_end(arguments);
	limit->next_ms = now_ms + LIMIT_MS;
	limit->held_back = 0;
}
