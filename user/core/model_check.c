/* SPDX-License-Identifier: GPL-2.0-only */
#include "model_check.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static int check_name(const char *name, struct text_error *error)
{
	if (name && model_name_valid(name))
		return 0;
	return text_refuse(error, -EINVAL, "name",
			   "\"%.64s\" is no name: 1 to %d letters, digits and . _ - :, a letter or "
			   "digit first",
			   name ? name : "", NAME_BYTES - 1);
}

static int check_address(const struct address *address, const char *field, const char *noun,
			 struct text_error *error)
{
	const char *unusable = model_address_unusable(address);
	char text[ADDRESS_TEXT_BYTES];

	if (!unusable)
		return 0;
	return text_refuse(error, -EINVAL, field, "%s is %s and cannot be %s",
			   address_format(address, text), unusable, noun);
}

static int check_endpoint_free(const struct model *model, const struct service_request *request,
			       struct text_error *error)
{
	for (size_t i = 0; i < model->service_count; i++) {
		const struct model_service *other = &model->services[i];
		char text[ADDRESS_TEXT_BYTES];

		if (other->port != request->port || other->protocol != request->protocol ||
		    !address_equal(&other->vip, &request->vip))
			continue;
		return text_refuse(
			error, -EEXIST, "vip", "service \"%s\" already has %s%s %s", other->name,
			address_format_port(&request->vip, request->port, text),
			request->port ? "" : ", every port,", protocol_name(request->protocol));
	}
	return 0;
}

int model_check_service(const struct model *model, const struct service_request *request,
			struct text_error *error)
{
	int err = check_name(request->name, error);

	if (err)
		return err;
	if (model_service_find(model, request->name))
		return text_refuse(error, -EEXIST, "name", "service \"%s\" already exists",
				   request->name);
	err = check_address(&request->vip, "vip", "a VIP", error);
	if (err)
		return err;
	if (request->protocol != IPPROTO_TCP && request->protocol != IPPROTO_UDP)
		return text_refuse(error, -EINVAL, "proto", "protocol %u is neither tcp nor udp",
				   request->protocol);
	err = model_check_options(model, NULL, request, error);
	if (err)
		return err;
	return check_endpoint_free(model, request, error);
}

int model_check_state(enum backend_state state, struct text_error *error)
{
	if (state == BACKEND_UP || state == BACKEND_DRAIN || state == BACKEND_DOWN)
		return 0;
	return text_refuse(error, -EINVAL, "state", "a backend cannot be set to state \"%s\"",
			   backend_state_name(state));
}

/* A backend without a port of its own has the service's. */
static __u16 effective_port(const struct model_service *service, __u16 port)
{
	return port ? port : service->port;
}

static int check_target_free(const struct model *model, const struct model_service *service,
			     const struct backend_request *request, struct text_error *error)
{
	__u16 port = effective_port(service, request->port);
	char text[ADDRESS_TEXT_BYTES];

	for (size_t i = 0; i < model->backend_count; i++) {
		const struct model_backend *other = &model->backends[i];

		if (other->service == service->id && other->state != BACKEND_GONE &&
		    effective_port(service, other->port) == port &&
		    address_equal(&other->address, &request->address))
			return text_refuse(error, -EEXIST, "address",
					   "backend \"%s\" of service \"%s\" already has %s",
					   other->name, service->name,
					   address_format_port(&request->address, port, text));
	}
	return 0;
}

int model_check_backend(const struct model *model, const struct model_service *service,
			const struct backend_request *request, struct text_error *error)
{
	int err = check_name(request->name, error);

	if (err)
		return err;
	if (model_backend_find(model, service->id, request->name))
		return text_refuse(error, -EEXIST, "name",
				   "service \"%s\" already has a backend \"%s\"", service->name,
				   request->name);
	err = check_address(&request->address, "address", "a backend", error);
	if (err)
		return err;
	if (request->node && !model_node_valid(request->node))
		return text_refuse(error, -EINVAL, "node",
				   "\"%.64s\" is no node: 1 to %d bytes, no control characters",
				   request->node, NAME_BYTES - 1);
	if (request->region && !model_region_valid(request->region))
		return text_refuse(error, -EINVAL, "region",
				   "\"%.64s\" is no region: up to %d bytes, no control characters",
				   request->region, REGION_BYTES - 1);
	err = model_check_state(request->state, error);
	if (!err)
		err = model_check_server_id(model, service, NULL, &request->server_id, error);
	if (err)
		return err;
	return check_target_free(model, service, request, error);
}
