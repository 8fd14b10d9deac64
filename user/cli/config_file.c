/* SPDX-License-Identifier: GPL-2.0-only */
#include "config_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/feed.h"
#include "../io/file.h"
#include "cli.h"

/* "PATH:LINE: sentence" */
static int place(const char *path, int err, const struct text_error *cause,
		 struct text_error *error)
{
	if (err == -ENOMEM)
		return text_refuse(error, err, NULL, "%s: out of memory", path);
	if (cause->line)
		return text_refuse(error, err, NULL, "%s:%d: %s", path, cause->line, cause->what);
	return text_refuse(error, err, NULL, "%s: %s", path, cause->what);
}

int feed_file_load(const char *path, struct prefix **prefixes, size_t *count,
		   struct text_error *error)
{
	struct text_error cause = {};
	size_t text_bytes;
	char *text = file_read(path, FEED_TEXT_BYTES_MAX, &text_bytes, error);
	int err;

	if (!text)
		return -EIO;
	err = feed_parse(text, text_bytes, prefixes, count, &cause);
	free(text);
	return err ? place(path, err, &cause, error) : 0;
}

/* Beside the configuration at @config_path. */
static int feed_path(const char *config_path, const char *feed, char path[PATH_MAX])
{
	const char *slash = strrchr(config_path, '/');
	int folder_bytes = slash && *feed != '/' ? slash + 1 - config_path : 0;

	return snprintf(path, PATH_MAX, "%.*s%s", folder_bytes, config_path, feed) < PATH_MAX
		       ? 0
		       : -ENAMETOOLONG;
}

static int read_feed(const char *config_path, struct policy *policy, const struct rule *rule,
		     struct text_error *error)
{
	struct text_error cause = {};
	struct prefix *prefixes;
	char path[PATH_MAX];
	size_t count;
	int err = feed_path(config_path, rule->feed, path);

	if (err)
		return text_refuse(error, err, NULL, "%s: the path is too long", rule->feed);
	err = feed_file_load(path, &prefixes, &count, error);
	if (err)
		return err;
	err = policy_set_prefixes(policy, rule->id, prefixes, count, &cause);
	free(prefixes);
	return err ? place(path, err, &cause, error) : 0;
}

/* Lets go of @text. */
static int parse(const char *path, char *text, size_t text_bytes, struct config *config,
		 struct text_error *error)
{
	struct text_error cause = {};
	int err = config_parse(text, text_bytes, config, &cause);

	free(text);
	if (err)
		return place(path, err, &cause, error);
	for (size_t i = 0; i < config->policy.rule_count && !err; i++) {
		const struct rule *rule = &config->policy.rules[i];

		if (*rule->feed)
			err = read_feed(path, &config->policy, rule, error);
	}
	if (err)
		config_free(config);
	return err;
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
