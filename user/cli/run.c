/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice run */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../io/daemon.h"
#include "cli.h"
#include "config_file.h"

enum { OPTION_CONFIG = 'c' };

static int run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, OPTION_CONFIG},
		{},
	};
	const char *path = NULL;
	char absolute[PATH_MAX];
	struct text_error error;
	int option;

	while ((option = cli_option(cli, argc, argv, options)) != -1) {
		if (option != OPTION_CONFIG)
			return CLI_USAGE;
		path = optarg;
	}
	if (!path || optind != argc)
		return cli_usage(cli, "expected --config FILE and nothing else");
	if (!realpath(path, absolute))
		return cli_fail("cannot read %s: %s", path, strerror(errno));
	if (daemon_run(&(struct daemon_request){cli->pin_dir, absolute, config_file_load}, &error))
		return cli_fail("%s", error.what);
	return CLI_OK;
}

const struct command run_commands[] = {
	{"run", NULL, "--config FILE", "be the daemon: weights follow reports and checks", run},
	{},
};
