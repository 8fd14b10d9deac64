/* SPDX-License-Identifier: GPL-2.0-only */
/* What a daemon is made of; for daemon*.c only. */
#ifndef SLUICE_IO_DAEMON_PRIVATE_H
#define SLUICE_IO_DAEMON_PRIVATE_H

#include "attachments.h"
#include "control.h"
#include "daemon.h"
#include "lag.h"
#include "sources.h"
#include "steer.h"
#include "unix_socket.h"

#define DAEMON_SIGNALS 4
#define RATE_SECONDS   8

struct daemon {
	const struct daemon_request *request;
	struct config *config; /* in force */
	struct event_base *base;
	struct steer *steer;
	struct intake intake;
	struct sources sources;
	struct control *control;
	struct lag *lag;
	struct event *signals[DAEMON_SIGNALS];
	struct event *second;
	char control_path[UNIX_PATH_BYTES];
	char report_path[UNIX_PATH_BYTES];

	struct attachments *attachments; /* being looked at; NULL: not now */
	json_t *findings;                /* of the check under way */
	json_t *check;                   /* the last one's result; NULL: none yet */

	int64_t since_ms;               /* Unix time */
	__u64 reports_at[RATE_SECONDS]; /* reports until then, each second */
	unsigned int seconds;
	char last_error[256]; /* of a reload; empty: it went well */
	char lost[128];       /* why it had to stop; empty: it was told to */
};

/* Look at everything, repair what can be, tell the log. */
void daemon_check(struct daemon *daemon);

/* What the daemon says of itself; to be released. */
json_t *daemon_json(struct daemon *daemon);

#endif
