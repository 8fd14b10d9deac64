/* SPDX-License-Identifier: GPL-2.0-only */
/* What commands about the policy have in common: the session, and the rules in it. */
#ifndef SLUICE_CLI_POLICY_SESSION_H
#define SLUICE_CLI_POLICY_SESSION_H

#include "../core/config.h"
#include "session.h"

struct policy_session {
	struct session session;
	struct policy policy;
};

/* What every change takes besides what it changes. */
struct policy_change {
	bool have_all_traffic;
	bool all_traffic;
	bool force;         /* also when an SSH session would be cut */
	const char *client; /* whose SSH session must not be, besides those found here; or NULL */
};

/* Open and read. Returns CLI_OK, or CLI_FAILED after the user has been told why. */
int policy_session_open(const struct cli *cli, bool write, struct policy_session *session);
void policy_session_close(struct policy_session *session);

/*
 * Put @next, which is brought up to date, in force in place of session->policy. Returns CLI_OK, or
 * CLI_FAILED after the user has been told why; nothing has changed then.
 */
int policy_session_publish(struct policy_session *session, struct policy *next,
			   const struct policy_change *change);

/*
 * Put in force what a configuration says, whose services are in the session's model already: these,
 * and the policy if there is a part for it. Both or neither; returns likewise.
 */
int policy_session_publish_config(struct policy_session *session, struct config *config,
				  bool force);

/*
 * A second copy of the policy, to be changed and freed. Returns CLI_OK, or CLI_FAILED after the user
 * has been told why.
 */
int policy_session_copy(const struct policy_session *session, struct policy *copy);

/* On a terminal: say what takes long, in place of what was said before; wipe it away. */
__attribute__((format(printf, 1, 2))) void policy_progress(const char *format, ...);
void policy_progress_end(void);

#endif
