/* SPDX-License-Identifier: GPL-2.0-only */
#include "config_file.h"

#include <errno.h>
#include <stdlib.h>

#include "../io/file.h"
#include "cli.h"

/* Lets go of @text. */
static int parse(const char *path, char *text, size_t text_bytes, struct config *config,
		 struct text_error *error)
{
	struct text_error cause = {};
	int err = config_parse(text, text_bytes, config, &cause);

	free(text);
	if (err == -ENOMEM)
		return text_refuse(error, err, NULL, "%s: out of memory", path);
	if (err && cause.line)
		return text_refuse(error, err, NULL, "%s:%d: %s", path, cause.line, cause.what);
	return err ? text_refuse(error, err, NULL, "%s: %s", path, cause.what) : 0;
}

int config_file_read(const char *path, struct config *config)
{
	struct text_error error;
	size_t text_bytes;
	char *text = cli_read_file(path, &text_bytes);

	if (!text)
		return CLI_FAILED;
	return parse(path, text, text_bytes, config, &error) ? cli_fail("%s", error.what) : CLI_OK;
}

int config_file_load(const char *path, struct config *config, struct text_error *error)
{
	size_t text_bytes;
	char *text = file_read(path, CONFIG_BYTES_MAX, &text_bytes, error);

	return text ? parse(path, text, text_bytes, config, error) : -EIO;
}
