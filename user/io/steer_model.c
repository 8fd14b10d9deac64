/* SPDX-License-Identifier: GPL-2.0-only */
/* What a steer does with its model: make it say what is configured, tell others, check it. */
#include "steer_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../core/reconcile.h"
#include "../kernel/policy_state.h"
#include "../kernel/state.h"
#include "clock.h"
#include "next_hop.h"
#include "ssh_session.h"

static int check_fits(const struct steer *steer, const struct config *config,
		      struct text_error *error)
{
	const struct settings *settings = steer->maps.settings;
	const struct config_load *load = &config->load;

	if (settings->flow_main_sets != config_flow_sets(load->flows_per_cpu) ||
	    settings->backends_max != load->backends_max ||
	    settings->slots_max != load->slots_max || settings->seed != load->seed)
		return text_refuse(error, -EINVAL, "load",
				   "%s is loaded with other sizes or another seed than this "
				   "configuration's; `sluice unload` comes first, and ends its "
				   "flows",
				   steer->pin_dir);
	if (settings->icmp_rate != load->icmp_rate || ntohs(settings->gue_port) != load->gue_port)
		return text_refuse(error, -EINVAL, "load",
				   "%s is loaded with another gue_port or icmp_rate than this "
				   "configuration's; `sluice load --config FILE` takes them over",
				   steer->pin_dir);
	return 0;
}

/* One that was reachable is not taken for lost at once: that is what ways.h is for. */
static void take_hop(struct model_backend *backend, const struct next_hop *hop)
{
	if (backend->next_hop.state != NEXT_HOP_RESOLVED || hop->state != NEXT_HOP_NO_NEIGHBOUR)
		backend->next_hop = *hop;
}

static int resolve(struct steer *steer, unsigned int wait_ms)
{
	struct model *model = &steer->model;
	struct address *addresses = calloc(model->backend_count + 1, sizeof(*addresses));
	struct next_hop *hops = calloc(model->backend_count + 1, sizeof(*hops));
	struct next_hop_resolver *resolver = next_hop_open();
	int err = resolver ? -ENOMEM : -errno;
	size_t count = 0, i;

	/* The gone ones are behind the others. */
	while (addresses && count < model->backend_count &&
	       model->backends[count].state != BACKEND_GONE) {
		addresses[count] = model->backends[count].address;
		count++;
	}
	if (resolver && addresses && hops)
		err = next_hop_resolve(resolver, addresses, count, wait_ms, hops);
	for (i = 0; i < count && !err; i++)
		take_hop(&model->backends[i], &hops[i]);
	next_hop_close(resolver);
	free(addresses);
	free(hops);
	return err;
}

int steer_reconcile(struct steer *steer, const struct config *config, unsigned int wait_ms,
		    struct text_error *error)
{
	int err = check_fits(steer, config, error);

	if (!err)
		err = reconcile(&steer->model, &config->model, clock_steady_ns(), error);
	if (err)
		return err;
	err = resolve(steer, wait_ms);
	if (err)
		text_refuse(error, err, NULL, "cannot ask the kernel for routes: %s",
			    strerror(-err));
	return err;
}

int steer_reconcile_policy(struct steer *steer, struct config *config, struct policy **policy,
			   struct text_error *error)
{
	struct ssh_sessions sessions;
	struct policy current;
	int err;

	*policy = NULL;
	if (!config->has_policy)
		return 0;
	err = policy_state_read(&steer->maps, &current);
	if (err)
		return text_refuse(error, err, NULL, "cannot read the policy at %s: %s",
				   steer->pin_dir, strerror(-err));
	err = policy_take_ids(&config->policy, &current);
	if (err) {
		text_refuse(error, err, "policy", "there are not enough free ids for all rules");
	} else {
		ssh_sessions_find(&sessions, NULL);
		err = ssh_sessions_check(&sessions, &current, &config->policy, &steer->model,
					 error);
	}
	policy_free(&current);
	if (!err)
		*policy = &config->policy;
	return err;
}

static __u32 checks_of(const struct config_health *health, const struct model_service *service)
{
	const struct model_backend any = {.port = service->port};
	bool tcp = service->protocol == IPPROTO_TCP;
	__u32 passive = tcp && health->passive ? 1 << HEALTH_PASSIVE : 0;
	__u16 port;

	switch (checks_kind(health, service, &any, &port)) {
	case CHECK_TCP:
		return passive | 1 << HEALTH_TCP;
	case CHECK_HTTP:
	case CHECK_HTTPS:
		return passive | 1 << HEALTH_HTTP;
	default:
		return passive;
	}
}

static struct loop_service loop_service_of(const struct config_daemon *config,
					   const struct model_service *service)
{
	const struct config_health *health = config_health_of(config, service->name);
	struct loop_service result = {
		.id = service->id,
		.policy = config_policy_of(config, service->name),
		.slow_start_ms = config->slow_start_ms,
		.health = config->loop.health,
	};

	result.health.checks = checks_of(health, service);
	result.health.fall = health->fall;
	result.health.rise = health->rise;
	return result;
}

static struct loop_backend loop_backend_of(const struct model_backend *backend)
{
	return (struct loop_backend){
		.id = backend->id,
		.service = backend->service,
		.node = backend->node,
		.region = backend->region,
		.base_weight = backend->base_weight,
		.weight_milli = backend->weight_milli,
		.state = backend->state,
		.reachable = backend->next_hop.state == NEXT_HOP_RESOLVED,
	};
}

/* A loop that has just begun does not know who was down; the maps do. */
static void recall_failures(struct steer *steer, const struct loop_service *service)
{
	enum health_check check = HEALTH_TCP;

	while (check < HEALTH_PASSIVE && !(service->health.checks & 1u << check))
		check++;
	for (size_t i = 0; i < steer->model.backend_count; i++) {
		const struct model_backend *backend = &steer->model.backends[i];

		if (backend->service != service->id || !backend->failed ||
		    backend->state == BACKEND_GONE)
			continue;
		for (__u32 n = 0; n < service->health.fall; n++)
			loop_check(steer->loop, backend->id, check, false, clock_steady_ms());
	}
}

int steer_tell_loop(struct steer *steer)
{
	const struct model *model = &steer->model;
	struct loop_service *services = calloc(model->service_count + 1, sizeof(*services));
	struct loop_backend *backends = calloc(model->backend_count + 1, sizeof(*backends));
	const char *region =
		*steer->config->region ? steer->config->region : steer->maps.settings->region;
	size_t count = 0, i;
	int err = -ENOMEM;

	if (!services || !backends)
		goto out;
	for (i = 0; i < model->service_count; i++)
		services[i] = loop_service_of(&steer->config->daemon, &model->services[i]);
	for (i = 0; i < model->backend_count; i++) {
		if (model->backends[i].state != BACKEND_GONE)
			backends[count++] = loop_backend_of(&model->backends[i]);
	}
	err = loop_reload(steer->loop, &steer->config->daemon.loop, region, services,
			  model->service_count, backends, count, clock_steady_ms());
	for (i = 0; i < model->service_count && !err && !steer->told; i++)
		recall_failures(steer, &services[i]);
	steer->told |= !err;
out:
	free(services);
	free(backends);
	return err;
}

void steer_spread(struct steer *steer)
{
	int err = steer_tell_loop(steer);

	if (!err)
		err = checks_reload(steer->checks, &steer->config->daemon, &steer->model);
	if (err)
		log_limited(&steer->limit, LOG_ERROR, "cannot follow the new state: %s",
			    strerror(-err));
	steer->events.on_model(steer->events.context, &steer->model);
}
