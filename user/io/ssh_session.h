/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operator's way in: SSH sessions of this machine, which a policy for all traffic must not cut
 * by mistake.
 */
#ifndef SLUICE_IO_SSH_SESSION_H
#define SLUICE_IO_SSH_SESSION_H

#include "../core/policy.h"

#define SSH_PORT         22
#define SSH_SESSIONS_MAX 256

struct ssh_sessions {
	struct address client[SSH_SESSIONS_MAX]; /* each once */
	size_t count;
};

/* Add the client of @connection, an SSH_CONNECTION as sshd(8) sets it; NULL or garbage adds none. */
void ssh_sessions_add_connection(struct ssh_sessions *sessions, const char *connection);

/* Add the clients of the established connections to SSH_PORT in @text, a /proc/net/tcp or tcp6. */
void ssh_sessions_add_table(struct ssh_sessions *sessions, const char *text);

/* All that can be found here; @connection may be NULL. */
void ssh_sessions_find(struct ssh_sessions *sessions, const char *connection);

/*
 * Whether @next, in place of @current, would deny or limit one of them. Returns 0, or -EPERM with the
 * rule and the address in @error, or another negative errno.
 */
int ssh_sessions_check(const struct ssh_sessions *sessions, const struct policy *current,
		       const struct policy *next, const struct model *model,
		       struct text_error *error);

#endif
