/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice status */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../core/plural.h"
#include "../kernel/attach.h"
#include "../kernel/counters.h"
#include "attachment.h"
#include "daemon.h"
#include "node.h"
#include "output.h"
#include "remote.h"
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
	struct cpu_counters cpus;
	size_t i;

	for (i = 0; i < model->backend_count; i++) {
		if (model->backends[i].state == BACKEND_GONE)
			continue;
		live++;
		open_flows += counters_open_flows(&session->maps, model->backends[i].id);
	}
	counters_cpus(&session->maps, &cpus);
	return json_pack(
		"{s:s, s:s, s:i, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:I, s:I}", "version",
		SLUICE_VERSION, "pin", cli->pin_dir, "abi", SLUICE_ABI, "generation",
		(json_int_t)model->generation, "region", settings->region, "services",
		(json_int_t)model->service_count, "backends", live, "open_flows", open_flows,
		"flow_entries_per_cpu", (json_int_t)settings->flow_main_sets * FLOW_SET_ENTRIES,
		"cpus", (json_int_t)settings->cpu_count, "flows_found_on_another_cpu",
		(json_int_t)cpus.found_elsewhere, "gue_port", ntohs(settings->gue_port), "icmp_rate",
		settings->icmp_rate, "echo_replies", (json_int_t)cpus.echo_replies, "too_big_errors",
		(json_int_t)cpus.too_big_errors);
}

static long long number_in(const json_t *root, const char *key)
{
	return json_integer_value(json_object_get(root, key));
}

static void print_attached(const json_t *root)
{
	static const struct column attached[] = {
		{"device", "DEVICE", NULL, 0}, {"role", "ROLE", NULL, 0},
		{"mode", "MODE", NULL, 0},     {"way", "BY", NULL, 0},
		{"program_id", "PROGRAM", NULL, 0},
	};

	output_table(json_object_get(root, "attached"), attached, 5,
		     "attached nowhere here; `sluice attach DEVICE` comes next");
}

static void print_summary(const json_t *root)
{
	static const struct column unreachable[] = {
		{"service", "SERVICE", NULL, 0},
		{"backend", "BACKEND", NULL, 0},
		{"address", "ADDRESS", NULL, 0},
		{"next_hop", "NEXT-HOP", NULL, 0},
	};
	const json_t *missing = json_object_get(root, "unreachable");
	const char *region = json_string_value(json_object_get(root, "region"));

	printf("sluice %s, loaded at %s\n", SLUICE_VERSION,
	       json_string_value(json_object_get(root, "pin")));
	printf("generation  %lld\n", number_in(root, "generation"));
	printf("region      %s\n", *region ? region : "-");
	printf("services    %lld with %lld backend%s\n", number_in(root, "services"),
	       number_in(root, "backends"), plural(number_in(root, "backends")));
	printf("flows       %lld open, room for %lld on each of %lld CPU%s\n",
	       number_in(root, "open_flows"), number_in(root, "flow_entries_per_cpu"),
	       number_in(root, "cpus"), plural(number_in(root, "cpus")));
	printf("icmp        sent %lld echo replies and %lld errors (packet too big), at most %lld of "
	       "each a second and CPU\n",
	       number_in(root, "echo_replies"), number_in(root, "too_big_errors"),
	       number_in(root, "icmp_rate"));
	printf("gue         to UDP port %lld\n\n", number_in(root, "gue_port"));
	print_attached(root);
	if (json_array_size(missing)) {
		puts("\nBackends that take no packets, for want of a way to them:");
		output_table(missing, unreachable, 4, "");
	}
}

/* Where no load balancer is, but a node's program. */
static json_t *node_summary_json(const struct cli *cli)
{
	return json_pack("{s:s, s:s}", "version", SLUICE_VERSION, "pin", cli->pin_dir);
}

static void print_node_summary(const json_t *root)
{
	printf("sluice %s, a node's program at %s\n\n", SLUICE_VERSION,
	       json_string_value(json_object_get(root, "pin")));
	print_attached(root);
}

static int status(struct cli *cli, int argc, char **argv)
{
	bool node_only;
	struct session session;
	json_t *root, *node, *daemon;

	(void)argv;
	if (argc != 1)
		return cli_usage(cli, "expected nothing behind status");
	node = node_json(cli);
	node_only = node && !session_is_loaded(cli);
	if (!node_only && session_open(cli, false, &session)) {
		json_decref(node);
		return CLI_FAILED;
	}
	root = node_only ? node_summary_json(cli) : summary_json(cli, &session);
	json_object_set_new(root, "attached", attachments_json(cli));
	if (!node_only) {
		json_object_set_new(root, "unreachable", unreachable_json(&session.model));
		session_close(&session);
	}
	if (node)
		json_object_set_new(root, "node", node);
	daemon = cli->direct ? NULL : remote_status(cli);
	if (daemon)
		json_object_set_new(root, "daemon", daemon);
	if (cli->json) {
		output_json(root);
		return CLI_OK;
	}
	if (node_only)
		print_node_summary(root);
	else
		print_summary(root);
	if (node)
		node_print(node);
	if (daemon)
		daemon_print(daemon);
	json_decref(root);
	return CLI_OK;
}

const struct command status_commands[] = {
	{"status", NULL, "", "show what is loaded, where it is attached, what is amiss", status},
	{},
};
