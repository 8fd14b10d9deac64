/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice service add | set | del | list */
#include <errno.h>
#include <string.h>

#include "../kernel/policy_state.h"
#include "output.h"
#include "session.h"

enum {
	OPTION_VIP = 1,
	OPTION_PORT,
	OPTION_PROTO,
	OPTION_FORWARD,
	OPTION_SLOTS,
	OPTION_LOCAL_COUNT,
	OPTION_MSS,
	OPTION_IDLE,
	OPTION_QUIC_SERVER_ID_BYTES,
	OPTION_PRIORITY,
};

/* From the fourth on they may be changed later. */
static const struct option options[] = {
	{"vip", required_argument, NULL, OPTION_VIP},
	{"port", required_argument, NULL, OPTION_PORT},
	{"proto", required_argument, NULL, OPTION_PROTO},
	{"forward", required_argument, NULL, OPTION_FORWARD},
	{"slots", required_argument, NULL, OPTION_SLOTS},
	{"local-count", required_argument, NULL, OPTION_LOCAL_COUNT},
	{"mss", required_argument, NULL, OPTION_MSS},
	{"idle", required_argument, NULL, OPTION_IDLE},
	{"quic-server-id-bytes", required_argument, NULL, OPTION_QUIC_SERVER_ID_BYTES},
	{"priority", required_argument, NULL, OPTION_PRIORITY},
	{},
};

static const struct option *const add_options = options;
static const struct option *const set_options = options + 3;

struct arguments {
	struct service_request request;
	bool have_vip;
	bool have_port;
	bool have_any;
};

static int parse_on_off(const struct cli *cli, const char *option, const char *text, bool *on)
{
	*on = !strcmp(text, "on");
	if (!*on && strcmp(text, "off"))
		return cli_usage(cli, "%s is \"%s\", expected on or off", option, text);
	return CLI_OK;
}

/* What makes a service the one it is. */
static int parse_identity(const struct cli *cli, int option, struct arguments *arguments)
{
	struct service_request *request = &arguments->request;
	uint64_t number;

	switch (option) {
	case OPTION_VIP:
		arguments->have_vip = true;
		if (address_parse(optarg, &request->vip))
			return cli_usage(cli, "--vip is \"%s\", expected an IPv4 or IPv6 address",
					 optarg);
		return CLI_OK;
	case OPTION_PORT:
		arguments->have_port = true;
		if (!strcmp(optarg, "any"))
			return CLI_OK;
		if (!cli_is_number(optarg, 0, 65535, &number))
			return cli_usage(
				cli,
				"--port is \"%s\", expected a whole number from 0 to 65535, "
				"or any",
				optarg);
		request->port = number;
		return CLI_OK;
	case OPTION_PROTO:
		if (protocol_parse(optarg, &request->protocol))
			return cli_usage(cli, "--proto is \"%s\", expected tcp or udp", optarg);
		return CLI_OK;
	default:
		return CLI_USAGE;
	}
}

static int parse_option(const struct cli *cli, int option, struct arguments *arguments)
{
	struct service_request *request = &arguments->request;
	uint64_t number = 0;

	switch (option) {
	case OPTION_FORWARD:
		if (forward_parse(optarg, &request->forward))
			return cli_usage(cli, "--forward is \"%s\", expected dsr, ipip or gue",
					 optarg);
		return CLI_OK;
	case OPTION_SLOTS:
		if (cli_number(cli, "--slots", optarg, 0, UINT32_MAX, &number))
			return CLI_USAGE;
		request->slot_count = number;
		return CLI_OK;
	case OPTION_LOCAL_COUNT:
		return parse_on_off(cli, "--local-count", optarg, &request->local_count);
	case OPTION_MSS:
		if (cli_number(cli, "--mss", optarg, 0, MSS_BYTES_MAX, &number))
			return CLI_USAGE;
		request->mss_bytes = number;
		return CLI_OK;
	case OPTION_IDLE:
		if (cli_number(cli, "--idle", optarg, IDLE_S_MIN, IDLE_S_MAX, &number))
			return CLI_USAGE;
		request->idle_ms = number * 1000;
		return CLI_OK;
	case OPTION_QUIC_SERVER_ID_BYTES:
		if (cli_number(cli, "--quic-server-id-bytes", optarg, 0, SERVER_ID_BYTES_MAX,
			       &number))
			return CLI_USAGE;
		request->server_id_bytes = number;
		return CLI_OK;
	case OPTION_PRIORITY:
		if (priority_parse(optarg, &request->priority))
			return cli_usage(cli, "--priority is \"%s\", expected P0, P1 or P2",
					 optarg);
		return CLI_OK;
	default:
		return parse_identity(cli, option, arguments);
	}
}

static int parse_arguments(const struct cli *cli, int argc, char **argv,
			   const struct option *accepted, struct arguments *arguments)
{
	int option, status;

	while ((option = cli_option(cli, argc, argv, accepted)) != -1) {
		status = parse_option(cli, option, arguments);
		if (status)
			return status;
		arguments->have_any = true;
	}
	if (argc - optind != 1)
		return cli_usage(cli, "expected one NAME");
	return CLI_OK;
}

static int service_add(struct cli *cli, int argc, char **argv)
{
	struct arguments arguments = {.request.local_count = true};
	struct text_error error;
	struct session session;
	int status = parse_arguments(cli, argc, argv, add_options, &arguments);

	if (status)
		return status;
	if (!arguments.have_vip || !arguments.have_port || !arguments.request.protocol)
		return cli_usage(cli, "--vip, --port and --proto are needed");
	arguments.request.name = argv[optind];

	if (session_open(cli, true, &session))
		return CLI_FAILED;
	if (model_service_add(&session.model, &arguments.request, &error))
		status = cli_fail("%s", error.what);
	else
		status = session_publish(&session);
	session_close(&session);
	return status;
}

/* Read twice: for what is wrong with them by themselves, then over what the service has now. */
static int service_set(struct cli *cli, int argc, char **argv)
{
	struct arguments arguments = {};
	const struct model_service *service;
	struct text_error error;
	struct session session;
	int status = parse_arguments(cli, argc, argv, set_options, &arguments);

	if (status)
		return status;
	if (!arguments.have_any)
		return cli_usage(cli, "nothing to set");
	if (session_open(cli, true, &session))
		return CLI_FAILED;
	service = session_service(&session, argv[optind]);
	status = CLI_FAILED;
	if (service) {
		arguments.request = model_service_request(service);
		optind = 0;
		parse_arguments(cli, argc, argv, set_options, &arguments);
		if (model_service_set(&session.model, &arguments.request, &error))
			cli_fail("%s", error.what);
		else
			status = session_publish(&session);
	}
	session_close(&session);
	return status;
}

static int service_del(struct cli *cli, int argc, char **argv)
{
	struct text_error error;
	struct session session;
	int status;

	if (argc != 2)
		return cli_usage(cli, "expected one NAME");
	if (session_open(cli, true, &session))
		return CLI_FAILED;
	if (model_service_del(&session.model, argv[1], cli_monotonic_ns(), &error))
		status = cli_fail("%s", error.what);
	else
		status = session_publish(&session);
	session_close(&session);
	return status;
}

static json_t *service_row(const struct session *session, const struct model_service *service)
{
	const struct model *model = &session->model;
	char vip[ADDRESS_TEXT_BYTES];
	int backends = 0;
	size_t i;

	for (i = 0; i < model->backend_count; i++)
		backends += model->backends[i].service == service->id &&
			    model->backends[i].state != BACKEND_GONE;
	return json_pack("{s:s, s:s, s:i, s:s, s:s, s:i, s:I, s:b, s:o, s:o, s:o, s:s, s:o}",
			 "service", service->name, "vip", address_format(&service->vip, vip),
			 "port", service->port, "proto", protocol_name(service->protocol),
			 "forward", forward_name(service->forward), "backends", backends, "slots",
			 (json_int_t)service->slots.count, "local_count",
			 !!(service->flags & SERVICE_LOCAL_COUNT), "mss_bytes",
			 output_number_or_null(service->mss_bytes), "idle_s",
			 output_number_or_null(service->idle_ms / 1000), "quic_server_id_bytes",
			 output_number_or_null(service->server_id_bytes), "priority",
			 priority_name(service->priority), "shed_percent",
			 service->priority
				 ? json_real(100 * policy_state_shed(&session->maps, service->id))
				 : json_null());
}

static int service_list(struct cli *cli, int argc, char **argv)
{
	static const struct column columns[] = {
		{"service", "SERVICE", NULL, 0},
		{"vip", "VIP", NULL, 0},
		{"port", "PORT", NULL, 0},
		{"proto", "PROTO", NULL, 0},
		{"forward", "FORWARD", NULL, 0},
		{"backends", "BACKENDS", NULL, 0},
		{"slots", "SLOTS", NULL, 0},
		{"local_count", "LOCAL-COUNT", NULL, 0},
		{"mss_bytes", "MSS", NULL, 0},
		{"idle_s", "IDLE", " s", 0},
		{"quic_server_id_bytes", "SERVER-ID-BYTES", NULL, 0},
		{"priority", "PRIORITY", NULL, 0},
		{"shed_percent", "SHED", "%", 1},
	};
	struct session session;
	json_t *rows = json_array();
	size_t i;

	(void)argv;
	if (argc != 1)
		return cli_usage(cli, "expected nothing behind list");
	if (session_open(cli, false, &session))
		return CLI_FAILED;
	for (i = 0; i < session.model.service_count; i++)
		json_array_append_new(rows, service_row(&session, &session.model.services[i]));
	output_rows(cli->json, rows, columns, sizeof(columns) / sizeof(columns[0]),
		    "no services yet; `sluice service add` makes one");
	session_close(&session);
	return CLI_OK;
}

#define SET_OPTIONS                                                                          \
	"[--forward dsr|ipip|gue] [--slots N] [--local-count on|off] [--mss BYTES] [--idle " \
	"SECONDS] "                                                                          \
	"[--quic-server-id-bytes N] [--priority P0|P1|P2]"

const struct command service_commands[] = {
	{"service", "add", "NAME --vip ADDR --port PORT|any --proto tcp|udp " SET_OPTIONS,
	 "make a service", service_add},
	{"service", "set", "NAME " SET_OPTIONS, "change a service's options", service_set},
	{"service", "del", "NAME", "remove a service and its backends", service_del},
	{"service", "list", "", "show the services", service_list},
	{},
};
