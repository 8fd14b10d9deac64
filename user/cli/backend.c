/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice backend add | set | del | list | resolve */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "session.h"

enum {
	OPTION_ADDRESS = 1,
	OPTION_NODE,
	OPTION_REGION,
	OPTION_WEIGHT,
	OPTION_STATE,
	OPTION_SERVER_ID,
};

static const struct option add_options[] = {
	{"address", required_argument, NULL, OPTION_ADDRESS},
	{"node", required_argument, NULL, OPTION_NODE},
	{"region", required_argument, NULL, OPTION_REGION},
	{"weight", required_argument, NULL, OPTION_WEIGHT},
	{"state", required_argument, NULL, OPTION_STATE},
	{"server-id", required_argument, NULL, OPTION_SERVER_ID},
	{},
};

static const struct option set_options[] = {
	{"weight", required_argument, NULL, OPTION_WEIGHT},
	{"state", required_argument, NULL, OPTION_STATE},
	{"server-id", required_argument, NULL, OPTION_SERVER_ID},
	{},
};

struct arguments {
	struct backend_request request;
	bool have_address;
	bool have_weight;
	bool have_state;
	bool have_server_id;
};

static int parse_option(const struct cli *cli, int option, struct arguments *arguments)
{
	struct backend_request *request = &arguments->request;
	uint64_t number;

	switch (option) {
	case OPTION_ADDRESS:
		arguments->have_address = true;
		if (address_parse_port(optarg, &request->address, &request->port))
			return cli_usage(
				cli, "--address is \"%s\", expected ADDR, IPV4:PORT or [IPV6]:PORT",
				optarg);
		return CLI_OK;
	case OPTION_NODE:
		request->node = optarg;
		return CLI_OK;
	case OPTION_REGION:
		request->region = optarg;
		return CLI_OK;
	case OPTION_WEIGHT:
		arguments->have_weight = true;
		if (cli_number(cli, "--weight", optarg, 0, 65535, &number))
			return CLI_USAGE;
		request->base_weight = number;
		return CLI_OK;
	case OPTION_STATE:
		arguments->have_state = true;
		if (backend_state_parse(optarg, &request->state))
			return cli_usage(cli, "--state is \"%s\", expected up, drain or down",
					 optarg);
		return CLI_OK;
	case OPTION_SERVER_ID:
		arguments->have_server_id = true;
		if (server_id_parse(optarg, &request->server_id))
			return cli_usage(cli, "--server-id is \"%s\", expected " SERVER_ID_EXPECTED,
					 optarg);
		return CLI_OK;
	default:
		return CLI_USAGE;
	}
}

static int parse_arguments(const struct cli *cli, int argc, char **argv,
			   const struct option *options, struct arguments *arguments)
{
	int option, status;

	while ((option = cli_option(cli, argc, argv, options)) != -1) {
		status = parse_option(cli, option, arguments);
		if (status)
			return status;
	}
	if (argc - optind != 2)
		return cli_usage(cli, "expected SERVICE and NAME");
	arguments->request.name = argv[optind + 1];
	return CLI_OK;
}

static int backend_add(struct cli *cli, int argc, char **argv)
{
	struct arguments arguments = {
		.request = {.base_weight = BASE_WEIGHT_DEFAULT, .state = BACKEND_UP},
	};
	const struct model_service *service;
	struct text_error error;
	struct session session;
	int status = parse_arguments(cli, argc, argv, add_options, &arguments);

	if (status)
		return status;
	if (!arguments.have_address)
		return cli_usage(cli, "--address is needed");
	if (session_open(cli, true, &session))
		return CLI_FAILED;
	service = session_service(&session, argv[optind]);
	if (!service) {
		status = CLI_FAILED;
	} else if (model_backend_add(&session.model, service->name, &arguments.request, &error)) {
		status = cli_fail("%s", error.what);
	} else {
		status = session_resolve(&session, service,
					 model_backend_find(&session.model, service->id,
							    arguments.request.name));
		if (!status)
			status = session_publish(&session);
	}
	if (!status)
		session_warn_port(&session.model, model_backend_find(&session.model, service->id,
								     arguments.request.name));
	session_close(&session);
	return status;
}

static int set(struct model *model, const char *service, const struct arguments *arguments,
	       struct text_error *error)
{
	const struct backend_request *request = &arguments->request;
	int err = 0;

	if (arguments->have_server_id)
		err = model_backend_set_server_id(model, service, request->name,
						  &request->server_id, error);
	if (err)
		return err;
	return model_backend_set(model, service, request->name,
				 arguments->have_weight ? &request->base_weight : NULL,
				 arguments->have_state ? &request->state : NULL, error);
}

static int backend_set(struct cli *cli, int argc, char **argv)
{
	struct arguments arguments = {};
	const struct model_service *service;
	struct text_error error;
	struct session session;
	int status = parse_arguments(cli, argc, argv, set_options, &arguments);

	if (status)
		return status;
	if (!arguments.have_weight && !arguments.have_state && !arguments.have_server_id)
		return cli_usage(cli, "nothing to set: give --weight, --state or --server-id");
	if (session_open(cli, true, &session))
		return CLI_FAILED;
	service = session_service(&session, argv[optind]);
	status = CLI_FAILED;
	if (service && session_backend(&session, service, arguments.request.name)) {
		if (set(&session.model, service->name, &arguments, &error))
			cli_fail("%s", error.what);
		else
			status = session_publish(&session);
	}
	session_close(&session);
	return status;
}

static int backend_del(struct cli *cli, int argc, char **argv)
{
	const struct model_service *service;
	struct text_error error;
	struct session session;
	int status = CLI_FAILED;

	if (argc != 3)
		return cli_usage(cli, "expected SERVICE and NAME");
	if (session_open(cli, true, &session))
		return CLI_FAILED;
	service = session_service(&session, argv[1]);
	if (service && session_backend(&session, service, argv[2])) {
		if (model_backend_del(&session.model, service->name, argv[2], cli_monotonic_ns(),
				      &error))
			cli_fail("%s", error.what);
		else
			status = session_publish(&session);
	}
	session_close(&session);
	return status;
}

/* What frames must carry so that the route's device is where they end up: "100", or "100.7". */
static json_t *vlan_text(const __u16 vlan[2])
{
	return !vlan[0] ? json_null()
			: json_sprintf(vlan[1] ? "%u.%u" : "%u", vlan[0], vlan[1]);
}

static json_t *server_id_text(const struct quic_server_id *server_id)
{
	char text[SERVER_ID_TEXT_BYTES];

	return server_id->count ? json_string(server_id_format(server_id, text)) : json_null();
}

static json_t *backend_row(const struct model *model, const struct model_backend *backend)
{
	const struct model_service *service = model_service_by_id(model, backend->service);
	const struct next_hop *hop = &backend->next_hop;
	char address[ADDRESS_TEXT_BYTES], device[IF_NAMESIZE] = "", mac[18] = "";

	if (hop->state == NEXT_HOP_RESOLVED) {
		if (!if_indextoname(hop->egress_ifindex, device))
			snprintf(device, sizeof(device), "if%u", hop->egress_ifindex);
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", hop->next_hop_mac[0],
			 hop->next_hop_mac[1], hop->next_hop_mac[2], hop->next_hop_mac[3],
			 hop->next_hop_mac[4], hop->next_hop_mac[5]);
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:i}",
			 "service", service->name, "backend", backend->name, "address",
			 address_format_port(&backend->address, backend->port, address), "node",
			 backend->node, "region", backend->region, "base_weight",
			 backend->base_weight, "state", backend_state_found(backend),
			 "next_hop", next_hop_state_name(hop->state), "mac", mac, "device", device,
			 "vlan", vlan_text(hop->vlan), "mtu_bytes",
			 output_number_or_null(hop->mtu_bytes), "server_id",
			 server_id_text(&backend->server_id), "id", backend->id);
}

static int backend_list(struct cli *cli, int argc, char **argv)
{
	static const struct column columns[] = {
		{"service", "SERVICE", NULL, 0},   {"backend", "BACKEND", NULL, 0},
		{"address", "ADDRESS", NULL, 0},   {"node", "NODE", NULL, 0},
		{"region", "REGION", NULL, 0},	   {"base_weight", "BASE-WEIGHT", NULL, 0},
		{"state", "STATE", NULL, 0},	   {"next_hop", "NEXT-HOP", NULL, 0},
		{"mac", "MAC", NULL, 0},	   {"device", "DEVICE", NULL, 0},
		{"vlan", "VLAN", NULL, 0},	   {"mtu_bytes", "MTU", NULL, 0},
		{"server_id", "SERVER-ID", NULL, 0},
	};
	const struct model_service *only = NULL;
	struct session session;
	json_t *rows;
	size_t i;

	if (argc > 2)
		return cli_usage(cli, "expected one SERVICE at most");
	if (session_open(cli, false, &session))
		return CLI_FAILED;
	if (argc == 2)
		only = session_service(&session, argv[1]);
	if (argc == 2 && !only) {
		session_close(&session);
		return CLI_FAILED;
	}
	rows = json_array();
	for (i = 0; i < session.model.backend_count; i++) {
		const struct model_backend *backend = &session.model.backends[i];

		if (backend->state != BACKEND_GONE && (!only || backend->service == only->id))
			json_array_append_new(rows, backend_row(&session.model, backend));
	}
	output_rows(cli->json, rows, columns, sizeof(columns) / sizeof(columns[0]),
		    "no backends yet; `sluice backend add` makes one");
	session_close(&session);
	return CLI_OK;
}

static int backend_resolve(struct cli *cli, int argc, char **argv)
{
	const struct model_service *service = NULL;
	const struct model_backend *backend = NULL;
	struct session session;
	int status = CLI_FAILED;

	if (argc > 3)
		return cli_usage(cli, "expected at most SERVICE and NAME");
	if (session_open(cli, true, &session))
		return CLI_FAILED;
	if (argc > 1)
		service = session_service(&session, argv[1]);
	if (argc > 2 && service)
		backend = session_backend(&session, service, argv[2]);
	if ((argc < 2 || service) && (argc < 3 || backend))
		status = session_resolve(&session, service, backend);
	if (!status)
		status = session_publish(&session);
	session_close(&session);
	return status;
}

const struct command backend_commands[] = {
	{"backend", "add",
	 "SERVICE NAME --address ADDR[:PORT] [--node NODE] [--region REGION] [--weight W] "
	 "[--state up|drain|down] [--server-id HEX]",
	 "add a backend to a service", backend_add},
	{"backend", "set",
	 "SERVICE NAME [--weight W] [--state up|drain|down] [--server-id HEX|none]",
	 "change a backend's base weight, state or server id", backend_set},
	{"backend", "del", "SERVICE NAME", "remove a backend", backend_del},
	{"backend", "list", "[SERVICE]", "show backends and the way to them", backend_list},
	{"backend", "resolve", "[SERVICE [NAME]]",
	 "read the way to backends from the kernel's routes and neighbours again", backend_resolve},
	{},
};
