/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands that the daemon has done by another process, of this same program: what they leak, wait
 * for or die of is theirs alone.
 */
#ifndef SLUICE_IO_CHILD_H
#define SLUICE_IO_CHILD_H

#include <event2/event.h>

struct child;

struct child_result {
	int status; /* exit status; 128 and the signal when one killed it */
	const char *output;
	size_t output_bytes;
	const char *errors;
	size_t errors_bytes;
};

struct child_request {
	char *const *argv; /* from the program's name on, ended by NULL */
	const char *cwd;   /* NULL: the daemon's */
	const char *input;
	size_t input_bytes;
	/* Called once, unless cancelled; the handle is gone when it returns. */
	void (*on_end)(void *context, const struct child_result *result);
	void *context;
};

/* NULL with errno set. */
struct child *child_start(struct event_base *base, const struct child_request *request);

/* Forget it: it goes on by itself. */
void child_cancel(struct child *child);

/* Run one to its end, in the daemon's own place on standard output and error. Returns its status. */
int child_run(char *const *argv);

#endif
