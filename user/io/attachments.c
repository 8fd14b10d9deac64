/* SPDX-License-Identifier: GPL-2.0-only */
#include "attachments.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"

struct attachments {
	struct event_base *base;
	const char *pin_dir;
	struct config_control config;
	json_t *findings;
	void (*on_done)(void *context);
	void *context;
	struct child *child;
	bool attached[CONFIG_DEVICES_MAX];
	size_t at; /* the device whose turn it is */
};

static void next(struct attachments *attachments);

void attachments_cancel(struct attachments *attachments)
{
	if (!attachments)
		return;
	if (attachments->child)
		child_cancel(attachments->child);
	json_decref(attachments->findings);
	free(attachments);
}

static void done(struct attachments *attachments)
{
	attachments->on_done(attachments->context);
	attachments_cancel(attachments);
}

static void find(struct attachments *attachments, const char *what, const char *repair)
{
	json_array_append_new(attachments->findings,
			      json_pack("{s:s, s:s}", "found", what, "repair", repair));
}

static bool start(struct attachments *attachments, const char *noun, const char *argument,
		  void (*on_end)(void *context, const struct child_result *result))
{
	const char *argv[] = {"sluice", "--direct", "--json", "--pin", attachments->pin_dir,
			      noun,     argument,   NULL};
	const struct child_request request = {
		.argv = (char *const *)argv,
		.on_end = on_end,
		.context = attachments,
	};

	attachments->child = child_start(attachments->base, &request);
	return attachments->child != NULL;
}

static void on_attached(void *context, const struct child_result *result)
{
	struct attachments *attachments = context;
	const char *device = attachments->config.devices[attachments->at];
	char what[64], repair[200] = "attached";

	attachments->child = NULL;
	snprintf(what, sizeof(what), result->status ? "not attached to %s" : "%s had no program",
		 device);
	if (result->status)
		snprintf(repair, sizeof(repair), "failed: %.*s", (int)strcspn(result->errors, "\n"),
			 result->errors);
	find(attachments, what, repair);
	attachments->at++;
	next(attachments);
}

static void next(struct attachments *attachments)
{
	while (attachments->at < attachments->config.device_count &&
	       attachments->attached[attachments->at])
		attachments->at++;
	if (attachments->at == attachments->config.device_count) {
		done(attachments);
	} else if (!start(attachments, "attach", attachments->config.devices[attachments->at],
			  on_attached)) {
		find(attachments, "cannot start a command", "none");
		done(attachments);
	}
}

static void on_listed(void *context, const struct child_result *result)
{
	struct attachments *attachments = context;
	json_t *status = json_loadb(result->output, result->output_bytes, 0, NULL), *row;
	size_t index;

	attachments->child = NULL;
	json_array_foreach(json_object_get(status, "attached"), index, row)
	{
		const char *device = json_string_value(json_object_get(row, "device"));
		const char *role = json_string_value(json_object_get(row, "role"));

		for (size_t i = 0; device && role && i < attachments->config.device_count; i++)
			attachments->attached[i] |= !strcmp(role, "lb") &&
						    !strcmp(device, attachments->config.devices[i]);
	}
	json_decref(status);
	next(attachments);
}

struct attachments *attachments_ensure(struct event_base *base, const char *pin_dir,
				       const struct config_control *config, json_t *findings,
				       void (*on_done)(void *context), void *context)
{
	struct attachments *attachments = calloc(1, sizeof(*attachments));

	if (!attachments)
		return NULL;
	attachments->base = base;
	attachments->pin_dir = pin_dir;
	attachments->config = *config;
	attachments->findings = json_incref(findings);
	attachments->on_done = on_done;
	attachments->context = context;
	if (start(attachments, "status", NULL, on_listed))
		return attachments;
	attachments_cancel(attachments);
	return NULL;
}
