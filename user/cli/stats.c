/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice stats */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../core/verdict.h"
#include "../kernel/counters.h"
#include "output.h"
#include "session.h"

enum { OPTION_INTERVAL = 1, OPTION_COUNT };

/* One reading of every counter, rows in a fixed order within a generation of services. */
static json_t *read_services(const struct session *session)
{
	json_t *rows = json_array();
	size_t i;

	for (i = 0; i < session->model.service_count; i++) {
		const struct model_service *service = &session->model.services[i];
		struct service_counters sum;

		counters_service(&session->maps, service->id, &sum);
		json_array_append_new(
			rows, json_pack("{s:s, s:I, s:I, s:I}", "service", service->name, "packets",
					(json_int_t)sum.packets, "bytes", (json_int_t)sum.bytes,
					"new_flows", (json_int_t)sum.new_flows));
	}
	return rows;
}

static json_t *read_backends(const struct session *session)
{
	json_t *rows = json_array();
	size_t i;

	for (i = 0; i < session->model.backend_count; i++) {
		const struct model_backend *backend = &session->model.backends[i];
		struct backend_counters sum;

		if (backend->state == BACKEND_GONE)
			continue;
		counters_backend(&session->maps, backend->id, &sum);
		json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "service",
				  model_service_by_id(&session->model, backend->service)->name,
				  "backend", backend->name, "packets", (json_int_t)sum.packets,
				  "bytes", (json_int_t)sum.bytes, "new_flows",
				  (json_int_t)sum.new_flows, "established",
				  (json_int_t)sum.established, "syn_retransmits",
				  (json_int_t)sum.syn_retransmits, "open_flows",
				  (json_int_t)counters_open_flows(&session->maps, backend->id)));
	}
	return rows;
}

static json_t *read_drops(const struct session *session)
{
	json_t *rows = json_array();
	int reason;

	for (reason = 0; reason < DROP_REASONS; reason++) {
		struct drop_counters sum;

		counters_drop(&session->maps, reason, &sum);
		json_array_append_new(
			rows, json_pack("{s:s, s:I, s:I, s:s}", "reason", drop_reason_name(reason),
					"packets", (json_int_t)sum.packets, "bytes",
					(json_int_t)sum.bytes, "meaning",
					drop_reason_sentence(reason)));
	}
	return rows;
}

static json_t *read_all(const struct cli *cli)
{
	struct session session;
	json_t *root;

	if (session_open(cli, false, &session))
		return NULL;
	root = json_pack("{s:o, s:o, s:o}", "services", read_services(&session), "backends",
			 read_backends(&session), "drops", read_drops(&session));
	session_close(&session);
	return root;
}

static bool same_text(const json_t *a, const json_t *b, const char *key)
{
	const char *text_a = json_string_value(json_object_get(a, key));
	const char *text_b = json_string_value(json_object_get(b, key));

	return (!text_a && !text_b) || (text_a && text_b && !strcmp(text_a, text_b));
}

/* Where a counter of @rows was in @before; rows may have come and gone in between. */
static json_int_t value_before(const json_t *before, const json_t *row, const char *key)
{
	json_t *candidate;
	size_t i;

	json_array_foreach(before, i, candidate) {
		if (same_text(candidate, row, "service") && same_text(candidate, row, "backend") &&
		    same_text(candidate, row, "reason"))
			return json_integer_value(json_object_get(candidate, key));
	}
	return 0;
}

/* Add rates a second to every row. */
static void add_rates(json_t *now, const json_t *before, double seconds)
{
	static const char *const parts[] = {"services", "backends", "drops"};
	static const char *const counters[][2] = {
		{"packets", "packets_per_s"},
		{"bytes", "bytes_per_s"},
		{"new_flows", "new_flows_per_s"},
		{"established", "established_per_s"},
		{"syn_retransmits", "syn_retransmits_per_s"},
	};
	size_t part, i, c;
	json_t *row;

	for (part = 0; part < 3; part++) {
		const json_t *rows_before = json_object_get(before, parts[part]);

		json_array_foreach(json_object_get(now, parts[part]), i, row) {
			for (c = 0; c < sizeof(counters) / sizeof(counters[0]); c++) {
				json_t *value = json_object_get(row, counters[c][0]);
				json_int_t change;

				if (!value)
					continue;
				change = json_integer_value(value) -
					 value_before(rows_before, row, counters[c][0]);
				json_object_set_new(row, counters[c][1],
						    json_real(change / seconds));
			}
		}
	}
}

static void print_drops(const json_t *root, bool rates)
{
	static const struct column columns[] = {
		{"reason", "DROP-REASON", NULL, 0},
		{"packets", "PACKETS", NULL, 0},
		{"packets_per_s", "PACKETS/S", NULL, 0},
		{"meaning", "MEANING", NULL, 0},
	};
	static const struct column totals[] = {
		{"reason", "DROP-REASON", NULL, 0},
		{"packets", "PACKETS", NULL, 0},
		{"bytes", "BYTES", NULL, 0},
		{"meaning", "MEANING", NULL, 0},
	};
	json_t *dropped = json_array();
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(root, "drops"), i, row) {
		if (json_integer_value(json_object_get(row, "packets")))
			json_array_append(dropped, row);
	}
	output_table(dropped, rates ? columns : totals, 4, "no packet was dropped");
	json_decref(dropped);
}

static void print_totals(const json_t *root)
{
	static const struct column columns[] = {
		{"service", "SERVICE", NULL, 0},
		{"backend", "BACKEND", NULL, 0},
		{"packets", "PACKETS", NULL, 0},
		{"bytes", "BYTES", NULL, 0},
		{"new_flows", "NEW-FLOWS", NULL, 0},
		{"established", "ESTABLISHED", NULL, 0},
		{"syn_retransmits", "SYN-RETRANSMITS", NULL, 0},
		{"open_flows", "OPEN-FLOWS", NULL, 0},
	};
	static const struct column service_columns[] = {
		{"service", "SERVICE", NULL, 0},
		{"packets", "PACKETS", NULL, 0},
		{"bytes", "BYTES", NULL, 0},
		{"new_flows", "NEW-FLOWS", NULL, 0},
	};

	output_table(json_object_get(root, "services"), service_columns, 4, "no services");
	putchar('\n');
	output_table(json_object_get(root, "backends"), columns, 8, "no backends");
	putchar('\n');
	print_drops(root, false);
}

static void print_rates(const json_t *root)
{
	static const struct column columns[] = {
		{"service", "SERVICE", NULL, 0},
		{"backend", "BACKEND", NULL, 0},
		{"packets_per_s", "PACKETS/S", NULL, 0},
		{"bytes_per_s", "BYTES/S", NULL, 0},
		{"new_flows_per_s", "NEW-FLOWS/S", NULL, 0},
		{"syn_retransmits_per_s", "SYN-RETRANSMITS/S", NULL, 0},
		{"open_flows", "OPEN-FLOWS", NULL, 0},
	};

	output_table(json_object_get(root, "backends"), columns, 7, "no backends");
	print_drops(root, true);
	putchar('\n');
}

static int print_every(const struct cli *cli, uint64_t interval_s, uint64_t count)
{
	json_t *before = read_all(cli);
	uint64_t before_ns = cli_monotonic_ns();
	uint64_t i;

	for (i = 0; before && (!count || i < count); i++) {
		struct timespec wait = {.tv_sec = interval_s};
		uint64_t now_ns;
		json_t *now;

		nanosleep(&wait, NULL);
		now = read_all(cli);
		now_ns = cli_monotonic_ns();
		if (now) {
			add_rates(now, before, (now_ns - before_ns) / 1e9);
			if (cli->json)
				output_json(json_incref(now));
			else
				print_rates(now);
			fflush(stdout);
		}
		json_decref(before);
		before = now;
		before_ns = now_ns;
	}
	if (!before)
		return CLI_FAILED;
	json_decref(before);
	return CLI_OK;
}

static int stats(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"interval", required_argument, NULL, OPTION_INTERVAL},
		{"count", required_argument, NULL, OPTION_COUNT},
		{},
	};
	uint64_t interval_s = 0, count = 0;
	json_t *root;
	int option;

	while ((option = cli_option(cli, argc, argv, options)) != -1) {
		if (option == OPTION_INTERVAL) {
			if (cli_number(cli, "--interval", optarg, 1, 3600, &interval_s))
				return CLI_USAGE;
		} else if (option != OPTION_COUNT ||
			   cli_number(cli, "--count", optarg, 1, UINT32_MAX, &count)) {
			return CLI_USAGE;
		}
	}
	if (optind != argc)
		return cli_usage(cli, "unexpected \"%s\"", argv[optind]);
	if (interval_s)
		return print_every(cli, interval_s, count);

	root = read_all(cli);
	if (!root)
		return CLI_FAILED;
	if (cli->json) {
		output_json(root);
	} else {
		print_totals(root);
		json_decref(root);
	}
	return CLI_OK;
}

const struct command stats_commands[] = {
	{"stats", NULL, "[--interval SECONDS [--count N]]",
	 "show packets, bytes and flows by service and backend, and drops by reason", stats},
	{},
};
