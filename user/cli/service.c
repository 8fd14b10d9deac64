/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice service add | del | list */
#include <errno.h>
#include <string.h>

#include "output.h"
#include "session.h"

enum { OPTION_VIP = 1, OPTION_PORT, OPTION_PROTO, OPTION_FORWARD, OPTION_SLOTS, OPTION_LOCAL_COUNT };

static const struct option add_options[] = {
	{"vip", required_argument, NULL, OPTION_VIP},
	{"port", required_argument, NULL, OPTION_PORT},
	{"proto", required_argument, NULL, OPTION_PROTO},
	{"forward", required_argument, NULL, OPTION_FORWARD},
	{"slots", required_argument, NULL, OPTION_SLOTS},
	{"local-count", required_argument, NULL, OPTION_LOCAL_COUNT},
	{},
};

struct add_arguments {
	struct service_request request;
	bool have_vip;
	bool have_port;
};

static int parse_on_off(const struct cli *cli, const char *option, const char *text, bool *on)
{
	*on = !strcmp(text, "on");
	if (!*on && strcmp(text, "off"))
		return cli_usage(cli, "%s is '%s', expected on or off", option, text);
	return CLI_OK;
}

static int add_option(const struct cli *cli, int option, struct add_arguments *arguments)
{
	struct service_request *request = &arguments->request;
	uint64_t number;

	switch (option) {
	case OPTION_VIP:
		arguments->have_vip = true;
		if (address_parse(optarg, &request->vip))
			return cli_usage(cli, "--vip is '%s', expected an IPv4 or IPv6 address",
					 optarg);
		return CLI_OK;
	case OPTION_PORT:
		arguments->have_port = true;
		if (!strcmp(optarg, "any"))
			return CLI_OK;
		if (cli_number(cli, "--port", optarg, 0, 65535, &number))
			return CLI_USAGE;
		request->port = number;
		return CLI_OK;
	case OPTION_PROTO:
		if (protocol_parse(optarg, &request->protocol))
			return cli_usage(cli, "--proto is '%s', expected tcp or udp", optarg);
		return CLI_OK;
	case OPTION_FORWARD:
		if (forward_parse(optarg, &request->forward))
			return cli_usage(cli, "--forward is '%s', expected dsr or ipip", optarg);
		return CLI_OK;
	case OPTION_SLOTS:
		if (cli_number(cli, "--slots", optarg, 0, UINT32_MAX, &number))
			return CLI_USAGE;
		request->slot_count = number;
		return CLI_OK;
	case OPTION_LOCAL_COUNT:
		return parse_on_off(cli, "--local-count", optarg, &request->local_count);
	default:
		return CLI_USAGE;
	}
}

static int service_add(struct cli *cli, int argc, char **argv)
{
	struct add_arguments arguments = {.request.local_count = true};
	struct text_error error;
	struct session session;
	int option, status;

	while ((option = cli_option(cli, argc, argv, add_options)) != -1) {
		status = add_option(cli, option, &arguments);
		if (status)
			return status;
	}
	if (argc - optind != 1)
		return cli_usage(cli, "expected one NAME");
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

static json_t *service_row(const struct model *model, const struct model_service *service)
{
	char vip[ADDRESS_TEXT_BYTES];
	int backends = 0;
	size_t i;

	for (i = 0; i < model->backend_count; i++)
		backends += model->backends[i].service == service->id &&
			    model->backends[i].state != BACKEND_GONE;
	return json_pack("{s:s, s:s, s:i, s:s, s:s, s:i, s:I, s:b}", "service", service->name,
			 "vip", address_format(&service->vip, vip), "port", service->port, "proto",
			 protocol_name(service->protocol), "forward",
			 forward_name(service->forward), "backends", backends, "slots",
			 (json_int_t)service->slots.count, "local_count",
			 !!(service->flags & SERVICE_LOCAL_COUNT));
}

static int service_list(struct cli *cli, int argc, char **argv)
{
	static const struct column columns[] = {
		{"service", "SERVICE", NULL, 0},   {"vip", "VIP", NULL, 0},
		{"port", "PORT", NULL, 0},	   {"proto", "PROTO", NULL, 0},
		{"forward", "FORWARD", NULL, 0},   {"backends", "BACKENDS", NULL, 0},
		{"slots", "SLOTS", NULL, 0},	   {"local_count", "LOCAL-COUNT", NULL, 0},
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
		json_array_append_new(rows, service_row(&session.model, &session.model.services[i]));
	output_rows(cli->json, rows, columns, sizeof(columns) / sizeof(columns[0]),
		    "no services yet; `sluice service add` makes one");
	session_close(&session);
	return CLI_OK;
}

const struct command service_commands[] = {
	{"service", "add",
	 "NAME --vip ADDR --port PORT|any --proto tcp|udp [--forward dsr|ipip] [--slots N] "
	 "[--local-count on|off]",
	 "make a service", service_add},
	{"service", "del", "NAME", "remove a service and its backends", service_del},
	{"service", "list", "", "show the services", service_list},
	{},
};
