/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice policy replace */
#include <stdlib.h>

#include "config_file.h"
#include "policy.h"
#include "policy_options.h"

enum { OPTION_FEED = POLICY_OPTION_OWN };

/* The configuration's rules, in place of all that there are. */
static int replace_all(const char *path, struct policy_session *session,
		       const struct policy_change *change)
{
	struct config config;
	int status;

	policy_progress("reading %s", path);
	status = config_file_read(path, &config);
	policy_progress_end();
	if (status)
		return status;
	if (!config.has_policy)
		status = cli_fail("%s: there is no part 'policy' in it", path);
	else if (policy_take_ids(&config.policy, &session->policy))
		status = cli_fail("%s: there are not enough free ids for its rules; remove some "
				  "of the old ones first",
				  path);
	else
		status = policy_session_publish(session, &config.policy, change);
	config_free(&config);
	return status;
}

/* Of the list called @feed, other prefixes. */
static int replace_feed(const char *feed, const char *path, struct policy_session *session,
			const struct policy_change *change)
{
	const struct rule *rule = policy_find_feed(&session->policy, feed);
	struct prefix *prefixes = NULL;
	struct policy next = {};
	struct text_error error;
	size_t count;
	int status;

	if (!rule)
		return cli_fail("no rule has a list called \"%s\"; `sluice policy list` shows them",
				feed);
	status = policy_feed_read(path, &prefixes, &count);
	if (!status)
		status = policy_session_copy(session, &next);
	if (!status && policy_set_prefixes(&next, rule->id, prefixes, count, &error))
		status = cli_fail("%s", error.what);
	if (!status)
		status = policy_session_publish(session, &next, change);
	policy_free(&next);
	free(prefixes);
	return status;
}

int policy_replace(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"feed", required_argument, NULL, OPTION_FEED},
		POLICY_OPTIONS,
		{},
	};
	struct policy_change change = {};
	struct policy_session session;
	const char *feed = NULL;
	int option, status;

	while ((option = cli_option(cli, argc, argv, options)) != -1) {
		if (option == OPTION_FEED)
			feed = optarg;
		else if (policy_change_option(cli, option, &change))
			return CLI_USAGE;
	}
	if (argc - optind != 1)
		return cli_usage(cli, "expected one FILE");
	if (policy_session_open(cli, true, &session))
		return CLI_FAILED;
	status = feed ? replace_feed(feed, argv[optind], &session, &change)
		      : replace_all(argv[optind], &session, &change);
	policy_session_close(&session);
	return status;
}
