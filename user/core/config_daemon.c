/* SPDX-License-Identifier: GPL-2.0-only */
#include "config_daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_text.h"
#include "loop_constants.h"

#define HOUR_MS   3600000
#define MINUTE_MS 60000

void config_daemon_default(struct config_daemon *daemon)
{
	*daemon = (struct config_daemon){
		.control = {.load = true, .publish_ms = 1000},
		.sources =
			{
				.clock_skew_ms = 10000,
				.pull_timeout_ms = 1000,
				.pull_port = 80,
				.pull_path = "/health?metrics=cpu,mem",
			},
		.health =
			{
				.interval_ms = 2000,
				.timeout_ms = 1000,
				.fall = 3,
				.rise = 2,
				.status_min = 200,
				.status_max = 399,
				.path = "/",
				.passive = true,
			},
		.policy = WEIGHT_ADAPTIVE,
		.slow_start_ms = LOOP_SLOW_START_DEFAULT_MS,
		.loop = loop_config_default(),
		.shed = shed_config_default(),
	};
}

void config_daemon_free(struct config_daemon *daemon)
{
	free(daemon->services);
	daemon->services = NULL;
	daemon->service_count = 0;
}

static void enter(struct reader *reader, const char *service, const char *part)
{
	snprintf(reader->place, sizeof(reader->place), "%s%s%s", service, *service ? "." : "",
		 part);
}

static bool read_endpoint(const struct reader *reader, const char *key, const char *text,
			  struct endpoint *endpoint)
{
	if (!text)
		return true;
	if (!address_parse_port(text, &endpoint->address, &endpoint->port) && endpoint->port)
		return true;
	return read_wrong(reader, key, text, "ADDRESS:PORT or [IPV6-ADDRESS]:PORT");
}

static bool read_control(struct reader *reader, const struct control_text *in,
			 struct config_control *control)
{
	if (!in)
		return true;
	enter(reader, "", "control");
	if (in->attach_count > CONFIG_DEVICES_MAX) {
		read_refuse_at(reader, "attach", "got more than 16 devices");
		return false;
	}
	for (unsigned int i = 0; i < in->attach_count; i++) {
		char key[24];

		snprintf(key, sizeof(key), "attach[%u]", i);
		if (!read_word(reader, key, in->attach[i], CONFIG_DEVICE_BYTES,
			       control->devices[i]))
			return false;
	}
	control->device_count = in->attach_count;
	return read_bool(reader, "load", in->load, &control->load) &&
	       read_count(reader, "publish_ms", in->publish_ms, 50, MINUTE_MS,
			  &control->publish_ms);
}

static bool read_unix(const struct reader *reader, const char *text, char *path)
{
	return text && !strcmp(text, "off") ? read_word(reader, "unix", text, 4, path)
					    : read_path(reader, "unix", text, path);
}

static bool read_pull(const struct reader *reader, const struct sources_text *in,
		      struct config_sources *sources)
{
	if (in->pull_ms && !strcmp(in->pull_ms, "0"))
		sources->pull_ms = 0;
	else if (!read_count(reader, "pull_ms", in->pull_ms, 100, HOUR_MS, &sources->pull_ms))
		return false;
	return read_count(reader, "pull_timeout_ms", in->pull_timeout_ms, 10, MINUTE_MS,
			  &sources->pull_timeout_ms) &&
	       read_count(reader, "pull_port", in->pull_port, 1, 65535, &sources->pull_port) &&
	       read_path(reader, "pull_path", in->pull_path, sources->pull_path);
}

static bool read_sources(struct reader *reader, const struct sources_text *in,
			 struct config_sources *sources)
{
	if (!in)
		return true;
	enter(reader, "", "sources");
	if (!read_endpoint(reader, "udp", in->udp, &sources->udp) ||
	    !read_endpoint(reader, "http", in->http, &sources->http) ||
	    !read_path(reader, "key_file", in->key_file, sources->key_file) ||
	    !read_path(reader, "http_key_file", in->http_key_file, sources->http_key_file) ||
	    !read_count(reader, "clock_skew_ms", in->clock_skew_ms, 100, HOUR_MS,
			&sources->clock_skew_ms) ||
	    !read_unix(reader, in->unix_path, sources->unix_path) ||
	    !read_path(reader, "file", in->file, sources->file) || !read_pull(reader, in, sources))
		return false;
	if (sources->udp.port && !*sources->key_file) {
		read_refuse_at(reader, "udp", "wants a key_file: datagrams come from anywhere");
		return false;
	}
	return true;
}

static bool read_check(const struct reader *reader, const char *text, enum config_check *check)
{
	static const char *const names[] = {
		[CHECK_NONE] = "none",
		[CHECK_TCP] = "tcp",
		[CHECK_HTTP] = "http",
		[CHECK_HTTPS] = "https",
	};

	if (!text)
		return true;
	for (*check = CHECK_NONE; *check <= CHECK_HTTPS; (*check)++) {
		if (!strcmp(text, names[*check]))
			return true;
	}
	return read_wrong(reader, "check", text, "tcp, http, https or none");
}

/* "200", or "200-399". */
static bool read_status(const struct reader *reader, const char *text, struct config_health *health)
{
	unsigned int min, max;
	char dash, end;
	int found;

	if (!text)
		return true;
	found = sscanf(text, "%3u%c%3u%c", &min, &dash, &max, &end);
	if (found == 1)
		max = min;
	if ((found == 1 || (found == 3 && dash == '-')) && min >= 100 && min <= max && max <= 599) {
		health->status_min = min;
		health->status_max = max;
		return true;
	}
	return read_wrong(reader, "status", text, "a status from 100 to 599, or 200-399");
}

static bool read_health(const struct reader *reader, const struct health_text *in,
			struct config_health *health)
{
	return read_check(reader, in->check, &health->check) &&
	       read_count(reader, "interval_ms", in->interval_ms, 50, HOUR_MS,
			  &health->interval_ms) &&
	       read_count(reader, "timeout_ms", in->timeout_ms, 10, MINUTE_MS,
			  &health->timeout_ms) &&
	       read_count(reader, "fall", in->fall, 1, 100, &health->fall) &&
	       read_count(reader, "rise", in->rise, 1, 100, &health->rise) &&
	       read_count(reader, "port", in->port, 0, 65535, &health->port) &&
	       read_path(reader, "path", in->path, health->path) &&
	       read_word(reader, "host", in->host, CONFIG_PATH_BYTES, health->host) &&
	       read_status(reader, in->status, health) &&
	       read_bool(reader, "verify", in->verify, &health->verify) &&
	       read_bool(reader, "passive", in->passive, &health->passive);
}

static bool read_policy(const struct reader *reader, const char *text, enum weight_policy *policy)
{
	return !text || !weight_policy_parse(text, policy) ||
	       read_wrong(reader, "policy", text, "adaptive, decay, edge, probe or score");
}

static bool read_weights(struct reader *reader, const struct weights_text *in,
			 struct config_daemon *daemon)
{
	struct text_error refusal;
	const char *wrong;
	char key[32];

	enter(reader, "", "weights");
	for (unsigned int i = 0; i < in->constants_count; i++) {
		int err = shed_constant_set(&daemon->shed, in->constants[i], &refusal);

		if (err == -ENOENT)
			err = loop_constant_set(&daemon->loop, in->constants[i], &refusal);
		if (!err)
			continue;
		snprintf(key, sizeof(key), "constants[%u]", i);
		read_refuse_at(reader, key, refusal.what);
		return false;
	}
	wrong = shed_config_wrong(&daemon->shed);
	if (wrong) {
		read_refuse_at(reader, "constants", wrong);
		return false;
	}
	return read_policy(reader, in->policy, &daemon->policy) &&
	       read_count(reader, "slow_start_ms", in->slow_start_ms, 0, HOUR_MS,
			  &daemon->slow_start_ms);
}

static bool read_for_all(struct reader *reader, const struct config_text *in,
			 struct config_daemon *daemon)
{
	if (!read_control(reader, in->control, &daemon->control) ||
	    !read_sources(reader, in->sources, &daemon->sources))
		return false;
	enter(reader, "", "health");
	if (in->health && !read_health(reader, in->health, &daemon->health))
		return false;
	daemon->loop.publish_interval_ms = daemon->control.publish_ms;
	return !in->weights || read_weights(reader, in->weights, daemon);
}

static bool read_service(struct reader *reader, const char *place, const struct service_text *in,
			 const struct config_daemon *daemon, struct config_service *service)
{
	*service = (struct config_service){.policy = daemon->policy, .health = daemon->health};
	snprintf(service->name, sizeof(service->name), "%s", in->name);
	snprintf(reader->place, sizeof(reader->place), "%s", place);
	if (!read_policy(reader, in->policy, &service->policy))
		return false;
	enter(reader, place, "health");
	return !in->health || read_health(reader, in->health, &service->health);
}

int config_daemon_read(struct reader *reader, const struct config_text *in,
		       struct config_daemon *daemon)
{
	char place[24];

	if (!read_for_all(reader, in, daemon))
		return -EINVAL;
	daemon->services = calloc(in->services_count + 1, sizeof(*daemon->services));
	if (!daemon->services)
		return -ENOMEM;
	for (unsigned int i = 0; i < in->services_count; i++) {
		snprintf(place, sizeof(place), "services[%u]", i);
		if (!read_service(reader, place, &in->services[i], daemon, &daemon->services[i])) {
			config_daemon_free(daemon);
			return -EINVAL;
		}
		daemon->service_count++;
	}
	return 0;
}

static const struct config_service *service_of(const struct config_daemon *daemon, const char *name)
{
	for (size_t i = 0; i < daemon->service_count; i++) {
		if (!strcmp(daemon->services[i].name, name))
			return &daemon->services[i];
	}
	return NULL;
}

const struct config_health *config_health_of(const struct config_daemon *daemon,
					     const char *service)
{
	const struct config_service *own = service_of(daemon, service);

	return own ? &own->health : &daemon->health;
}

enum weight_policy config_policy_of(const struct config_daemon *daemon, const char *service)
{
	const struct config_service *own = service_of(daemon, service);

	return own ? own->policy : daemon->policy;
}
