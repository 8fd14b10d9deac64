/* SPDX-License-Identifier: GPL-2.0-only */
/* sluice agent */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <systemd/sd-daemon.h>

#include "../core/report_json.h"
#include "../core/report_number.h"
#include "../io/application_file.h"
#include "../io/clock.h"
#include "../io/log.h"
#include "../io/proc.h"
#include "../io/report_sender.h"
#include "agent_measure.h"
#include "cli.h"
#include "config_file.h"
#include "output.h"

#define OPTION_ONCE 1

struct agent {
	struct config config;
	bool print; /* every report, as JSON */
	struct node_reading before;
	struct application_file application;
	struct agent_measure *measure; /* NULL: nothing is measured */
	struct report_sender *sender;
};

/* The host's name stands where the configuration has none. */
static int find_node(struct config_agent *config)
{
	char name[256];

	if (*config->node)
		return CLI_OK;
	if (gethostname(name, sizeof(name)) || !model_node_valid(name))
		return cli_fail("the host's name is no name of a node (1 to %d bytes): give it one "
				"with agent: node",
				NAME_BYTES - 1);
	strcpy(config->node, name);
	return CLI_OK;
}

/* What happened since the last call, or since agent_open(). NULL: no memory. */
static json_t *make_report(struct agent *agent)
{
	const struct config *config = &agent->config;
	struct report report = {.fields = REPORT_LAST_SEEN, .last_seen_ms = clock_wall_ms()};
	json_t *services = json_array(), *root;
	struct node_reading now;

	strcpy(report.node, config->agent.node);
	strcpy(report.region, config->region);
	report.fields |= *report.region ? REPORT_REGION : 0;
	if (config->agent.workers)
		report_measured(&report, REPORT_WORKERS, config->agent.workers);
	proc_read(config->agent.cgroup, &now);
	node_load_report(&agent->before, &now, &report);
	agent->before = now;
	if (agent->measure)
		agent_measure_read(agent->measure, &report, services);
	if (*agent->application.path)
		application_merge(application_file_read(&agent->application), &report);

	root = report_json(&report);
	if (json_array_size(services))
		json_object_set(root, "services", services);
	json_decref(services);
	return root;
}

static void agent_close(struct agent *agent)
{
	report_sender_close(agent->sender);
	agent_measure_close(agent->measure);
	config_free(&agent->config);
}

/* Returns CLI_OK with @agent to be closed, or CLI_FAILED after the user has been told. */
static int agent_open(struct agent *agent, const char *path, bool once)
{
	struct config_agent *config = &agent->config.agent;
	struct text_error error = {};
	int status = CLI_OK;

	if (path)
		status = config_file_read(path, &agent->config);
	else
		config_default(&agent->config);
	if (status)
		return status;
	status = find_node(config);
	if (status)
		goto fail;
	agent->application.path = config->application_file;
	agent->application.max_age_ms = config->application_max_age_ms;
	if (agent_measure_open(&agent->config, once, &agent->measure, &error)) {
		status = once ? CLI_OK : cli_fail("%s", error.what);
		if (status)
			goto fail;
		cli_warn("nothing is measured: %s", error.what);
	}
	if (!once) {
		agent->sender = report_sender_open(config, &error);
		if (!agent->sender) {
			status = cli_fail("%s", error.what);
			goto fail;
		}
	}
	proc_read(config->cgroup, &agent->before);
	return CLI_OK;
fail:
	agent_close(agent);
	return status;
}

/* What none of the rows knows is no column. */
static void print_rows(json_t *rows, const struct column *columns, size_t count)
{
	json_t *row;
	size_t i, c;

	json_array_foreach(rows, i, row)
	{
		for (c = 0; c < count; c++) {
			if (!json_object_get(row, columns[c].key))
				json_object_set_new(row, columns[c].key, json_null());
		}
	}
	output_table(rows, columns, count, "");
}

static void print_report(json_t *root)
{
	static const struct column columns[] = {
		{"node_id", "NODE", NULL, 0},
		{"region", "REGION", NULL, 0},
		{"service", "SERVICE", NULL, 0},
		{"cpu_percent", "CPU", "%", 1},
		{"mem_percent", "MEM", "%", 1},
		{"load", "LOAD", NULL, 2},
		{"application_utilization", "UTILIZATION", NULL, 2},
		{"rps", "RPS", NULL, 1},
		{"inflight", "INFLIGHT", NULL, 1},
		{"retransmit_percent", "RETRANSMIT", "%", 2},
		{"rtt_ms", "RTT", " ms", 2},
		{"latency_ms", "LATENCY", " ms", 1},
		{"p50_ms", "P50", " ms", 1},
		{"p95_ms", "P95", " ms", 1},
		{"p99_ms", "P99", " ms", 1},
	};
	json_t *services = json_object_get(root, "services");
	json_t *node = json_pack("[O]", root);

	print_rows(node, columns, sizeof(columns) / sizeof(columns[0]));
	json_decref(node);
	if (services) {
		putchar('\n');
		print_rows(services, columns, sizeof(columns) / sizeof(columns[0]));
	}
}

static int show_once(struct agent *agent)
{
	unsigned int wait_ms = agent->config.agent.interval_ms;
	struct timespec wait = {wait_ms / 1000, wait_ms % 1000 * 1000000L};
	json_t *root;

	nanosleep(&wait, NULL);
	root = make_report(agent);
	if (!root)
		return cli_fail("out of memory");
	if (agent->print) {
		output_json(root);
	} else {
		print_report(root);
		json_decref(root);
	}
	return CLI_OK;
}

static void on_interval(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;
	json_t *root = make_report(agent);
	char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(10));

	(void)fd;
	(void)what;
	if (text) {
		report_sender_send(agent->sender, text, strlen(text));
		if (agent->print) {
			puts(text);
			fflush(stdout);
		}
	} else {
		log_say(LOG_WARNING, "a report was left out: out of memory");
	}
	free(text);
	json_decref(root);
}

static void on_signal(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(context);
}

static int report_for_ever(struct agent *agent)
{
	unsigned int wait_ms = agent->config.agent.interval_ms;
	const struct timeval interval = {wait_ms / 1000, wait_ms % 1000 * 1000};
	static const int signals[] = {SIGTERM, SIGINT};
	struct event_base *base = event_base_new();
	struct event *events[3] = {NULL};
	int status = CLI_OK;

	if (base) {
		events[0] = event_new(base, -1, EV_PERSIST, on_interval, agent);
		events[1] = evsignal_new(base, signals[0], on_signal, base);
		events[2] = evsignal_new(base, signals[1], on_signal, base);
	}
	for (size_t i = 0; i < 3 && !status; i++) {
		if (!events[i] || event_add(events[i], i ? NULL : &interval))
			status = cli_fail("cannot wait for events: out of memory");
	}
	if (!status) {
		log_say(LOG_INFO, "%s reports every %u ms to %zu balancers",
			agent->config.agent.node, wait_ms, agent->config.agent.balancer_count);
		sd_notify(0, "READY=1");
		event_base_dispatch(base);
		sd_notify(0, "STOPPING=1");
	}
	for (size_t i = 0; i < 3; i++) {
		if (events[i])
			event_free(events[i]);
	}
	if (base)
		event_base_free(base);
	return status;
}

static int run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"once", no_argument, NULL, OPTION_ONCE},
		{},
	};
	struct agent agent = {.print = cli->json};
	const char *path = NULL;
	bool once = false;
	int option, status;

	while ((option = cli_option(cli, argc, argv, options)) != -1) {
		if (option == 'c')
			path = optarg;
		else if (option == OPTION_ONCE)
			once = true;
		else
			return CLI_USAGE;
	}
	if (optind != argc)
		return cli_usage(cli, "unexpected '%s'", argv[optind]);
	if (!path && !once)
		return cli_usage(cli, "--config is needed");
	status = agent_open(&agent, path, once);
	if (status)
		return status;
	if (once)
		status = show_once(&agent);
	else if (agent.config.agent.balancer_count || agent.print)
		status = report_for_ever(&agent);
	else
		status = cli_fail("%s: agent: balancers: there is none to report to", path);
	agent_close(&agent);
	return status;
}

const struct command agent_commands[] = {
	{"agent", NULL, "--config FILE [--once]",
	 "report this node's load to balancers, or show it once", run},
	{},
};
