/* SPDX-License-Identifier: GPL-2.0-only */
#include "plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "layout.h"
#include "slots.h"

static bool address_is_set(const __be32 word[4])
{
	return word[0] | word[1] | word[2] | word[3];
}

/* What the model says of one service's backends; by service id, gathered in one pass. */
struct group {
	struct model_backend *first; /* of the live ones: the model keeps them together */
	size_t count;
	bool stale; /* the slots hold a backend that is gone by now */
	__u16 fallback;
	__u32 largest; /* wanted weight; the fallback's */
};

static void gather(struct model *model, struct group *groups)
{
	size_t i;

	for (i = 0; i < model->backend_count; i++) {
		struct model_backend *backend = &model->backends[i];
		struct group *group = &groups[backend->service];
		__u32 wanted = backend_wanted(backend);

		if (backend->state == BACKEND_GONE) {
			group->stale |= backend->table_weight != 0;
			backend->table_weight = 0; /* the slots are about to be made without it */
			continue;
		}
		if (!group->count++)
			group->first = backend;
		if (wanted > group->largest) {
			group->largest = wanted;
			group->fallback = backend->id;
		}
	}
}

/* What the generation in use refers to must stay as it is. */
static int collect_ranges(const struct slots_view *view, struct slot_ranges *ranges)
{
	size_t i;
	int err = 0;

	for (i = 0; i < view->in_use_count && !err; i++)
		err = slot_ranges_add(ranges, view->in_use[i]);
	return err;
}

static int plan_slots_add(struct plan *plan, const struct model_service *service,
			  struct slot *slots)
{
	struct plan_slots *more =
		reallocarray(plan->new_slots, plan->new_slots_count + 1, sizeof(*more));

	if (!more) {
		free(slots);
		return -ENOMEM;
	}
	plan->new_slots = more;
	more[plan->new_slots_count++] = (struct plan_slots){service->slots, slots};
	return 0;
}

static int refuse_slots(int err, const struct model_service *service,
			const struct settings *settings, struct text_error *error)
{
	if (err == -ENOSPC)
		return text_refuse(
			error, err, "slots",
			"no room for the slots of service \"%s\": all services share %u, and "
			"those replaced less than %llu s ago count; load with a larger "
			"slots_max",
			service->name, settings->slots_max, BACKEND_GRACE_NS / 1000000000);
	return text_refuse(error, err, NULL, "cannot make the slots of service \"%s\": %s",
			   service->name, strerror(-err));
}

static int update_all_slots(struct model *model, const struct group *groups,
			    const struct slots_view *view, const struct settings *settings,
			    __u64 now_ns, struct plan *plan, struct text_error *error)
{
	struct slot_ranges ranges = {};
	struct slot *made;
	size_t i;
	int err = collect_ranges(view, &ranges);

	if (err)
		text_refuse(error, err, NULL, "out of memory");
	for (i = 0; i < model->service_count && !err; i++) {
		struct model_service *service = &model->services[i];
		const struct group *group = &groups[service->id];

		err = slots_update(service, group->first, group->count, group->stale, view,
				   settings, now_ns, &ranges, &made);
		if (!err && made)
			err = plan_slots_add(plan, service, made);
		if (err)
			refuse_slots(err, service, settings, error);
	}
	free(ranges.range);
	return err;
}

static void outer_source(const struct model_backend *backend, const struct settings *settings,
			 struct backend *entry)
{
	bool ipv4 = address_is_ipv4(&backend->address);
	const __be32 *configured =
		ipv4 ? settings->tunnel_source_ipv4 : settings->tunnel_source_ipv6;

	if (!address_is_set(configured)) {
		memcpy(entry->source, backend->next_hop.source.word, sizeof(entry->source));
		return;
	}
	memcpy(entry->source, configured, sizeof(entry->source));
	entry->source_vary =
		ipv4 ? settings->tunnel_source_ipv4_vary : settings->tunnel_source_ipv6_vary;
}

static void fill_backend_entry(const struct model_backend *backend, const struct settings *settings,
			       struct backend *entry)
{
	const struct next_hop *hop = &backend->next_hop;

	memcpy(entry->address, backend->address.word, sizeof(entry->address));
	outer_source(backend, settings, entry);
	entry->egress_ifindex = hop->egress_ifindex;
	memcpy(entry->next_hop_mac, hop->next_hop_mac, sizeof(entry->next_hop_mac));
	memcpy(entry->egress_mac, hop->egress_mac, sizeof(entry->egress_mac));
	entry->service = backend->service;
	entry->mtu_bytes = hop->mtu_bytes;
	entry->state = backend->failed ? BACKEND_DOWN : backend->state;
	entry->port = htons(backend->port);
	if (hop->state == NEXT_HOP_RESOLVED)
		entry->flags |= BACKEND_REACHABLE;
	if (address_is_ipv4(&backend->address))
		entry->flags |= BACKEND_OUTER_IPV4;
}

static void fill_backend_info(const struct model_backend *backend, struct backend_info *info)
{
	memcpy(info->name, backend->name, sizeof(info->name));
	memcpy(info->node, backend->node, sizeof(info->node));
	memcpy(info->region, backend->region, sizeof(info->region));
	memcpy(info->reason, backend->reason, sizeof(info->reason));
	memcpy(info->address, backend->address.word, sizeof(info->address));
	memcpy(info->next_hop_source, backend->next_hop.source.word, sizeof(info->next_hop_source));
	info->port = htons(backend->port);
	info->service = backend->service;
	info->base_weight = backend->base_weight;
	info->table_weight = backend->table_weight;
	info->weight_milli = backend->weight_milli;
	info->bias = backend->bias;
	info->state = backend->state;
	info->failed = backend->failed;
	info->next_hop = backend->next_hop.state;
	info->gone_until_ns = backend->gone_until_ns;
	memcpy(info->server_id, backend->server_id.byte, sizeof(info->server_id));
	info->server_id_bytes = backend->server_id.count;
	memcpy(info->vlan, backend->next_hop.vlan, sizeof(info->vlan));
}

static void fill_weight(const struct model_backend *backend, __u32 largest,
			struct weight_half *weight)
{
	__u32 wanted = backend_wanted(backend);
	__u32 share;

	if (!wanted || !backend->bias)
		return;
	share = (__u64)wanted * 65535 / largest;
	weight->bias = backend->bias;
	weight->share = share ? share : 1;
	weight->coin_reciprocal = 0xffffffff / weight->bias;
	weight->count_reciprocal = 0xffffffff / weight->share;
}

static __u32 idle_rate(__u32 idle_ms, __u64 tick_ns)
{
	return idle_ms ? (tick_ns << 32) / (idle_ms * 1000000ULL) : 0;
}

static void fill_service(const struct model_service *service, const struct settings *settings,
			 __u16 fallback, __u64 tick_ns, struct plan_service *out)
{
	struct service *entry = &out->entry;
	struct service_info *info = &out->info;

	memcpy(info->name, service->name, sizeof(info->name));
	memcpy(info->vip, service->vip.word, sizeof(info->vip));
	info->port = htons(service->port);
	info->protocol = service->protocol;
	info->forward = service->forward;
	info->flags = service->flags | (__u32)service->priority << SERVICE_PRIORITY_SHIFT;
	info->idle_ms = service->idle_ms;
	info->mss_bytes = service->mss_bytes;
	info->server_id_bytes = service->server_id_bytes;
	info->slot_count = service->slot_count;
	info->slot_base = service->slots.base;
	info->slot_mask = service->slots.count - 1;
	info->old_slot_base = service->old_slots.base;
	info->old_slot_mask = service->old_slots.count ? service->old_slots.count - 1 : 0;
	info->old_until_ns = service->old_until_ns;

	memcpy(entry->vip, info->vip, sizeof(entry->vip));
	entry->port = info->port;
	entry->protocol = info->protocol;
	entry->forward = info->forward;
	entry->id = service->id;
	entry->fallback = fallback;
	entry->slot_base = info->slot_base;
	entry->slot_mask = info->slot_mask;
	entry->old_slot_base = info->old_slot_base;
	entry->old_slot_mask = info->old_slot_mask;
	entry->old_until_ns = info->old_until_ns;
	entry->slot_seed = identity(settings->seed, KEY_SERVICE, &service->vip, service->port,
				    service->protocol);
	entry->idle_rate = idle_rate(info->idle_ms, tick_ns);
	entry->mss_bytes = info->mss_bytes;
	entry->server_id_bytes = info->server_id_bytes;
	entry->flags = info->flags;
}

static int fill_services(const struct model *model, const struct settings *settings,
			 const struct group *groups, __u64 tick_ns, struct plan *plan,
			 struct text_error *error)
{
	__u32 *places = calloc(model->service_count + 1, sizeof(*places));
	size_t i;
	int err = -ENOMEM;

	if (places)
		err = layout_make(model->services, model->service_count, settings->seed,
				  &plan->layout, places);
	if (err)
		text_refuse(error, err, NULL, "cannot lay out the table of %zu services: %s",
			    model->service_count, strerror(-err));
	for (i = 0; i < model->service_count && !err; i++) {
		const struct model_service *service = &model->services[i];

		fill_service(service, settings, groups[service->id].fallback, tick_ns,
			     &plan->services[i]);
		plan->services[i].info.place = places[i];
	}
	free(places);
	return err;
}

static void fill_backends(const struct model *model, const struct settings *settings,
			  const struct group *groups, struct plan *plan)
{
	size_t i;

	for (i = 0; i < model->backend_count; i++) {
		const struct model_backend *backend = &model->backends[i];
		struct plan_backend *out = &plan->backends[i];

		fill_backend_entry(backend, settings, &out->entry);
		fill_backend_info(backend, &out->info);
		fill_weight(backend, groups[backend->service].largest, &out->weight);
		out->coin_multiplier = coin_multiplier(
			identity(settings->seed, KEY_BACKEND, &backend->address, backend->port, 0));
	}
}

int plan_make(struct model *model, const struct slots_view *view, const struct settings *settings,
	      __u64 now_ns, __u64 tick_ns, struct plan *plan, struct text_error *error)
{
	struct group *groups = calloc(SERVICES_MAX, sizeof(*groups));
	int err;

	memset(plan, 0, sizeof(*plan));
	model_expire(model, now_ns);
	plan->services = calloc(model->service_count + 1, sizeof(*plan->services));
	plan->backends = calloc(model->backend_count + 1, sizeof(*plan->backends));
	plan->vips = calloc(model->service_count + 1, sizeof(*plan->vips));
	plan->server_ids = calloc(model->backend_count + 1, sizeof(*plan->server_ids));
	if (!groups || !plan->services || !plan->backends || !plan->vips || !plan->server_ids) {
		err = text_refuse(error, -ENOMEM, NULL, "out of memory");
		goto out;
	}
	gather(model, groups);
	err = update_all_slots(model, groups, view, settings, now_ns, plan, error);
	if (err)
		goto out;
	fill_backends(model, settings, groups, plan);
	err = fill_services(model, settings, groups, tick_ns, plan, error);
	plan->vip_count = vip_entries(model, plan->vips);
	plan->server_id_count = server_id_entries(model, plan->server_ids);
out:
	if (err)
		plan_free(plan);
	free(groups);
	return err;
}

void plan_free(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->new_slots_count; i++)
		free(plan->new_slots[i].slots);
	free(plan->new_slots);
	free(plan->services);
	free(plan->backends);
	free(plan->vips);
	free(plan->server_ids);
	memset(plan, 0, sizeof(*plan));
}
