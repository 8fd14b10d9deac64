/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice load | unload | check */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <bpf/libbpf.h>

#include "../core/config.h"
#include "../core/reconcile.h"
#include "../kernel/apply.h"
#include "../kernel/attach.h"
#include "../kernel/object.h"
#include "session.h"

enum { OPTION_CONFIG = 1 };

/* Returns CLI_OK with @config to be freed, or CLI_FAILED after the user has been told. */
static int read_config(const char *path, struct config *config)
{
	struct text_error error = {};
	size_t text_bytes;
	char *text = cli_read_file(path, &text_bytes);
	int err;

	if (!text)
		return CLI_FAILED;
	err = config_parse(text, text_bytes, config, &error);
	free(text);
	if (err && error.line)
		return cli_fail("%s:%d: %s", path, error.line, error.what);
	return err ? cli_fail("%s: %s", path, error.what) : CLI_OK;
}

/* Twice as many entries as asked for, at most: sets fill unevenly. */
static __u32 flow_sets(__u32 flows)
{
	__u32 sets = 64;

	while ((__u64)sets * FLOW_SET_ENTRIES * 4 / 5 < flows)
		sets *= 2;
	return sets;
}

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
	settings->flow_main_sets = flow_sets(load->flows_per_cpu);
	settings->backends_max = load->backends_max;
	settings->slots_max = load->slots_max;
	settings->cpu_count = libbpf_num_possible_cpus();
	memcpy(settings->tunnel_source_ipv4, load->tunnel_source_ipv4.word, 16);
	memcpy(settings->tunnel_source_ipv6, load->tunnel_source_ipv6.word, 16);
	settings->tunnel_source_ipv4_vary = load->tunnel_source_ipv4_vary;
	settings->tunnel_source_ipv6_vary = load->tunnel_source_ipv6_vary;
	return CLI_OK;
}

/* Maps, program and settings from nothing. */
static int load_fresh(const struct cli *cli, const struct config *config)
{
	struct settings settings;
	struct text_error error;
	struct maps maps;

	if (make_settings(config, &settings))
		return CLI_FAILED;
	if (object_load_lb(cli->pin_dir, &settings, &error))
		return cli_fail("%s", error.what);
	if (maps_open_new(cli->pin_dir, &maps, &error))
		return cli_fail("%s", error.what);
	apply_settings(&maps, &settings);
	maps_close(&maps);
	return CLI_OK;
}

static struct bpf_object *open_object(void *context)
{
	const struct session *session = context;

	return object_open_lb(session->pin_dir, session->maps.settings);
}

/* Put the new program where the old one runs, without a packet lost. */
static int replace_attached(const struct cli *cli, struct session *session)
{
	struct attachment *list;
	struct attach_result result;
	struct text_error error;
	size_t count, i;
	int status = CLI_OK;

	if (attach_list(cli->pin_dir, &list, &count, &error))
		return cli_fail("%s", error.what);
	for (i = 0; i < count; i++) {
		struct attach_request request = {
			.pin_dir = cli->pin_dir,
			.device = list[i].device,
			.role = ATTACH_LB,
			.mode = list[i].mode,
			.alone = list[i].way != ATTACH_BY_DISPATCHER,
			.open_object = open_object,
			.context = session,
		};

		if (list[i].role == ATTACH_LB && attach_program(&request, &result, &error))
			status = cli_fail("%s", error.what);
	}
	free(list);
	return status;
}
