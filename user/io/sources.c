/* SPDX-License-Identifier: GPL-2.0-only */
#include "sources.h"

#include <errno.h>
#include <string.h>

#include "source_file.h"
#include "source_http.h"
#include "source_pull.h"
#include "source_udp.h"
#include "source_unix.h"

void sources_close(struct sources *sources)
{
	source_udp_close(sources->udp);
	source_unix_close(sources->local);
	source_http_close(sources->http);
	source_file_close(sources->file);
	source_pull_close(sources->pull);
	sources->udp = NULL;
	sources->local = NULL;
	sources->http = NULL;
	sources->file = NULL;
	sources->pull = NULL;
}

static const char *unix_path(const struct sources *sources, const struct config_sources *config)
{
	if (!strcmp(config->unix_path, "off"))
		return NULL;
	return *config->unix_path ? config->unix_path : sources->unix_default;
}

static bool open_all(struct sources *sources, const struct config_sources *config,
		     const struct model *model, struct text_error *error)
{
	const char *path = unix_path(sources, config);

	if (config->udp.port &&
	    !(sources->udp = source_udp_open(sources->base, config, sources->intake, error)))
		return false;
	if (path &&
	    !(sources->local = source_unix_open(sources->base, path, sources->intake, error)))
		return false;
	if (config->http.port &&
	    !(sources->http = source_http_open(sources->base, config, sources->intake, error)))
		return false;
	if (*config->file && !(sources->file = source_file_open(sources->base, config->file,
								sources->intake, error)))
		return false;
	return !config->pull_ms || (sources->pull = source_pull_open(sources->base, config, model,
								     sources->intake, error));
}

/* Files of the same name may have other keys in them by now. */
static int read_keys(struct sources *sources, struct text_error *error)
{
	int err = 0;

	if (sources->udp)
		err = source_udp_read_key(sources->udp, sources->config.key_file, error);
	if (!err && sources->http)
		err = source_http_read_key(sources->http, sources->config.http_key_file, error);
	return err;
}

int sources_open(struct sources *sources, const struct config_sources *config,
		 const struct model *model, struct text_error *error)
{
	struct config_sources before = sources->config;
	struct text_error ignored;
	bool were_open =
		sources->udp || sources->local || sources->http || sources->file || sources->pull;

	if (were_open && !memcmp(&before, config, sizeof(before)))
		return read_keys(sources, error);
	/* Closed first: the new ones may want the same ports. */
	sources_close(sources);
	sources->config = *config;
	if (open_all(sources, config, model, error))
		return 0;
	sources_close(sources);
	sources->config = before;
	if (were_open && !open_all(sources, &before, model, &ignored))
		log_say(LOG_ERROR, "a source of before cannot be opened again: %s", ignored.what);
	return -EINVAL;
}

void sources_follow(struct sources *sources, const struct model *model)
{
	struct text_error error;

	if (!sources->pull)
		return;
	source_pull_close(sources->pull);
	sources->pull =
		source_pull_open(sources->base, &sources->config, model, sources->intake, &error);
	if (!sources->pull)
		log_say(LOG_ERROR, "pull: %s", error.what);
}
