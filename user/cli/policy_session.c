/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy_session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../io/ssh_session.h"
#include "../kernel/apply.h"
#include "../kernel/apply_policy.h"
#include "../kernel/policy_state.h"

int policy_session_open(const struct cli *cli, bool write, struct policy_session *session)
{
	int status = session_open(cli, write, &session->session);
	int err;

	memset(&session->policy, 0, sizeof(session->policy));
	if (status)
		return status;
	err = policy_state_read(&session->session.maps, &session->policy);
	if (!err)
		return CLI_OK;
	session_close(&session->session);
	return cli_fail("cannot read the policy at %s: %s", cli->pin_dir,
			err == -EBADMSG ? "its maps contradict each other" : strerror(-err));
}

void policy_session_close(struct policy_session *session)
{
	policy_free(&session->policy);
	session_close(&session->session);
}

static int guard(const struct policy_session *session, const struct policy *next,
		 const struct policy_change *change)
{
	struct ssh_sessions sessions;
	struct text_error error;

	if (change->force || !next->all_traffic)
		return CLI_OK;
	ssh_sessions_find(&sessions, change->client ? change->client : getenv("SSH_CONNECTION"));
	if (ssh_sessions_check(&sessions, &session->policy, next, &session->session.model, &error))
		return cli_fail("%s; --force does it all the same", error.what);
	return CLI_OK;
}

int policy_session_publish(struct policy_session *session, struct policy *next,
			   const struct policy_change *change)
{
	struct text_error error;
	int err;

	if (change->have_all_traffic)
		next->all_traffic = change->all_traffic;
	if (guard(session, next, change))
		return CLI_FAILED;
	policy_progress("putting %zu rules in force", next->rule_count);
	err = apply_policy(&session->session.maps, next, &session->session.model, &error);
	policy_progress_end();
	return err ? cli_fail("%s", error.what) : CLI_OK;
}

int policy_session_publish_config(struct policy_session *session, struct config *config, bool force)
{
	const struct policy_change change = {.force = force};
	const struct maps *maps = &session->session.maps;
	struct policy *next = &config->policy;
	struct text_error error;

	if (!config->has_policy)
		return session_publish(&session->session);
	if (policy_take_ids(next, &session->policy))
		return cli_fail("there are not enough free ids for all rules; remove some of the "
				"old ones first");
	if (guard(session, next, &change))
		return CLI_FAILED;
	if (apply_publish_both(maps, &session->session.model, next, &error))
		return cli_fail("%s", error.what);
	apply_settle(maps);
	return CLI_OK;
}

int policy_session_copy(const struct policy_session *session, struct policy *copy)
{
	int err = policy_state_read(&session->session.maps, copy);

	return err ? cli_fail("cannot read the policy: %s", strerror(-err)) : CLI_OK;
}

void policy_progress(const char *format, ...)
{
	va_list arguments;

	if (!isatty(STDERR_FILENO))
		return;
	fputs("\r\033[K", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fflush(stderr);
}

void policy_progress_end(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}
