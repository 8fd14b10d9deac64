/* SPDX-License-Identifier: GPL-2.0-only */
#include "reconcile.h"

#include <string.h>

static bool same_service(const struct model_service *a, const struct model_service *b)
{
	return address_equal(&a->vip, &b->vip) && a->port == b->port && a->protocol == b->protocol;
}

static bool same_backend(const struct model_backend *a, const struct model_backend *b)
{
	return address_equal(&a->address, &b->address) && a->port == b->port;
}

static int drop_services(struct model *model, const struct model *wanted, __u64 now_ns,
			 struct text_error *error)
{
	size_t i = 0;
	int err = 0;

	while (i < model->service_count && !err) {
		const struct model_service *service = &model->services[i];
		const struct model_service *kept = model_service_find(wanted, service->name);

		if (kept && same_service(service, kept))
			i++;
		else
			err = model_service_del(model, service->name, now_ns, error);
	}
	return err;
}

/* A deleted one goes behind the live ones, which keep their order: the next has its place. */
static int drop_backends(struct model *model, const struct model *wanted, __u64 now_ns,
			 struct text_error *error)
{
	size_t i = 0;
	int err = 0;

	while (i < model->backend_count && !err) {
		const struct model_backend *backend = &model->backends[i];
		const struct model_service *service, *wanted_service;
		const struct model_backend *kept;

		if (backend->state == BACKEND_GONE)
			break;
		service = model_service_by_id(model, backend->service);
		wanted_service = model_service_find(wanted, service->name);
		kept = model_backend_find(wanted, wanted_service->id, backend->name);
		if (kept && same_backend(backend, kept))
			i++;
		else
			err = model_backend_del(model, service->name, backend->name, now_ns, error);
	}
	return err;
}

static int take_service(struct model *model, const struct model_service *from,
			struct text_error *error)
{
	struct service_request request = model_service_request(from);

	if (model_service_find(model, from->name))
		return model_service_set(model, &request, error);
	return model_service_add(model, &request, error);
}

/*
 * Take away the server ids that do not stay, so that those that come find theirs free and of the
 * length that their service has by then.
 */
static void drop_server_ids(struct model *model, const struct model *wanted)
{
	for (size_t i = 0; i < model->backend_count; i++) {
		struct model_backend *backend = &model->backends[i];
		const struct model_service *service, *wanted_service;
		const struct model_backend *kept;

		if (backend->state == BACKEND_GONE)
			break;
		service = model_service_by_id(model, backend->service);
		wanted_service = model_service_find(wanted, service->name);
		kept = model_backend_find(wanted, wanted_service->id, backend->name);
		if (!server_id_equal(&backend->server_id, &kept->server_id))
			backend->server_id = (struct quic_server_id){};
	}
}

static int take_backend(struct model *model, const struct model_service *from_service,
			const struct model_backend *from, struct text_error *error)
{
	const struct model_service *service = model_service_find(model, from_service->name);
	struct model_backend *backend = model_backend_find(model, service->id, from->name);
	struct backend_request request = {
		.name = from->name,
		.address = from->address,
		.port = from->port,
		.node = from->node,
		.region = from->region,
		.base_weight = from->base_weight,
		.state = from->state,
		.server_id = from->server_id,
	};
	int err;

	if (!backend)
		return model_backend_add(model, service->name, &request, error);
	memcpy(backend->node, from->node, sizeof(backend->node));
	memcpy(backend->region, from->region, sizeof(backend->region));
	err = model_backend_set_server_id(model, service->name, from->name, &from->server_id,
					  error);
	if (err)
		return err;
	return model_backend_set(model, service->name, from->name,
				 backend->base_weight != from->base_weight ? &from->base_weight
									   : NULL,
				 &from->state, error);
}

int reconcile(struct model *model, const struct model *wanted, __u64 now_ns,
	      struct text_error *error)
{
	size_t i;
	int err = drop_services(model, wanted, now_ns, error);

	if (!err)
		err = drop_backends(model, wanted, now_ns, error);
	if (!err)
		drop_server_ids(model, wanted);
	for (i = 0; i < wanted->service_count && !err; i++)
		err = take_service(model, &wanted->services[i], error);
	for (i = 0; i < wanted->backend_count && !err; i++) {
		const struct model_backend *backend = &wanted->backends[i];

		if (backend->state == BACKEND_GONE)
			break; /* so are all behind it */
		err = take_backend(model, model_service_by_id(wanted, backend->service), backend,
				   error);
	}
	return err;
}
