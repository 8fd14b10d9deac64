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

/* Slots in the generation in use, and those that the model still holds, must stay as they are. */
static int collect_ranges(const struct slots_view *view, struct slot_ranges *ranges)
{
	size_t i;
	int err = 0;

	for (i = 0; i < view->in_use_count && !err; i++)
		err = slot_ranges_add(ranges, view->in_use[i]);
	return err;
}

/* The live backends of a service are together in the model; *@count of them from the returned one. */
static struct model_backend *backends_of(struct model *model, const struct model_service *service,
					 size_t *count)
{
	struct model_backend *first = NULL;
	size_t i;

	*count = 0;
	for (i = 0; i < model->backend_count; i++) {
		struct model_backend *backend = &model->backends[i];

		if (backend->service != service->id || backend->state == BACKEND_GONE)
			continue;
		if (!first)
			first = backend;
		(*count)++;
	}
	return first;
}

/* Do the slots of this service still hold a backend that is gone? Not after this time. */
static bool slots_stale(struct model *model, const struct model_service *service)
{
	bool stale = false;
	size_t i;

	for (i = 0; i < model->backend_count; i++) {
		struct model_backend *backend = &model->backends[i];

		if (backend->service == service->id && backend->state == BACKEND_GONE &&
		    backend->table_weight) {
			backend->table_weight = 0;
			stale = true;
		}
	}
	return stale;
}

static int plan_slots_add(struct plan *plan, const struct model_service *service,
			  struct slot *slots)
{
	struct plan_slots *more = reallocarray(plan->new_slots, plan->new_slots_count + 1,
					       sizeof(*more));

	if (!more) {
		free(slots);
		return -ENOMEM;
	}
	plan->new_slots = more;
	more[plan->new_slots_count++] = (struct plan_slots){service->slots, slots};
	return 0;
}

static int update_all_slots(struct model *model, const struct slots_view *view,
			    const struct settings *settings, __u64 now_ns, struct plan *plan)
{
	struct slot_ranges ranges = {};
	struct slot *made;
	size_t i, count;
	int err = collect_ranges(view, &ranges);

	for (i = 0; i < model->service_count && !err; i++) {
		struct model_service *service = &model->services[i];

		struct model_backend *backends = backends_of(model, service, &count);

		err = slots_update(service, backends, count, slots_stale(model, service), view,
				   settings, now_ns, &ranges, &made);
		if (!err && made)
			err = plan_slots_add(plan, service, made);
	}
	free(ranges.range);
	return err;
}

static void outer_source(const struct model_backend *backend, const struct settings *settings,
			 struct backend *entry)
{
	bool ipv4 = address_is_ipv4(&backend->address);
	const __be32 *configured = ipv4 ? settings->tunnel_source_ipv4 :
					  settings->tunnel_source_ipv6;

	if (!address_is_set(configured)) {
		memcpy(entry->source, backend->next_hop.source.word, sizeof(entry->source));
		return;
	}
	memcpy(entry->source, configured, sizeof(entry->source));
	entry->source_vary = ipv4 ? settings->tunnel_source_ipv4_vary :
				    settings->tunnel_source_ipv6_vary;
}

static void fill_backend_entry(const struct model_backend *backend,
			       const struct settings *settings, struct backend *entry)
{
	const struct next_hop *hop = &backend->next_hop;

	memcpy(entry->address, backend->address.word, sizeof(entry->address));
	outer_source(backend, settings, entry);
	entry->egress_ifindex = hop->egress_ifindex;
	memcpy(entry->next_hop_mac, hop->next_hop_mac, sizeof(entry->next_hop_mac));
	memcpy(entry->egress_mac, hop->egress_mac, sizeof(entry->egress_mac));
	entry->service = backend->service;
	entry->mtu_bytes = hop->mtu_bytes;
	entry->state = backend->state;
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
	memcpy(info->next_hop_source, backend->next_hop.source.word,
	       sizeof(info->next_hop_source));
	info->port = htons(backend->port);
	info->service = backend->service;
	info->base_weight = backend->base_weight;
	info->table_weight = backend->table_weight;
	info->weight_milli = backend->weight_milli;
	info->bias = backend->bias;
	info->state = backend->state;
	info->next_hop = backend->next_hop.state;
	info->gone_until_ns = backend->gone_until_ns;
}

static void fill_weight(const struct model_backend *backend, __u32 largest,
			struct weight_half *weight)
{
	__u32 wanted = backend_wanted(backend);
	__u32 share = (__u64)wanted * 65535 / largest;

	if (!wanted || !backend->bias)
		return;
	weight->bias = backend->bias;
	weight->share = share ? share : 1;
	weight->coin_reciprocal = 0xffffffff / weight->bias;
	weight->count_reciprocal = 0xffffffff / weight->share;
}

/* The largest wanted weight of each service, by service id; and who wants it: the fallback. */
static void find_largest(const struct model *model, __u32 *largest, __u16 *fallback)
{
	size_t i;

	for (i = 0; i < model->backend_count; i++) {
		const struct model_backend *backend = &model->backends[i];
		__u32 wanted = backend_wanted(backend);

		if (wanted > largest[backend->service]) {
			largest[backend->service] = wanted;
			fallback[backend->service] = backend->id;
		}
	}
}

static void fill_service(const struct model_service *service, const struct settings *settings,
			 __u16 fallback, struct plan_service *out)
{
	struct service *entry = &out->entry;
	struct service_info *info = &out->info;

	memcpy(info->name, service->name, sizeof(info->name));
	memcpy(info->vip, service->vip.word, sizeof(info->vip));
	info->port = htons(service->port);
	info->protocol = service->protocol;
	info->forward = service->forward;
	info->flags = service->flags;
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
	entry->flags = info->flags;
}

static int fill_services(const struct model *model, const struct settings *settings,
			 const __u16 *fallback, struct plan *plan)
{
	__u32 *places = calloc(model->service_count + 1, sizeof(*places));
	size_t i;
	int err;

	if (!places)
		return -ENOMEM;
	err = layout_make(model->services, model->service_count, settings->seed, &plan->layout,
			  places);
	for (i = 0; i < model->service_count && !err; i++) {
		const struct model_service *service = &model->services[i];

		fill_service(service, settings, fallback[service->id], &plan->services[i]);
		plan->services[i].info.place = places[i];
	}
	free(places);
	return err;
}

static void fill_backends(const struct model *model, const struct settings *settings,
			  const __u32 *largest, struct plan *plan)
{
	size_t i;

	for (i = 0; i < model->backend_count; i++) {
		const struct model_backend *backend = &model->backends[i];
		struct plan_backend *out = &plan->backends[i];

		fill_backend_entry(backend, settings, &out->entry);
		fill_backend_info(backend, &out->info);
		fill_weight(backend, largest[backend->service], &out->weight);
		out->coin_multiplier = coin_multiplier(identity(settings->seed, KEY_BACKEND,
								&backend->address, backend->port,
								0));
	}
}

static void explain(int err, struct text_error *error)
{
	if (err == -ENOSPC)
		text_refuse(error, err, NULL,
			    "no room for these slots or services: load with a larger slots_max");
	else if (err)
		text_refuse(error, err, NULL, "cannot lay out the maps: %s", strerror(-err));
}

int plan_make(struct model *model, const struct slots_view *view, const struct settings *settings,
	      __u64 now_ns, struct plan *plan, struct text_error *error)
{
	__u32 *largest = calloc(SERVICES_MAX, sizeof(*largest));
	__u16 *fallback = calloc(SERVICES_MAX, sizeof(*fallback));
	int err = -ENOMEM;

	memset(plan, 0, sizeof(*plan));
	model_expire(model, now_ns);
	plan->services = calloc(model->service_count + 1, sizeof(*plan->services));
	plan->backends = calloc(model->backend_count + 1, sizeof(*plan->backends));
	if (largest && fallback && plan->services && plan->backends)
		err = update_all_slots(model, view, settings, now_ns, plan);
	if (!err) {
		find_largest(model, largest, fallback);
		fill_backends(model, settings, largest, plan);
		err = fill_services(model, settings, fallback, plan);
	}
	if (err) {
		explain(err, error);
		plan_free(plan);
	}
	free(largest);
	free(fallback);
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
	memset(plan, 0, sizeof(*plan));
}
