/* SPDX-License-Identifier: GPL-2.0-only */
#include "session.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../core/plural.h"
#include "../io/next_hop.h"
#include "../kernel/apply.h"
#include "../kernel/object.h"
#include "../kernel/state.h"

/* How long neighbours may take to answer, all together. */
#define NEIGHBOUR_WAIT_MS 1500

/* Of so many backends of a configuration it is said what their ports are for. */
#define PORTS_NAMED 8

bool session_is_loaded(const struct cli *cli)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/control", cli->pin_dir);
	return !access(path, F_OK);
}

int session_open(const struct cli *cli, bool write, struct session *session)
{
	struct text_error error;
	int err;

	memset(session, 0, sizeof(*session));
	if (maps_open(cli->pin_dir, write, &session->maps, &error))
		return cli_fail("%s", error.what);
	err = state_read(&session->maps, &session->model);
	if (err)
		maps_close(&session->maps);
	if (err == -EBADMSG)
		return cli_fail("the maps at %s contradict each other; they go on forwarding, but only "
				"`sluice unload` and a new load mend them",
				cli->pin_dir);
	if (err)
		return cli_fail("out of memory");
	return CLI_OK;
}

void session_close(struct session *session)
{
	model_free(&session->model);
	maps_close(&session->maps);
}

static bool concerns(const struct model_backend *candidate, const struct model_service *service,
		     const struct model_backend *backend)
{
	if (candidate->state == BACKEND_GONE)
		return false;
	if (backend)
		return candidate == backend;
	return !service || candidate->service == service->id;
}

/* The state's name is for tables. */
static const char *why_unreachable(enum next_hop_state state)
{
	return state == NEXT_HOP_LOCAL ? "this machine's own address" : next_hop_state_name(state);
}

static void warn_unreachable(const struct model *model, const struct model_backend *backend)
{
	const struct model_service *service = model_service_by_id(model, backend->service);
	char text[ADDRESS_TEXT_BYTES];

	if (backend->next_hop.state != NEXT_HOP_RESOLVED)
		cli_warn("%s/%s at %s: %s; it takes no flows until `sluice backend resolve` "
			 "finds a way",
			 service->name, backend->name, address_format(&backend->address, text),
			 why_unreachable(backend->next_hop.state));
}

static bool has_other_port(const struct model *model, const struct model_backend *backend)
{
	__u16 port = backend->state == BACKEND_GONE
			     ? 0
			     : model_service_by_id(model, backend->service)->port;

	return port && backend->port && backend->port != port;
}

void session_warn_port(const struct model *model, const struct model_backend *backend)
{
	const struct model_service *service = model_service_by_id(model, backend->service);

	if (has_other_port(model, backend))
		cli_warn("%s/%s: packets arrive at the service's port %u; %u is for health checks "
			 "only",
			 service->name, backend->name, service->port, backend->port);
}

void session_warn_ports(const struct model *model)
{
	size_t count = 0;

	for (size_t i = 0; i < model->backend_count; i++) {
		if (has_other_port(model, &model->backends[i]) && count++ < PORTS_NAMED)
			session_warn_port(model, &model->backends[i]);
	}
	if (count > PORTS_NAMED)
		cli_warn("likewise %zu more backend%s", count - PORTS_NAMED,
			 plural(count - PORTS_NAMED));
}

int session_resolve(struct session *session, const struct model_service *service,
		    const struct model_backend *backend)
{
	struct model *model = &session->model;
	struct address *addresses = calloc(model->backend_count + 1, sizeof(*addresses));
	struct next_hop *hops = calloc(model->backend_count + 1, sizeof(*hops));
	struct next_hop_resolver *resolver = next_hop_open();
	size_t count = 0;
	size_t i;
	int err = -ENOMEM;

	if (!resolver)
		err = -errno;
	for (i = 0; addresses && i < model->backend_count; i++) {
		if (concerns(&model->backends[i], service, backend))
			addresses[count++] = model->backends[i].address;
	}
	if (resolver && addresses && hops)
		err = next_hop_resolve(resolver, addresses, count, NEIGHBOUR_WAIT_MS, hops);
	for (i = 0, count = 0; !err && i < model->backend_count; i++) {
		if (!concerns(&model->backends[i], service, backend))
			continue;
		model->backends[i].next_hop = hops[count++];
		warn_unreachable(model, &model->backends[i]);
	}
	if (resolver)
		next_hop_close(resolver);
	free(addresses);
	free(hops);
	if (err)
		return cli_fail("cannot ask the kernel for routes: %s", strerror(-err));
	return CLI_OK;
}

int session_publish(struct session *session)
{
	struct text_error error;

	if (apply(&session->maps, &session->model, &error))
		return cli_fail("%s", error.what);
	return CLI_OK;
}

struct model_service *session_service(struct session *session, const char *name)
{
	struct model_service *service = model_service_find(&session->model, name);

	if (!service)
		cli_fail("there is no service \"%s\"; `sluice service list` shows them", name);
	return service;
}

struct model_backend *session_backend(struct session *session, const struct model_service *service,
				      const char *name)
{
	struct model_backend *backend = model_backend_find(&session->model, service->id, name);

	if (!backend)
		cli_fail("service %s has no backend \"%s\"; `sluice backend list %s` shows them",
			 service->name, name, service->name);
	return backend;
}

struct bpf_object *session_open_object(void *context)
{
	const struct cli *cli = context;
	struct bpf_object *object;
	struct text_error error;
	struct maps maps;

	if (maps_open(cli->pin_dir, false, &maps, &error))
		return NULL;
	object = object_open_lb(cli->pin_dir, maps.settings);
	maps_close(&maps);
	return object;
}
