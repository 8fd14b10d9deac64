/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice attach | detach */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../maps/gue.h"
#include "../kernel/attach.h"
#include "attachment.h"
#include "node.h"
#include "output.h"
#include "session.h"

enum { OPTION_MODE = 1, OPTION_ROLE, OPTION_ALONE, OPTION_GUE_PORT };

static int attach_options(const struct cli *cli, int argc, char **argv,
			  struct attach_request *request, uint64_t *gue_port)
{
	static const struct option options[] = {
		{"mode", required_argument, NULL, OPTION_MODE},
		{"role", required_argument, NULL, OPTION_ROLE},
		{"alone", no_argument, NULL, OPTION_ALONE},
		{"gue-port", required_argument, NULL, OPTION_GUE_PORT},
		{},
	};
	int option;

	while ((option = cli_option(cli, argc, argv, options)) != -1) {
		switch (option) {
		case OPTION_MODE:
			if (attach_mode_parse(optarg, &request->mode))
				return cli_usage(cli,
						 "--mode is \"%s\", expected native or generic",
						 optarg);
			break;
		case OPTION_ROLE:
			if (strcmp(optarg, "lb") && strcmp(optarg, "node"))
				return cli_usage(cli, "--role is \"%s\", expected lb or node",
						 optarg);
			request->role = strcmp(optarg, "node") ? ATTACH_LB : ATTACH_NODE;
			break;
		case OPTION_ALONE:
			request->alone = true;
			break;
		case OPTION_GUE_PORT:
			if (cli_number(cli, "--gue-port", optarg, 1, UINT16_MAX, gue_port))
				return CLI_USAGE;
			break;
		default:
			return CLI_USAGE;
		}
	}
	if (argc - optind != 1)
		return cli_usage(cli, "expected one DEVICE");
	if (*gue_port && request->role != ATTACH_NODE)
		return cli_usage(cli, "--gue-port is for --role node; the balancer's is an option "
				      "of `sluice load`");
	request->device = argv[optind];
	return CLI_OK;
}

static int require_loaded(const struct cli *cli)
{
	struct text_error error;
	struct maps maps;

	if (maps_open(cli->pin_dir, false, &maps, &error))
		return cli_fail("%s", error.what);
	maps_close(&maps);
	return CLI_OK;
}

json_t *attachment_json(const struct attachment *attachment)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I}", "device", attachment->device, "role",
			 attach_role_name(attachment->role), "mode",
			 attach_mode_name(attachment->mode), "way",
			 attach_way_name(attachment->way), "program_id",
			 (json_int_t)attachment->program_id);
}

static int attach(struct cli *cli, int argc, char **argv)
{
	struct attach_request request = {
		.pin_dir = cli->pin_dir,
		.open_object = session_open_object,
		.context = cli,
	};
	struct attach_result result = {};
	struct text_error error;
	uint64_t gue_port = 0;
	json_t *root;
	int status = attach_options(cli, argc, argv, &request, &gue_port);

	if (status)
		return status;
	if (!if_nametoindex(request.device))
		return cli_fail("there is no device %s", request.device);
	if (request.role == ATTACH_NODE)
		request.alone = true; /* its addresses are constants of the pinned program */
	status = request.role == ATTACH_NODE
			 ? node_load(cli, request.device, gue_port ? gue_port : GUE_PORT)
			 : require_loaded(cli);
	if (status)
		return status;
	if (attach_program(&request, &result, &error))
		return cli_fail("%s", error.what);

	if (cli->json) {
		root = attachment_json(&result.attachment);
		json_object_set_new(root, "replaced", json_boolean(result.replaced));
		json_object_set_new(root, "note", json_string(result.note));
		output_json(root);
		return CLI_OK;
	}
	printf("%s: %s %s in %s mode, by %s\n", request.device, attach_role_name(request.role),
	       result.replaced ? "replaced" : "attached", attach_mode_name(result.attachment.mode),
	       attach_way_name(result.attachment.way));
	if (*result.note)
		printf("note: %s\n", result.note);
	return CLI_OK;
}

static int detach(struct cli *cli, int argc, char **argv)
{
	struct attachment was;
	struct text_error error;

	if (argc != 2)
		return cli_usage(cli, "expected one DEVICE");
	if (attach_detach(cli->pin_dir, argv[1], &was, &error))
		return cli_fail("%s", error.what);
	return CLI_OK;
}

const struct command attach_commands[] = {
	{"attach", NULL, "DEVICE [--mode native|generic] [--role lb|node] [--alone] [--gue-port N]",
	 "run the program on a device", attach},
	{"detach", NULL, "DEVICE", "stop running it there", detach},
	{},
};
