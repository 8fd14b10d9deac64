/* SPDX-License-Identifier: GPL-2.0-only */
#include "state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void read_service(const struct service_info *info, __u16 id, struct model_service *service)
{
	service->id = id;
	memcpy(service->name, info->name, sizeof(service->name));
	memcpy(service->vip.word, info->vip, sizeof(service->vip.word));
	service->port = ntohs(info->port);
	service->protocol = info->protocol;
	service->forward = info->forward;
	service->flags = info->flags & ~SERVICE_PRIORITY;
	service->priority = (info->flags & SERVICE_PRIORITY) >> SERVICE_PRIORITY_SHIFT;
	service->idle_ms = info->idle_ms;
	service->mss_bytes = info->mss_bytes;
	service->server_id_bytes = info->server_id_bytes;
	service->slot_count = info->slot_count;
	service->slots = (struct slot_range){info->slot_base, info->slot_mask + 1};
	service->old_until_ns = info->old_until_ns;
	if (info->old_until_ns)
		service->old_slots =
			(struct slot_range){info->old_slot_base, info->old_slot_mask + 1};
}

static void read_backend(const struct backend_info *info, const struct backend *entry, __u16 id,
			 struct model_backend *backend)
{
	backend->id = id;
	backend->service = info->service;
	memcpy(backend->name, info->name, sizeof(backend->name));
	memcpy(backend->node, info->node, sizeof(backend->node));
	memcpy(backend->region, info->region, sizeof(backend->region));
	memcpy(backend->reason, info->reason, sizeof(backend->reason));
	memcpy(backend->address.word, info->address, sizeof(backend->address.word));
	backend->port = ntohs(info->port);
	backend->base_weight = info->base_weight;
	backend->table_weight = info->table_weight;
	backend->weight_milli = info->weight_milli;
	backend->bias = info->bias;
	backend->state = info->state;
	backend->failed = info->failed;
	backend->gone_until_ns = info->gone_until_ns;
	memcpy(backend->server_id.byte, info->server_id, sizeof(info->server_id));
	backend->server_id.count = info->server_id_bytes;
	backend->next_hop.state = info->next_hop;
	backend->next_hop.egress_ifindex = entry->egress_ifindex;
	memcpy(backend->next_hop.next_hop_mac, entry->next_hop_mac, 6);
	memcpy(backend->next_hop.egress_mac, entry->egress_mac, 6);
	backend->next_hop.mtu_bytes = entry->mtu_bytes;
	memcpy(backend->next_hop.vlan, info->vlan, sizeof(info->vlan));
	memcpy(backend->next_hop.source.word, info->next_hop_source, sizeof(info->next_hop_source));
}

/* Every live backend belongs to a service, or somebody else wrote these maps. */
static bool consistent(const struct model *model)
{
	size_t i;

	for (i = 0; i < model->backend_count; i++) {
		if (model->backends[i].state != BACKEND_GONE &&
		    !model_service_by_id(model, model->backends[i].service))
			return false;
	}
	return true;
}

int state_read(const struct maps *maps, struct model *model)
{
	unsigned int half = maps_live_half(maps);
	__u32 backends_max = maps->settings->backends_max;
	__u32 id;

	memset(model, 0, sizeof(*model));
	model->generation = maps->control->generation;
	model->backends_max = backends_max;
	model->slots_max = maps->settings->slots_max;
	for (id = 1; id < SERVICES_MAX; id++)
		model->service_count += maps->service_info[id].half[half].name[0] != 0;
	for (id = 1; id < backends_max; id++)
		model->backend_count += maps->backends[id].half[half].state != BACKEND_FREE;
	model->services = calloc(model->service_count + 1, sizeof(*model->services));
	model->backends = calloc(model->backend_count + 1, sizeof(*model->backends));
	if (!model->services || !model->backends) {
		model_free(model);
		return -ENOMEM;
	}

	model->service_count = 0;
	for (id = 1; id < SERVICES_MAX; id++) {
		const struct service_info *info = &maps->service_info[id].half[half];

		if (info->name[0])
			read_service(info, id, &model->services[model->service_count++]);
	}
	model->backend_count = 0;
	for (id = 1; id < backends_max; id++) {
		const struct backend *entry = &maps->backends[id].half[half];

		if (entry->state != BACKEND_FREE)
			read_backend(&maps->backend_info[id].half[half], entry, id,
				     &model->backends[model->backend_count++]);
	}
	model_sort(model);
	if (!consistent(model)) {
		model_free(model);
		return -EBADMSG;
	}
	return 0;
}

int state_view_slots(const struct maps *maps, struct slots_view *view)
{
	unsigned int half = maps_live_half(maps);
	__u32 id;

	view->slots = maps->slots;
	view->slot_count = maps->settings->slots_max;
	view->in_use_count = 0;
	view->in_use = calloc(2 * SERVICES_MAX, sizeof(*view->in_use));
	if (!view->in_use)
		return -ENOMEM;
	for (id = 1; id < SERVICES_MAX; id++) {
		const struct service_info *info = &maps->service_info[id].half[half];

		if (!info->name[0])
			continue;
		view->in_use[view->in_use_count++] =
			(struct slot_range){info->slot_base, info->slot_mask + 1};
		if (info->old_until_ns)
			view->in_use[view->in_use_count++] =
				(struct slot_range){info->old_slot_base, info->old_slot_mask + 1};
	}
	return 0;
}
