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

/* What was asked for on the command line. */
struct agent_request {
	const char *path; /* of the configuration; NULL: none */
	bool once;
	bool print;
};

/* The host's name stands where the configuration has none. */
static int find_node(struct config_agent *config, struct text_error *error)
{
	char name[256];

	if (*config->node)
		return 0;
	if (gethostname(name, sizeof(name)) || !model_node_valid(name))
		return text_refuse(error, -EINVAL, NULL,
				   "the host's name is no name of a node (1 to %d bytes): give it "
				   "one with agent: node",
				   NAME_BYTES - 1);
	strcpy(config->node, name);
	return 0;
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
	if (!agent)
		return;
	report_sender_close(agent->sender);
	agent_measure_close(agent->measure);
	config_free(&agent->config);
	free(agent);
}

/* What --once shows is worth showing also where nothing can be measured. */
static int open_measure(struct agent *agent, const struct agent_request *request,
			struct text_error *error)
{
	int err = agent_measure_open(&agent->config, request->once, &agent->measure, error);

	if (!err || !request->once)
		return err;
	cli_warn("nothing is measured: %s", error->what);
	return 0;
}

static int open_sender(struct agent *agent, const struct agent_request *request,
		       struct text_error *error)
{
	if (request->once)
		return 0;
	agent->sender = report_sender_open(&agent->config.agent, error);
	if (!agent->sender)
		return -EIO;
	if (agent->config.agent.balancer_count || agent->print)
		return 0;
	return text_refuse(error, -EINVAL, NULL, "%s: agent: balancers: there is none to report to",
			   request->path);
}

/* NULL with a sentence in @error. */
static struct agent *agent_open(const struct agent_request *request, struct text_error *error)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	struct config_agent *config;
	int err;

	if (!agent) {
		text_refuse(error, -ENOMEM, NULL, "out of memory");
		return NULL;
	}
	agent->print = request->print;
	if (!request->path) {
		config_default(&agent->config);
	} else if (config_file_load(request->path, &agent->config, error)) {
		free(agent);
		return NULL;
	}
	config = &agent->config.agent;
	agent->application.path = config->application_file;
	agent->application.max_age_ms = config->application_max_age_ms;
	err = find_node(config, error);
	if (!err)
		err = open_sender(agent, request, error);
	/* Last: where the kernel has no TCX, its filters take the place of those before. */
	if (!err)
		err = open_measure(agent, request, error);
	if (err) {
		agent_close(agent);
		return NULL;
	}
	proc_read(config->cgroup, &agent->before);
	return agent;
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

static void send_report(struct agent *agent)
{
	json_t *root = make_report(agent);
	char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(10));

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

enum { SIGNALS = 3 };

/* An agent for ever: another one stands in its place after each reload. */
struct standing {
	const struct agent_request *request;
	struct agent *agent;
	struct event_base *base;
	struct event *timer;
	struct event *signals[SIGNALS];
};

static void on_interval(evutil_socket_t fd, short what, void *context)
{
	struct standing *standing = context;

	(void)fd;
	(void)what;
	send_report(standing->agent);
}

static int start_timer(struct standing *standing)
{
	unsigned int wait_ms = standing->agent->config.agent.interval_ms;
	const struct timeval interval = {wait_ms / 1000, wait_ms % 1000 * 1000};

	return event_add(standing->timer, &interval);
}

static void say_what_it_does(const struct agent *agent, const char *when)
{
	const struct config_agent *config = &agent->config.agent;

	log_say(LOG_INFO, "%s%s reports every %u ms to %zu balancers", when, config->node,
		config->interval_ms, config->balancer_count);
}

/* As a whole or not at all: the old one goes when the new one is all there. */
static void reload(struct standing *standing)
{
	struct text_error error = {};
	struct agent *next;

	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_steady_ns() / 1000);
	next = agent_open(standing->request, &error);
	if (!next) {
		log_say(LOG_ERROR, "reload: %s; what was in force stays", error.what);
	} else {
		agent_close(standing->agent);
		standing->agent = next;
		start_timer(standing);
		say_what_it_does(next, "reload: ");
	}
	sd_notify(0, "READY=1");
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
	struct standing *standing = context;

	(void)what;
	if (number == SIGHUP)
		reload(standing);
	else
		event_base_loopbreak(standing->base);
}

static int start_events(struct standing *standing)
{
	static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};

	standing->base = event_base_new();
	if (!standing->base)
		return -ENOMEM;
	for (size_t i = 0; i < SIGNALS; i++) {
		standing->signals[i] =
			evsignal_new(standing->base, numbers[i], on_signal, standing);
		if (!standing->signals[i] || event_add(standing->signals[i], NULL))
			return -ENOMEM;
	}
	standing->timer = event_new(standing->base, -1, EV_PERSIST, on_interval, standing);
	return standing->timer && !start_timer(standing) ? 0 : -ENOMEM;
}

static void stop_events(struct standing *standing)
{
	for (size_t i = 0; i < SIGNALS; i++) {
		if (standing->signals[i])
			event_free(standing->signals[i]);
	}
	if (standing->timer)
		event_free(standing->timer);
	if (standing->base)
		event_base_free(standing->base);
}

/* Lets go of @agent. */
static int report_for_ever(const struct agent_request *request, struct agent *agent)
{
	struct standing standing = {.request = request, .agent = agent};
	int status = CLI_OK;

	if (start_events(&standing)) {
		status = cli_fail("cannot wait for events: out of memory");
	} else {
		say_what_it_does(agent, "");
		sd_notify(0, "READY=1");
		event_base_dispatch(standing.base);
		sd_notify(0, "STOPPING=1");
	}
	stop_events(&standing);
	agent_close(standing.agent);
	return status;
}

static int run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"once", no_argument, NULL, OPTION_ONCE},
		{},
	};
	struct agent_request request = {.print = cli->json};
	struct text_error error = {};
	struct agent *agent;
	int option, status;

	while ((option = cli_option(cli, argc, argv, options)) != -1) {
		if (option == 'c')
			request.path = optarg;
		else if (option == OPTION_ONCE)
			request.once = true;
		else
			return CLI_USAGE;
	}
	if (optind != argc)
		return cli_usage(cli, "unexpected \"%s\"", argv[optind]);
	if (!request.path && !request.once)
		return cli_usage(cli, "--config is needed");
	agent = agent_open(&request, &error);
	if (!agent)
		return cli_fail("%s", error.what);
	if (!request.once)
		return report_for_ever(&request, agent);
	status = show_once(agent);
	agent_close(agent);
	return status;
}

const struct command agent_commands[] = {
	{"agent", NULL, "--config FILE [--once]",
	 "report this node's load to balancers, or show it once", run},
	{},
};
