/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy_options.h"

#include <string.h>

#include "config_file.h"

int policy_change_option(const struct cli *cli, int option, struct policy_change *change)
{
	switch (option) {
	case POLICY_OPTION_ALL_TRAFFIC:
		change->have_all_traffic = true;
		change->all_traffic = !strcmp(optarg, "on");
		if (!change->all_traffic && strcmp(optarg, "off"))
			return cli_usage(cli, "--all-traffic is \"%s\", expected on or off",
					 optarg);
		return CLI_OK;
	case POLICY_OPTION_FORCE:
		change->force = true;
		return CLI_OK;
	case POLICY_OPTION_OPERATOR:
		change->client = optarg;
		return CLI_OK;
	default:
		return CLI_USAGE;
	}
}

int policy_feed_name(const struct cli *cli, const char *path, char name[FEED_BYTES])
{
	const char *slash = strrchr(path, '/');
	const char *last = slash ? slash + 1 : path;

	if (!*last || strlen(last) >= FEED_BYTES)
		return cli_usage(
			cli, "--feed is \"%s\", expected a file whose name has %d bytes at most",
			path, FEED_BYTES - 1);
	strcpy(name, last);
	return CLI_OK;
}

int policy_feed_read(const char *path, struct prefix **prefixes, size_t *count)
{
	struct text_error error;
	int err;

	policy_progress("reading %s", path);
	err = feed_file_load(strcmp(path, "-") ? path : "/dev/stdin", prefixes, count, &error);
	policy_progress_end();
	return err ? cli_fail("%s", error.what) : CLI_OK;
}
