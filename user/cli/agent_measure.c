/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent_measure.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../core/measure_report.h"
#include "../core/report_json.h"
#include "../io/clock.h"
#include "../io/log.h"
#include "../kernel/measure.h"

struct agent_measure {
	const struct config *config;
	enum measure_hook hook;
	struct measure *measure;
	int64_t read_ns;
	struct measure_counters before[AGENT_SERVICES_MAX];
	bool known[AGENT_SERVICES_MAX]; /* whether before was read */
	struct log_limit attach_failed;
};

static int set_services(struct agent_measure *agent, struct text_error *error)
{
	const struct model *model = &agent->config->model;
	struct measure_service services[AGENT_SERVICES_MAX];

	if (model->service_count > AGENT_SERVICES_MAX)
		return text_refuse(error, -E2BIG, NULL,
				   "got %zu services to measure, expected at most %d",
				   model->service_count, AGENT_SERVICES_MAX);
	for (size_t i = 0; i < model->service_count; i++) {
		services[i] = (struct measure_service){
			.vip = model->services[i].vip,
			.port = model->services[i].port,
			.protocol = model->services[i].protocol,
			.index = i,
		};
	}
	return measure_set_services(agent->measure, services, model->service_count, error);
}

int agent_measure_open(const struct config *config, bool beside, struct agent_measure **measure,
		       struct text_error *error)
{
	struct report unused = {0};
	struct agent_measure *agent;
	int err;

	*measure = NULL;
	if (!config->agent.device_count)
		return 0;
	agent = calloc(1, sizeof(*agent));
	if (!agent)
		return text_refuse(error, -ENOMEM, NULL, "out of memory");
	agent->config = config;
	agent->hook = beside ? MEASURE_HOOK_TCX : MEASURE_HOOK_ANY;
	err = measure_open(MEASURE_FLOWS_DEFAULT, &agent->measure, error);
	if (!err)
		err = set_services(agent, error);
	for (size_t i = 0; i < config->agent.device_count && !err; i++)
		err = measure_attach(agent->measure, config->agent.devices[i], agent->hook, error);
	if (err) {
		agent_measure_close(agent);
		return err;
	}
	agent_measure_read(agent, &unused, NULL);
	*measure = agent;
	return 0;
}

void agent_measure_close(struct agent_measure *measure)
{
	if (!measure)
		return;
	measure_close(measure->measure);
	free(measure);
}

/* A device may go, and one of its name come; and others may take our programs off it. */
static void follow_devices(struct agent_measure *agent)
{
	struct text_error error;

	for (size_t i = 0; i < agent->config->agent.device_count; i++) {
		const char *device = agent->config->agent.devices[i];

		if (!measure_check(agent->measure, device))
			continue;
		if (!measure_detach(agent->measure, device))
			log_say(LOG_WARNING,
				"%s is not measured: it, or the programs on it, are gone", device);
		if (!if_nametoindex(device))
			continue;
		if (!measure_attach(agent->measure, device, agent->hook, &error))
			log_say(LOG_INFO, "%s is measured again", device);
		else
			log_limited(&agent->attach_failed, LOG_WARNING, "%s", error.what);
	}
}

static void report_service(const char *name, const struct measure_window *window,
			   uint64_t elapsed_ns, bool tcp, json_t *services)
{
	struct report report = {0};
	json_t *root;

	measure_report(window, elapsed_ns, tcp, &report);
	root = report_json_numbers(&report);
	json_object_set_new(root, "service", json_string(name));
	json_array_append_new(services, root);
}

void agent_measure_read(struct agent_measure *measure, struct report *report, json_t *services)
{
	const struct model *model = &measure->config->model;
	struct measure_counters now, all_before = {0}, all_now = {0};
	int64_t now_ns = clock_steady_ns();
	uint64_t elapsed_ns = now_ns - measure->read_ns;
	struct measure_window window;

	follow_devices(measure);
	for (size_t i = 0; i < model->service_count; i++) {
		const struct model_service *service = &model->services[i];
		bool tcp = service->protocol == IPPROTO_TCP;
		bool known = measure->known[i];

		measure->known[i] = !measure_read(measure->measure, i, &now);
		if (measure->known[i] && known) {
			measure_window(&measure->before[i], &now, elapsed_ns, &window);
			report_service(service->name, &window, elapsed_ns, tcp, services);
			if (tcp) {
				measure_add(&all_before, &measure->before[i]);
				measure_add(&all_now, &now);
			}
		}
		measure->before[i] = now;
	}
	measure_window(&all_before, &all_now, elapsed_ns, &window);
	measure_report(&window, elapsed_ns, measure->read_ns != 0, report);
	measure->read_ns = now_ns;
}
