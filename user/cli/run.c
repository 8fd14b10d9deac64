/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice run */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../core/config.h"
#include "../io/daemon.h"
#include "../io/file.h"
#include "cli.h"

enum { OPTION_CONFIG = 'c' };

static int read_config(const char *path, struct config *config, struct text_error *error)
{
	struct text_error cause = {};
	size_t bytes;
	char *text = file_read(path, CONFIG_BYTES_MAX, &bytes, error);
	int err;

	if (!text)
		return -1;
	err = config_parse(text, bytes, config, &cause);
	free(text);
	if (err && cause.line)
		text_refuse(error, err, NULL, "%s:%d: %s", path, cause.line, cause.what);
	else if (err)
		text_refuse(error, err, NULL, "%s: %s", path,
			    err == -ENOMEM ? "out of memory" : cause.what);
	return err ? -1 : 0;
}

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
	if (daemon_run(&(struct daemon_request){cli->pin_dir, absolute, read_config}, &error))
		return cli_fail("%s", error.what);
	return CLI_OK;
}

const struct command run_commands[] = {
	{"run", NULL, "--config FILE", "be the daemon: weights follow reports and checks", run},
	{},
};
