/* SPDX-License-Identifier: GPL-2.0-only */
/* What a service may be told beyond its address, and what its backends must have for it. */
#include "model_check.h"

#include <errno.h>
#include <netinet/in.h>

#include "candidates.h"

static int check_slot_count(__u32 slot_count, struct text_error *error)
{
	if (slot_count == 0 || (slot_count >= SLOT_COUNT_MIN && slot_count <= SLOT_COUNT_MAX &&
				(slot_count & (slot_count - 1)) == 0))
		return 0;
	return text_refuse(error, -EINVAL, "slots",
			   "%u is no number of slots: a power of two from %u to %u, or 0 to go by "
			   "the number of backends",
			   slot_count, SLOT_COUNT_MIN, SLOT_COUNT_MAX);
}

static int check_mss(const struct service_request *request, struct text_error *error)
{
	if (!request->mss_bytes)
		return 0;
	if (request->protocol != IPPROTO_TCP)
		return text_refuse(error, -EINVAL, "mss", "only a TCP service has an MSS");
	if (request->mss_bytes >= MSS_BYTES_MIN && request->mss_bytes <= MSS_BYTES_MAX)
		return 0;
	return text_refuse(error, -EINVAL, "mss",
			   "%u bytes are no MSS: at least %d, which every host must take, at most "
			   "%d, which is all that a packet holds, or 0 to leave it alone",
			   request->mss_bytes, MSS_BYTES_MIN, MSS_BYTES_MAX);
}

static int check_idle(const struct service_request *request, struct text_error *error)
{
	if (!request->idle_ms)
		return 0;
	if (request->protocol != IPPROTO_UDP)
		return text_refuse(
			error, -EINVAL, "idle",
			"only a UDP service has an idle time; TCP says when a flow ends");
	if (request->idle_ms >= IDLE_S_MIN * 1000 && request->idle_ms <= IDLE_S_MAX * 1000)
		return 0;
	return text_refuse(error, -EINVAL, "idle", "%u ms are no idle time: %d to %d s",
			   request->idle_ms, IDLE_S_MIN, IDLE_S_MAX);
}

static int check_server_id_bytes(const struct model *model, const struct model_service *service,
				 const struct service_request *request, struct text_error *error)
{
	if (request->server_id_bytes && request->protocol != IPPROTO_UDP)
		return text_refuse(error, -EINVAL, "quic_server_id_bytes",
				   "only a UDP service has QUIC server ids");
	if (request->server_id_bytes > SERVER_ID_BYTES_MAX)
		return text_refuse(error, -EINVAL, "quic_server_id_bytes",
				   "a QUIC server id has 1 to %d bytes, not %u",
				   SERVER_ID_BYTES_MAX, request->server_id_bytes);
	for (size_t i = 0; service && i < model->backend_count; i++) {
		const struct model_backend *backend = &model->backends[i];

		if (backend->service == service->id && backend->state != BACKEND_GONE &&
		    backend->server_id.count &&
		    backend->server_id.count != request->server_id_bytes)
			return text_refuse(error, -EEXIST, "quic_server_id_bytes",
					   "backend \"%s\" of service \"%s\" has a %u-byte server "
					   "id; set that to none first",
					   backend->name, service->name, backend->server_id.count);
	}
	return 0;
}

int model_check_options(const struct model *model, const struct model_service *service,
			const struct service_request *request, struct text_error *error)
{
	int err;

	if (request->forward != FORWARD_DSR && request->forward != FORWARD_IPIP &&
	    request->forward != FORWARD_GUE)
		return text_refuse(error, -EINVAL, "forward", "forward mode %d is not known",
				   request->forward);
	if (request->priority > SERVICE_PRIORITY_MAX)
		return text_refuse(error, -EINVAL, "priority", "priority %u is not known",
				   request->priority);
	err = check_slot_count(request->slot_count, error);
	if (!err)
		err = check_mss(request, error);
	if (!err)
		err = check_idle(request, error);
	return err ? err : check_server_id_bytes(model, service, request, error);
}

int model_check_server_id(const struct model *model, const struct model_service *service,
			  const struct model_backend *except,
			  const struct quic_server_id *server_id, struct text_error *error)
{
	char text[SERVER_ID_TEXT_BYTES];

	if (!server_id->count)
		return 0;
	server_id_format(server_id, text);
	if (!service->server_id_bytes)
		return text_refuse(error, -EINVAL, "server_id",
				   "service \"%s\" does not route by QUIC server ids: it has no "
				   "quic-server-id-bytes",
				   service->name);
	if (server_id->count != service->server_id_bytes)
		return text_refuse(error, -EINVAL, "server_id",
				   "%s is no %u-byte server id, which is what service \"%s\" "
				   "routes by",
				   text, service->server_id_bytes, service->name);
	for (size_t i = 0; i < model->backend_count; i++) {
		const struct model_backend *other = &model->backends[i];

		if (other != except && other->service == service->id &&
		    other->state != BACKEND_GONE && server_id_equal(&other->server_id, server_id))
			return text_refuse(error, -EEXIST, "server_id",
					   "backend \"%s\" of service \"%s\" already has server id "
					   "%s",
					   other->name, service->name, text);
	}
	return 0;
}
