/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice load | unload | check */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "../core/config.h"
#include "../core/keys.h"
#include "../core/plural.h"
#include "../core/reconcile.h"
#include "../kernel/apply.h"
#include "../kernel/attach.h"
#include "../kernel/leave.h"
#include "../kernel/object.h"
#include "config_file.h"
#include "output.h"
#include "policy_session.h"
#include "remote.h"

enum { OPTION_CONFIG = 1, OPTION_GUE_PORT, OPTION_ICMP_RATE, OPTION_FORCE };

struct load_arguments {
	const char *path; /* of the configuration; NULL: none */
	uint64_t gue_port;
	uint64_t icmp_rate;
	bool have_gue_port;
	bool have_icmp_rate;
	bool force; /* a policy that would cut an SSH session */
};

static int make_settings(const struct config *config, struct settings *settings)
{
	const struct config_load *load = &config->load;
	__u64 flow_seed;

	memset(settings, 0, sizeof(*settings));
	if (getrandom(&flow_seed, sizeof(flow_seed), 0) != sizeof(flow_seed))
		return cli_fail("the kernel gave no random bytes: %s", strerror(errno));
	settings->seed = load->seed;
	key_from_seed(flow_seed, KEY_FLOW, 0, &settings->flow_key);
	memcpy(settings->region, config->region, sizeof(settings->region));
	settings->flow_main_sets = config_flow_sets(load->flows_per_cpu);
	settings->backends_max = load->backends_max;
	settings->slots_max = load->slots_max;
	settings->cpu_count = libbpf_num_possible_cpus();
	memcpy(settings->tunnel_source_ipv4, load->tunnel_source_ipv4.word, 16);
	memcpy(settings->tunnel_source_ipv6, load->tunnel_source_ipv6.word, 16);
	settings->tunnel_source_ipv4_vary = load->tunnel_source_ipv4_vary;
	settings->tunnel_source_ipv6_vary = load->tunnel_source_ipv6_vary;
	settings->gue_port = htons(load->gue_port);
	settings->icmp_rate = load->icmp_rate;
	return CLI_OK;
}

/* Maps, program and settings from nothing. */
static int load_fresh(const struct cli *cli, const struct config *config)
{
	struct settings settings;
	struct text_error error;

	if (make_settings(config, &settings))
		return CLI_FAILED;
	if (object_load_lb(cli->pin_dir, &settings, &error))
		return cli_fail("%s", error.what);
	return CLI_OK;
}

/* Put the new program where the old one runs, without a packet lost. */
static int replace_attached(struct cli *cli)
{
	struct attach_result result;
	struct text_error error;
	struct attachment *list;
	int status = CLI_OK;
	size_t count, i;

	if (attach_list(cli->pin_dir, &list, &count, &error))
		return cli_fail("%s", error.what);
	for (i = 0; i < count; i++) {
		struct attach_request request = {
			.pin_dir = cli->pin_dir,
			.device = list[i].device,
			.role = ATTACH_LB,
			.mode = list[i].mode,
			.alone = list[i].way != ATTACH_BY_DISPATCHER,
			.open_object = session_open_object,
			.context = cli,
		};

		if (list[i].role == ATTACH_LB && attach_program(&request, &result, &error))
			status = cli_fail("%s", error.what);
	}
	free(list);
	return status;
}

static int read_settings(const struct cli *cli, struct settings *settings)
{
	struct text_error error;
	struct maps maps;

	if (maps_open(cli->pin_dir, false, &maps, &error))
		return cli_fail("%s", error.what);
	*settings = *maps.settings;
	maps_close(&maps);
	return CLI_OK;
}

static int note_options(const struct cli *cli, const struct settings *settings)
{
	struct text_error error;
	struct maps maps;

	if (maps_open(cli->pin_dir, true, &maps, &error))
		return cli_fail("%s", error.what);
	apply_options(&maps, settings);
	maps_close(&maps);
	return CLI_OK;
}

/* A new program onto the maps that are there; what is in them stays. @config may be NULL. */
static int load_again(struct cli *cli, const struct config *config,
		      const struct load_arguments *arguments)
{
	struct text_error error;
	struct settings settings;

	if (read_settings(cli, &settings))
		return CLI_FAILED;
	if (config && (settings.flow_main_sets != config_flow_sets(config->load.flows_per_cpu) ||
		       settings.backends_max != config->load.backends_max ||
		       settings.slots_max != config->load.slots_max ||
		       settings.seed != config->load.seed))
		return cli_fail("%s is loaded with other sizes or another seed than this "
				"configuration's; `sluice unload` comes first, and ends its flows",
				cli->pin_dir);
	if (config || arguments->have_gue_port)
		settings.gue_port = htons(config ? config->load.gue_port : arguments->gue_port);
	if (config || arguments->have_icmp_rate)
		settings.icmp_rate = config ? config->load.icmp_rate : arguments->icmp_rate;
	if (object_load_lb(cli->pin_dir, &settings, &error))
		return cli_fail("%s", error.what);
	if (note_options(cli, &settings))
		return CLI_FAILED;
	return replace_attached(cli);
}

static int apply_config(const struct cli *cli, struct config *config, bool force)
{
	struct policy_session session;
	struct text_error error;
	int status = policy_session_open(cli, true, &session);

	if (status)
		return status;
	if (reconcile(&session.session.model, &config->model, cli_monotonic_ns(), &error))
		status = cli_fail("%s", error.what);
	if (!status)
		status = session_resolve(&session.session, NULL, NULL);
	if (!status)
		status = policy_session_publish_config(&session, config, force);
	policy_session_close(&session);
	return status;
}

static int load_option(const struct cli *cli, int option, struct load_arguments *arguments)
{
	switch (option) {
	case OPTION_CONFIG:
		arguments->path = optarg;
		return CLI_OK;
	case OPTION_FORCE:
		arguments->force = true;
		return CLI_OK;
	case OPTION_GUE_PORT:
		arguments->have_gue_port = true;
		return cli_number(cli, "--gue-port", optarg, 1, 65535, &arguments->gue_port)
			       ? CLI_USAGE
			       : CLI_OK;
	case OPTION_ICMP_RATE:
		arguments->have_icmp_rate = true;
		return cli_number(cli, "--icmp-rate", optarg, 0, CONFIG_ICMP_RATE_MAX,
				  &arguments->icmp_rate)
			       ? CLI_USAGE
			       : CLI_OK;
	default:
		return CLI_USAGE;
	}
}

static int load_options(const struct cli *cli, int argc, char **argv,
			struct load_arguments *arguments)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, OPTION_CONFIG},
		{"gue-port", required_argument, NULL, OPTION_GUE_PORT},
		{"icmp-rate", required_argument, NULL, OPTION_ICMP_RATE},
		{"force", no_argument, NULL, OPTION_FORCE},
		{},
	};
	int option, status;

	memset(arguments, 0, sizeof(*arguments));
	while ((option = cli_option(cli, argc, argv, options)) != -1) {
		status = load_option(cli, option, arguments);
		if (status)
			return status;
	}
	if (optind != argc)
		return cli_usage(cli, "unexpected \"%s\"", argv[optind]);
	return CLI_OK;
}

/* The configuration, or what stands for none; options win over what it says. */
static int load_wanted(const struct load_arguments *arguments, struct config *config)
{
	if (!arguments->path)
		config_default(config);
	else if (config_file_read(arguments->path, config))
		return CLI_FAILED;
	if (arguments->have_gue_port)
		config->load.gue_port = arguments->gue_port;
	if (arguments->have_icmp_rate)
		config->load.icmp_rate = arguments->icmp_rate;
	return CLI_OK;
}

static int load(struct cli *cli, int argc, char **argv)
{
	struct load_arguments arguments;
	struct text_error ignored;
	struct config config;
	bool fresh;
	int status = load_options(cli, argc, argv, &arguments);

	if (status)
		return status;
	if (load_wanted(&arguments, &config))
		return CLI_FAILED;
	fresh = !session_is_loaded(cli);
	status = fresh ? load_fresh(cli, &config)
		       : load_again(cli, arguments.path ? &config : NULL, &arguments);
	if (!status && arguments.path) {
		status = apply_config(cli, &config, arguments.force);
		if (status && fresh)
			object_unpin_all(cli->pin_dir, &ignored);
	}
	if (!status && arguments.path)
		session_warn_ports(&config.model);
	config_free(&config);
	return status;
}

static int unload(struct cli *cli, int argc, char **argv)
{
	struct text_error error;
	json_t *daemon;
	int status;

	(void)argv;
	if (argc != 1)
		return cli_usage(cli, "expected nothing behind unload");
	if (access(cli->pin_dir, F_OK))
		return cli_fail("nothing is loaded at %s", cli->pin_dir);
	daemon = cli->direct ? NULL : remote_status(cli);
	if (daemon) {
		status = cli_fail("the daemon with process id %lld works with what is loaded at "
				  "%s; stop it first",
				  json_integer_value(json_object_get(daemon, "pid")), cli->pin_dir);
		json_decref(daemon);
		return status;
	}
	if (leave(cli->pin_dir, &error) || object_unpin_all(cli->pin_dir, &error))
		return cli_fail("%s", error.what);
	return CLI_OK;
}

static int check(struct cli *cli, int argc, char **argv)
{
	struct config config;

	if (argc != 2)
		return cli_usage(cli, "expected one FILE");
	if (config_file_read(argv[1], &config))
		return CLI_FAILED;
	session_warn_ports(&config.model);
	if (cli->json)
		output_json(json_pack("{s:b, s:I, s:I}", "valid", 1, "services",
				      (json_int_t)config.model.service_count, "backends",
				      (json_int_t)config.model.backend_count));
	else
		printf("%s: %zu service%s, %zu backend%s, no errors\n", argv[1],
		       config.model.service_count, plural(config.model.service_count),
		       config.model.backend_count, plural(config.model.backend_count));
	config_free(&config);
	return CLI_OK;
}

const struct command load_commands[] = {
	{"load", NULL, "[--config FILE [--force]] [--gue-port PORT] [--icmp-rate N]",
	 "load the program and its maps, or replace the program of what is loaded", load},
	{"unload", NULL, "", "detach everywhere, and forget everything", unload},
	{"check", NULL, "FILE", "say whether a configuration is valid, change nothing", check},
	{},
};
