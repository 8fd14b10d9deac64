/* SPDX-License-Identifier: GPL-2.0-only */
#include "model.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../maps/slot.h"
#include "model_check.h"
#include "model_order.h"

/* One zeroed item more at @position. Returns the array, or NULL and leaves the old one as it is. */
static void *open_gap(void *items, size_t count, size_t position, size_t item_bytes)
{
	char *grown = reallocarray(items, count + 1, item_bytes);

	if (!grown)
		return NULL;
	memmove(grown + (position + 1) * item_bytes, grown + position * item_bytes,
		(count - position) * item_bytes);
	memset(grown + position * item_bytes, 0, item_bytes);
	return grown;
}

static void copy_text(char *to, size_t to_bytes, const char *from)
{
	snprintf(to, to_bytes, "%s", from);
}

static int out_of_memory(struct text_error *error)
{
	return text_refuse(error, -ENOMEM, NULL, "out of memory");
}

static struct model_service *known_service(const struct model *model, const char *name,
					   struct text_error *error)
{
	struct model_service *service = name ? model_service_find(model, name) : NULL;

	if (!service)
		text_refuse(error, -ENOENT, "name", "there is no service \"%.64s\"",
			    name ? name : "");
	return service;
}

static struct model_backend *known_backend(const struct model *model, const char *service_name,
					   const char *name, struct text_error *error)
{
	const struct model_service *service = known_service(model, service_name, error);
	struct model_backend *backend;

	if (!service)
		return NULL;
	backend = name ? model_backend_find(model, service->id, name) : NULL;
	if (!backend)
		text_refuse(error, -ENOENT, "name", "service \"%s\" has no backend \"%.64s\"",
			    service->name, name ? name : "");
	return backend;
}

/* 0: there is none. */
static __u16 free_service_id(const struct model *model)
{
	bool taken[UINT16_MAX + 1] = {false};

	for (size_t i = 0; i < model->service_count; i++)
		taken[model->services[i].id] = true;
	for (size_t i = 0; i < model->backend_count; i++)
		taken[model->backends[i].service] = true;
	for (__u16 id = 1; id < SERVICES_MAX; id++) {
		if (!taken[id])
			return id;
	}
	return 0;
}

static void take_options(struct model_service *service, const struct service_request *request)
{
	service->forward = request->forward;
	service->flags = request->local_count ? SERVICE_LOCAL_COUNT : 0;
	service->slot_count = request->slot_count;
	service->mss_bytes = request->mss_bytes;
	service->server_id_bytes = request->server_id_bytes;
	service->priority = request->priority;
	service->idle_ms = request->idle_ms;
	if (service->protocol == IPPROTO_UDP && !service->idle_ms)
		service->idle_ms = IDLE_S_DEFAULT * 1000;
}

int model_service_add(struct model *model, const struct service_request *request,
		      struct text_error *error)
{
	struct model_service *services, *service;
	size_t position = 0;
	__u16 id;
	int err = model_check_service(model, request, error);

	if (err)
		return err;
	id = free_service_id(model);
	if (!id)
		return text_refuse(error, -ENOSPC, NULL,
				   "no room for service \"%s\": all %d ids are taken, by %zu "
				   "services and by backends deleted less than %llu s ago",
				   request->name, SERVICES_MAX - 1, model->service_count,
				   BACKEND_GRACE_NS / 1000000000);

	while (position < model->service_count &&
	       strcmp(model->services[position].name, request->name) < 0)
		position++;
	services = open_gap(model->services, model->service_count, position, sizeof(*services));
	if (!services)
		return out_of_memory(error);
	model->services = services;
	model->service_count++;

	service = &services[position];
	service->id = id;
	copy_text(service->name, sizeof(service->name), request->name);
	service->vip = request->vip;
	service->port = request->port;
	service->protocol = request->protocol;
	take_options(service, request);
	return 0;
}

struct service_request model_service_request(const struct model_service *service)
{
	return (struct service_request){
		.name = service->name,
		.vip = service->vip,
		.port = service->port,
		.protocol = service->protocol,
		.forward = service->forward,
		.slot_count = service->slot_count,
		.local_count = service->flags & SERVICE_LOCAL_COUNT,
		.idle_ms = service->idle_ms,
		.mss_bytes = service->mss_bytes,
		.server_id_bytes = service->server_id_bytes,
		.priority = service->priority,
	};
}

int model_service_set(struct model *model, const struct service_request *request,
		      struct text_error *error)
{
	struct model_service *service = known_service(model, request->name, error);
	int err;

	if (!service)
		return -ENOENT;
	err = model_check_options(model, service, request, error);
	if (!err)
		take_options(service, request);
	return err;
}

/* table_weight stays: it tells the plan that the backend is still in the slots. */
static void mark_gone(struct model_backend *backend, __u64 now_ns)
{
	backend->state = BACKEND_GONE;
	backend->gone_until_ns = now_ns + BACKEND_GRACE_NS;
	backend->weight_milli = 0;
	backend->bias = 0;
	copy_text(backend->reason, sizeof(backend->reason), "deleted");
}

int model_service_del(struct model *model, const char *name, __u64 now_ns, struct text_error *error)
{
	struct model_service *service = known_service(model, name, error);
	size_t behind;

	if (!service)
		return -ENOENT;
	for (size_t i = 0; i < model->backend_count; i++) {
		struct model_backend *backend = &model->backends[i];

		if (backend->service == service->id && backend->state != BACKEND_GONE)
			mark_gone(backend, now_ns);
	}
	behind = model->services + model->service_count - (service + 1);
	memmove(service, service + 1, behind * sizeof(*service));
	model->service_count--;
	model_sort(model);
	return 0;
}

/* Ids are 1..this; CANDIDATE_NONE is no id. */
static __u32 backend_ids(const struct model *model)
{
	__u32 end = model->backends_max < CANDIDATE_NONE ? model->backends_max : CANDIDATE_NONE;

	return end ? end - 1 : 0;
}

/* 0: there is none. */
static __u16 free_backend_id(const struct model *model)
{
	__u32 ids = backend_ids(model);
	bool taken[UINT16_MAX + 1] = {false};
	__u32 highest = 0;

	for (size_t i = 0; i < model->backend_count; i++) {
		__u16 id = model->backends[i].id;

		taken[id] = true;
		if (id > highest)
			highest = id;
	}
	for (__u32 step = 0; step < ids; step++) {
		__u16 id = 1 + (highest + step) % ids;

		if (!taken[id])
			return id;
	}
	return 0;
}

static int backends_full(const struct model *model, const char *name, struct text_error *error)
{
	size_t gone = 0;

	for (size_t i = 0; i < model->backend_count; i++)
		gone += model->backends[i].state == BACKEND_GONE;
	return text_refuse(error, -ENOSPC, NULL,
			   "no room for backend \"%s\": all %u ids are taken, %zu of them by "
			   "backends deleted less than %llu s ago",
			   name, backend_ids(model), gone, BACKEND_GRACE_NS / 1000000000);
}

static void set_base_weight(struct model_backend *backend, __u16 base_weight)
{
	backend->base_weight = base_weight;
	backend->weight_milli = base_weight * 1000;
	copy_text(backend->reason, sizeof(backend->reason), "base weight");
}

int model_backend_add(struct model *model, const char *service_name,
		      const struct backend_request *request, struct text_error *error)
{
	const struct model_service *service = known_service(model, service_name, error);
	struct model_backend *backends, *backend;
	size_t position;
	__u16 id;
	int err;

	if (!service)
		return -ENOENT;
	err = model_check_backend(model, service, request, error);
	if (err)
		return err;
	id = free_backend_id(model);
	if (!id)
		return backends_full(model, request->name, error);

	position = model_backend_position(model, service->id, request->name);
	backends = open_gap(model->backends, model->backend_count, position, sizeof(*backends));
	if (!backends)
		return out_of_memory(error);
	model->backends = backends;
	model->backend_count++;

	backend = &backends[position];
	backend->id = id;
	backend->service = service->id;
	copy_text(backend->name, sizeof(backend->name), request->name);
	copy_text(backend->node, sizeof(backend->node),
		  request->node ? request->node : request->name);
	copy_text(backend->region, sizeof(backend->region), request->region ? request->region : "");
	backend->address = request->address;
	backend->port = request->port;
	backend->state = request->state;
	backend->server_id = request->server_id;
	set_base_weight(backend, request->base_weight);
	return 0;
}

int model_backend_del(struct model *model, const char *service, const char *name, __u64 now_ns,
		      struct text_error *error)
{
	struct model_backend *backend = known_backend(model, service, name, error);

	if (!backend)
		return -ENOENT;
	mark_gone(backend, now_ns);
	model_sort(model);
	return 0;
}

int model_backend_set(struct model *model, const char *service, const char *name,
		      const __u16 *base_weight, const enum backend_state *state,
		      struct text_error *error)
{
	struct model_backend *backend = known_backend(model, service, name, error);
	int err;

	if (!backend)
		return -ENOENT;
	if (state) {
		err = model_check_state(*state, error);
		if (err)
			return err;
		backend->state = *state;
	}
	if (base_weight) {
		backend->base_changed |= *base_weight != backend->base_weight;
		set_base_weight(backend, *base_weight);
	}
	return 0;
}

int model_backend_set_server_id(struct model *model, const char *service_name, const char *name,
				const struct quic_server_id *server_id, struct text_error *error)
{
	struct model_backend *backend = known_backend(model, service_name, name, error);
	int err;

	if (!backend)
		return -ENOENT;
	err = model_check_server_id(model, model_service_by_id(model, backend->service), backend,
				    server_id, error);
	if (!err)
		backend->server_id = *server_id;
	return err;
}
