/* SPDX-License-Identifier: GPL-2.0-only */
/* What a daemon says of itself, and what it finds when it looks. */
#include "daemon_private.h"

#include <unistd.h>

#include "../core/plural.h"
#include "clock.h"

/* Over which the loop is too slow to do its work in time. */
#define LAG_BAD_MS 100

static double report_rate(const struct daemon *daemon)
{
	__u64 newest = daemon->reports_at[daemon->seconds % RATE_SECONDS];
	__u64 oldest = daemon->reports_at[(daemon->seconds + 1) % RATE_SECONDS];
	unsigned int seconds = daemon->seconds < RATE_SECONDS ? daemon->seconds : RATE_SECONDS - 1;

	return seconds ? (double)(newest - oldest) / seconds : 0;
}

static json_t *nodes_json(const struct daemon *daemon)
{
	const struct loop *loop = steer_loop(daemon->steer);
	json_t *rows = json_array();

	for (size_t i = 0; i < loop_node_count(loop); i++) {
		struct loop_node node = loop_node(loop, i);

		json_array_append_new(
			rows, json_pack("{s:s, s:o}", "node", node.name, "age_ms",
					node.reported ? json_integer(node.heard_ms) : json_null()));
	}
	return rows;
}

json_t *daemon_json(struct daemon *daemon)
{
	json_t *root = json_pack(
		"{s:i, s:s, s:s, s:I, s:f, s:f, s:f, s:o, s:o, s:o}", "pid", (int)getpid(),
		"version", SLUICE_VERSION, "config", daemon->request->config_path, "since_unix_ms",
		(json_int_t)daemon->since_ms, "loop_mean_ms", lag_mean_ms(daemon->lag),
		"loop_max_ms", lag_max_ms(daemon->lag), "reports_per_second", report_rate(daemon),
		"sources", intake_json(&daemon->intake), "weights", steer_json(daemon->steer),
		"nodes", nodes_json(daemon));

	if (*daemon->last_error)
		json_object_set_new(root, "reload_error", json_string(daemon->last_error));
	if (daemon->check)
		json_object_set(root, "check", daemon->check);
	return root;
}

static void end_check(void *context)
{
	struct daemon *daemon = context;
	json_t *finding;
	size_t index;

	daemon->attachments = NULL;
	json_array_foreach(daemon->findings, index, finding) log_say(
		LOG_WARNING, "check: %s; %s", json_string_value(json_object_get(finding, "found")),
		json_string_value(json_object_get(finding, "repair")));
	log_say(LOG_INFO, "check: attachments, maps, neighbours and loop: %zu finding%s",
		json_array_size(daemon->findings), plural(json_array_size(daemon->findings)));
	json_decref(daemon->check);
	daemon->check = json_pack("{s:I, s:o}", "unix_ms", (json_int_t)clock_wall_ms(), "findings",
				  daemon->findings);
	daemon->findings = NULL;
}

void daemon_check(struct daemon *daemon)
{
	char what[80];

	if (daemon->findings)
		return; /* one is under way */
	daemon->findings = json_array();
	steer_check(daemon->steer, daemon->findings);
	if (lag_max_ms(daemon->lag) > LAG_BAD_MS) {
		snprintf(what, sizeof(what), "the loop was late by up to %.0f ms",
			 lag_max_ms(daemon->lag));
		json_array_append_new(daemon->findings,
				      json_pack("{s:s, s:s}", "found", what, "repair", "none"));
	}
	daemon->attachments = attachments_ensure(daemon->base, daemon->request->pin_dir,
						 &daemon->config->daemon.control, daemon->findings,
						 end_check, daemon);
	if (!daemon->attachments)
		end_check(daemon);
}
