/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice status */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../kernel/attach.h"
#include "../kernel/counters.h"
#include "attachment.h"
#include "output.h"
#include "session.h"

static json_t *attachments_json(const struct cli *cli)
{
	json_t *rows = json_array();
	struct attachment *list;
	struct text_error error;
	size_t count, i;

	if (attach_list(cli->pin_dir, &list, &count, &error)) {
		cli_warn("%s", error.what);
		return rows;
	}
	for (i = 0; i < count; i++)
		json_array_append_new(rows, attachment_json(&list[i]));
	free(list);
	return rows;
}

/* Backends that cannot be reached, with the reason. */
static json_t *unreachable_json(const struct model *model)
{
	json_t *rows = json_array();
	char address[ADDRESS_TEXT_BYTES];
	size_t i;

	for (i = 0; i < model->backend_count; i++) {
		const struct model_backend *backend = &model->backends[i];

		if (backend->state == BACKEND_GONE || backend->next_hop.state == NEXT_HOP_RESOLVED)
			continue;
		json_array_append_new(
			rows, json_pack("{s:s, s:s, s:s, s:s}", "service",
					model_service_by_id(model, backend->service)->name,
					"backend", backend->name, "address",
					address_format(&backend->address, address), "next_hop",
					next_hop_state_name(backend->next_hop.state)));
	}
	return rows;
}

static json_t *summary_json(const struct cli *cli, const struct session *session)
{
	const struct settings *settings = session->maps.settings;
	const struct model *model = &session->model;
	json_int_t live = 0, open_flows = 0;
	size_t i;

	for (i = 0; i < model->backend_count; i++) {
		if (model->backends[i].state == BACKEND_GONE)
			continue;
		live++;
		open_flows += counters_open_flows(&session->maps, model->backends[i].id);
	}
	return json_pack(
		"{s:s, s:s, s:i, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "version",
		SLUICE_VERSION, "pin", cli->pin_dir, "abi", SLUICE_ABI, "generation",
		(json_int_t)model->generation, "region", settings->region, "services",
		(json_int_t)model->service_count, "backends", live, "open_flows", open_flows,
		"flow_entries_per_cpu", (json_int_t)settings->flow_main_sets * FLOW_SET_ENTRIES,
		"cpus", (json_int_t)settings->cpu_count, "flows_found_on_another_cpu",
		(json_int_t)counters_found_elsewhere(&session->maps));
}

static void print_summary(const json_t *root)
{
	static const struct column attached[] = {
		{"device", "DEVICE", NULL, 0}, {"role", "ROLE", NULL, 0},
		{"mode", "MODE", NULL, 0},     {"way", "BY", NULL, 0},
		{"program_id", "PROGRAM", NULL, 0},
	};
	static const struct column unreachable[] = {
		{"service", "SERVICE", NULL, 0},
		{"backend", "BACKEND", NULL, 0},
		{"address", "ADDRESS", NULL, 0},
		{"next_hop", "NEXT-HOP", NULL, 0},
	};
	const json_t *missing = json_object_get(root, "unreachable");
	const char *text;
	json_int_t number;

	text = json_string_value(json_object_get(root, "pin"));
	printf("sluice %s, loaded at %s\n", SLUICE_VERSION, text);
	number = json_integer_value(json_object_get(root, "generation"));
	printf("generation  %lld\n", (long long)number);
	text = json_string_value(json_object_get(root, "region"));
	printf("region      %s\n", *text ? text : "-");
	printf("services    %lld with %lld backends\n",
	       (long long)json_integer_value(json_object_get(root, "services")),
	       (long long)json_integer_value(json_object_get(root, "backends")));
	printf("flows       %lld open, room for %lld on each of %lld CPUs\n\n",
	       (long long)json_integer_value(json_object_get(root, "open_flows")),
	       (long long)json_integer_value(json_object_get(root, "flow_entries_per_cpu")),
	       (long long)json_integer_value(json_object_get(root, "cpus")));
	output_table(json_object_get(root, "attached"), attached, 5,
		     "attached nowhere here; `sluice attach DEVICE` comes next");
	if (json_array_size(missing)) {
		puts("\nBackends that take no packets, for want of a way to them:");
		output_table(missing, unreachable, 4, "");
	}
}

static int status(struct cli *cli, int argc, char **argv)
{
	struct session session;
	json_t *root;

	(void)argv;
	if (argc != 1)
		return cli_usage(cli, "expected nothing behind status");
	if (session_open(cli, false, &session))
		return CLI_FAILED;
	root = summary_json(cli, &session);
	json_object_set_new(root, "attached", attachments_json(cli));
	json_object_set_new(root, "unreachable", unreachable_json(&session.model));
	session_close(&session);
	if (cli->json) {
		output_json(root);
	} else {
		print_summary(root);
		json_decref(root);
	}
	return CLI_OK;
}

const struct command status_commands[] = {
	{"status", NULL, "", "show what is loaded, where it is attached, what is amiss", status},
	{},
};
