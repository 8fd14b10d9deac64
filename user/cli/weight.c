/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice weight set | plan | apply | show */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../core/report.h"
#include "../core/shares.h"
#include "../core/topology.h"
#include "../kernel/state.h"
#include "output.h"
#include "session.h"

#define SKEW_DEFAULT_S 5

enum { OPTION_POLICY = 1, OPTION_SKEW, OPTION_REGION };

/* "12", "0.5": up to three decimals, at most 65535. */
static int parse_weight(const char *text, __u32 *milli)
{
	unsigned long long whole;
	__u32 part = 0, unit = 100;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	whole = strtoull(text, &end, 10);
	if (errno || whole > 65535)
		return -EINVAL;
	if (*end == '.') {
		for (end++; *end >= '0' && *end <= '9' && unit; end++, unit /= 10)
			part += (*end - '0') * unit;
	}
	*milli = whole * WEIGHT_MILLI + part;
	return *end || *milli > 65535 * WEIGHT_MILLI ? -EINVAL : 0;
}

static int set_one(const struct cli *cli, struct session *session,
		   const struct model_service *service, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	struct model_backend *backend;
	char name[NAME_BYTES];
	__u32 milli;

	if (!equals || equals == assignment || equals - assignment >= NAME_BYTES)
		return cli_usage(cli, "\"%s\" is not BACKEND=WEIGHT", assignment);
	memcpy(name, assignment, equals - assignment);
	name[equals - assignment] = '\0';
	if (parse_weight(equals + 1, &milli))
		return cli_usage(cli,
				 "the weight of %s is \"%s\", expected 0 to 65535 with up to three "
				 "decimals",
				 name, equals + 1);
	backend = session_backend(session, service, name);
	if (!backend)
		return CLI_FAILED;
	backend->weight_milli = milli;
	strcpy(backend->reason, "set by hand");
	return CLI_OK;
}

static int weight_set(struct cli *cli, int argc, char **argv)
{
	const struct model_service *service;
	struct session session;
	int status = CLI_OK;
	int i;

	if (argc < 3)
		return cli_usage(cli, "expected SERVICE and at least one BACKEND=WEIGHT");
	if (session_open(cli, true, &session))
		return CLI_FAILED;
	service = session_service(&session, argv[1]);
	if (!service)
		status = CLI_FAILED;
	for (i = 2; i < argc && !status; i++)
		status = set_one(cli, &session, service, argv[i]);
	if (!status)
		status = session_publish(&session);
	session_close(&session);
	return status;
}

/* What plan and apply are told. */
struct follow {
	enum weight_policy policy;
	int64_t skew_ms;
	const char *region; /* NULL: as loaded */
	const char *path;
	struct report *reports;
	size_t report_count;
	struct weight_decision *decisions;
};

static int follow_options(const struct cli *cli, int argc, char **argv, struct follow *follow)
{
	static const struct option options[] = {
		{"policy", required_argument, NULL, OPTION_POLICY},
		{"max-skew", required_argument, NULL, OPTION_SKEW},
		{"region", required_argument, NULL, OPTION_REGION},
		{},
	};
	uint64_t number;
	int option;

	follow->skew_ms = SKEW_DEFAULT_S * 1000;
	while ((option = cli_option(cli, argc, argv, options)) != -1) {
		switch (option) {
		case OPTION_POLICY:
			if (weight_policy_parse(optarg, &follow->policy))
				return cli_usage(cli,
						 "--policy is \"%s\", expected adaptive, decay, "
						 "edge, probe or score",
						 optarg);
			break;
		case OPTION_SKEW:
			if (cli_number(cli, "--max-skew", optarg, 0, 86400, &number))
				return CLI_USAGE;
			follow->skew_ms = number * 1000;
			break;
		case OPTION_REGION:
			if (!model_region_valid(optarg))
				return cli_usage(cli,
						 "--region is \"%s\", expected up to %d printable "
						 "characters",
						 optarg, REGION_BYTES - 1);
			follow->region = optarg;
			break;
		default:
			return CLI_USAGE;
		}
	}
	if (argc - optind != 1)
		return cli_usage(cli, "expected one FILE, or - for standard input");
	follow->path = argv[optind];
	return CLI_OK;
}

static int read_reports(struct follow *follow)
{
	const char *source = strcmp(follow->path, "-") ? follow->path : "standard input";
	struct text_error error;
	size_t text_bytes;
	char *text = cli_read_file(follow->path, &text_bytes);
	int err;

	if (!text)
		return CLI_FAILED;
	err = report_parse(text, text_bytes, cli_wall_ms(), follow->skew_ms, &follow->reports,
			   &follow->report_count, &error);
	free(text);
	if (err && error.line)
		return cli_fail("%s:%d: %s", source, error.line, error.what);
	return err ? cli_fail("%s: %s", source, error.what) : CLI_OK;
}

/* The reports are read before the maps are locked: a slow pipe holds nobody up. */
static int follow_begin(struct cli *cli, int argc, char **argv, bool write, struct follow *follow,
			struct session *session)
{
	int status = follow_options(cli, argc, argv, follow);
	size_t i;

	if (!status)
		status = read_reports(follow);
	if (!status)
		status = session_open(cli, write, session);
	if (status)
		return status;

	for (i = 0; i < follow->report_count; i++) {
		if (!topology_knows(&session->model, follow->reports[i].node))
			cli_warn("no backend lives on node %s, its report changes nothing",
				 follow->reports[i].node);
	}
	follow->decisions = calloc(session->model.backend_count + 1, sizeof(*follow->decisions));
	if (!follow->decisions ||
	    topology_decide(&session->model, follow->reports, follow->report_count, follow->policy,
			    weight_config_default(),
			    follow->region ? follow->region : session->maps.settings->region,
			    cli_wall_ms(), follow->decisions)) {
		session_close(session);
		return cli_fail("out of memory");
	}
	return CLI_OK;
}

static void follow_end(struct follow *follow)
{
	free(follow->reports);
	free(follow->decisions);
}

static int compute_shares(const struct session *session, struct share **shares)
{
	struct slots_view view = {};
	int err = -ENOMEM;

	*shares = calloc(session->model.backend_count + 1, sizeof(**shares));
	if (*shares && !state_view_slots(&session->maps, &view))
		err = shares_compute(&session->model, &view, *shares);
	free(view.in_use);
	return err ? cli_fail("cannot compute shares: %s", strerror(-err)) : CLI_OK;
}

static json_t *change_row(const struct model *model, const struct model_backend *backend,
			  const struct weight_decision *decision, const struct share *before,
			  const struct share *after)
{
	const struct model_service *service = model_service_by_id(model, backend->service);

	return json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:b, s:s}", "service", service->name,
			 "backend", backend->name, "node", backend->node, "old_weight",
			 (double)backend->weight_milli / WEIGHT_MILLI, "new_weight",
			 (double)decision->weight_milli / WEIGHT_MILLI, "old_share_percent",
			 before->wanted * 100, "new_share_percent", after->wanted * 100, "changed",
			 decision->changed, "reason", decision->reason);
}

static void print_changes(const struct cli *cli, json_t *rows)
{
	static const struct column columns[] = {
		{"service", "SERVICE", NULL, 0},
		{"backend", "BACKEND", NULL, 0},
		{"node", "NODE", NULL, 0},
		{"old_weight", "WEIGHT", NULL, 1},
		{"new_weight", "NEW-WEIGHT", NULL, 1},
		{"old_share_percent", "SHARE", "%", 1},
		{"new_share_percent", "NEW-SHARE", "%", 1},
		{"reason", "REASON", NULL, 0},
	};

	output_rows(cli->json, rows, columns, sizeof(columns) / sizeof(columns[0]), "no backends");
}

static int weight_plan(struct cli *cli, int argc, char **argv)
{
	struct share *before = NULL, *after = NULL;
	struct follow follow = {};
	struct session session;
	struct model old = {};
	json_t *rows;
	size_t i;
	int status = follow_begin(cli, argc, argv, false, &follow, &session);

	if (status)
		goto out;
	if (state_read(&session.maps, &old))
		status = cli_fail("out of memory");
	if (!status)
		status = compute_shares(&session, &before);
	topology_follow(&session.model, follow.decisions);
	if (!status)
		status = compute_shares(&session, &after);
	if (!status) {
		rows = json_array();
		for (i = 0; i < old.backend_count; i++) {
			if (old.backends[i].state != BACKEND_GONE)
				json_array_append_new(rows, change_row(&old, &old.backends[i],
								       &follow.decisions[i],
								       &before[i], &after[i]));
		}
		print_changes(cli, rows);
	}
	free(before);
	free(after);
	model_free(&old);
	session_close(&session);
out:
	follow_end(&follow);
	return status;
}

static int weight_apply(struct cli *cli, int argc, char **argv)
{
	struct follow follow = {};
	struct session session;
	int status = follow_begin(cli, argc, argv, true, &follow, &session);

	if (!status) {
		topology_follow(&session.model, follow.decisions);
		status = session_publish(&session);
		session_close(&session);
	}
	follow_end(&follow);
	return status;
}

static json_t *weight_row(const struct model *model, const struct model_backend *backend,
			  const struct share *share)
{
	const struct model_service *service = model_service_by_id(model, backend->service);

	return json_pack("{s:s, s:s, s:s, s:i, s:f, s:i, s:f, s:f, s:s}", "service", service->name,
			 "backend", backend->name, "state",
			 backend_state_found(backend),
			 "base_weight", backend->base_weight, "weight",
			 (double)backend->weight_milli / WEIGHT_MILLI, "bias", backend->bias,
			 "wanted_share_percent", share->wanted * 100, "slot_share_percent",
			 share->by_slots * 100, "reason", backend->reason);
}

static int weight_show(struct cli *cli, int argc, char **argv)
{
	static const struct column columns[] = {
		{"service", "SERVICE", NULL, 0},
		{"backend", "BACKEND", NULL, 0},
		{"state", "STATE", NULL, 0},
		{"base_weight", "BASE-WEIGHT", NULL, 0},
		{"weight", "WEIGHT", NULL, 1},
		{"bias", "BIAS", NULL, 0},
		{"wanted_share_percent", "WANTED", "%", 2},
		{"slot_share_percent", "BY-SLOTS", "%", 2},
		{"reason", "REASON", NULL, 0},
	};
	const struct model_service *only = NULL;
	struct share *shares = NULL;
	struct session session;
	json_t *rows;
	size_t i;
	int status = CLI_OK;

	if (argc > 2)
		return cli_usage(cli, "expected one SERVICE at most");
	if (session_open(cli, false, &session))
		return CLI_FAILED;
	if (argc == 2)
		only = session_service(&session, argv[1]);
	if (argc == 2 && !only)
		status = CLI_FAILED;
	if (!status)
		status = compute_shares(&session, &shares);
	if (status)
		goto out;
	rows = json_array();
	for (i = 0; i < session.model.backend_count; i++) {
		const struct model_backend *backend = &session.model.backends[i];

		if (backend->state != BACKEND_GONE && (!only || backend->service == only->id))
			json_array_append_new(rows,
					      weight_row(&session.model, backend, &shares[i]));
	}
	if (cli->json) {
		output_json(json_pack("{s:I, s:o}", "generation",
				      (json_int_t)session.model.generation, "weights", rows));
	} else {
		printf("generation %llu\n", (unsigned long long)session.model.generation);
		output_rows(false, rows, columns, sizeof(columns) / sizeof(columns[0]),
			    "no backends");
	}
out:
	free(shares);
	session_close(&session);
	return status;
}

const struct command weight_commands[] = {
	{"weight", "set", "SERVICE BACKEND=WEIGHT...", "set weights by hand, all at once",
	 weight_set},
	{"weight", "plan",
	 "FILE|- [--policy adaptive|decay|edge|probe|score] [--region REGION] "
	 "[--max-skew SECONDS]",
	 "show what apply would do with a topology report", weight_plan},
	{"weight", "apply",
	 "FILE|- [--policy adaptive|decay|edge|probe|score] [--region REGION] "
	 "[--max-skew SECONDS]",
	 "make the weights follow a topology report, all services at once", weight_apply},
	{"weight", "show", "[SERVICE]", "show weights, biases and shares", weight_show},
	{},
};
