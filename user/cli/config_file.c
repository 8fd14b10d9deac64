/* SPDX-License-Identifier: GPL-2.0-only */
#include "config_file.h"

#include <stdlib.h>

#include "cli.h"

int config_file_read(const char *path, struct config *config)
{
	struct text_error error = {};
	size_t text_bytes;
	char *text = cli_read_file(path, &text_bytes);
	int err;

	if (!text)
		return CLI_FAILED;
	err = config_parse(text, text_bytes, config, &error);
	free(text);
	if (err && error.line)
		return cli_fail("%s:%d: %s", path, error.line, error.what);
	return err ? cli_fail("%s: %s", path, error.what) : CLI_OK;
}
