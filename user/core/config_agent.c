/* SPDX-License-Identifier: GPL-2.0-only */
#include "config_agent.h"

#include <stdio.h>
#include <string.h>

#include "config_text.h"
#include "model.h"

void config_agent_default(struct config_agent *agent)
{
	*agent = (struct config_agent){
		.interval_ms = 2000,
		.application_max_age_ms = 10000,
		.cgroup = "/sys/fs/cgroup",
	};
}

static bool read_node(const struct reader *reader, const char *text, char *node)
{
	if (text && !model_node_valid(text))
		return read_wrong(reader, "node", text, "1 to 63 bytes, no control characters");
	return read_word(reader, "node", text, NAME_BYTES, node);
}

static bool read_balancer(const struct reader *reader, const char *key, const char *text,
			  struct config_balancer *balancer)
{
	if (*text == '/')
		return read_word(reader, key, text, sizeof(balancer->path), balancer->path);
	if (!address_parse_port(text, &balancer->udp.address, &balancer->udp.port) &&
	    balancer->udp.port)
		return true;
	return read_wrong(reader, key, text,
			  "ADDRESS:PORT, [IPV6-ADDRESS]:PORT or the path of a unix socket");
}

static bool read_balancers(const struct reader *reader, const struct agent_text *in,
			   struct config_agent *agent)
{
	bool udp = false;
	char key[24];

	if (in->balancers_count > CONFIG_BALANCERS_MAX) {
		read_refuse_at(reader, "balancers", "got more than 16");
		return false;
	}
	for (unsigned int i = 0; i < in->balancers_count; i++) {
		snprintf(key, sizeof(key), "balancers[%u]", i);
		if (!read_balancer(reader, key, in->balancers[i], &agent->balancers[i]))
			return false;
		udp |= agent->balancers[i].udp.port != 0;
	}
	agent->balancer_count = in->balancers_count;
	if (udp && !*agent->key_file) {
		read_refuse_at(reader, "balancers", "UDP wants a key_file");
		return false;
	}
	return true;
}

static bool read_devices(const struct reader *reader, const struct agent_text *in,
			 struct config_agent *agent)
{
	char key[24];

	if (in->measure_count > CONFIG_DEVICES_MAX) {
		read_refuse_at(reader, "measure", "got more than 16 devices");
		return false;
	}
	for (unsigned int i = 0; i < in->measure_count; i++) {
		snprintf(key, sizeof(key), "measure[%u]", i);
		if (!read_word(reader, key, in->measure[i], CONFIG_DEVICE_BYTES, agent->devices[i]))
			return false;
	}
	agent->device_count = in->measure_count;
	return true;
}

bool config_agent_read(struct reader *reader, const struct config_text *text,
		       struct config_agent *agent)
{
	const struct agent_text *in = text->agent;

	if (!in)
		return true;
	snprintf(reader->place, sizeof(reader->place), "agent");
	return read_node(reader, in->node, agent->node) &&
	       read_count(reader, "interval_ms", in->interval_ms, 100, 60000,
			  &agent->interval_ms) &&
	       read_path(reader, "key_file", in->key_file, agent->key_file) &&
	       read_balancers(reader, in, agent) && read_devices(reader, in, agent) &&
	       read_count(reader, "workers", in->workers, 1, 1000000, &agent->workers) &&
	       read_path(reader, "application_file", in->application_file,
			 agent->application_file) &&
	       read_count(reader, "application_max_age_ms", in->application_max_age_ms, 100,
			  3600000, &agent->application_max_age_ms) &&
	       read_path(reader, "cgroup", in->cgroup, agent->cgroup);
}
