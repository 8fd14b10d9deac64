/* SPDX-License-Identifier: GPL-2.0-only */
/* A model's two arrays: their order, how things are found in them, and what leaves them with time. */
#include "model_order.h"

#include <stdlib.h>
#include <string.h>

void model_free(struct model *model)
{
	free(model->services);
	free(model->backends);
	model->services = NULL;
	model->service_count = 0;
	model->backends = NULL;
	model->backend_count = 0;
}

static int compare_numbers(__u32 a, __u32 b)
{
	return (a > b) - (a < b);
}

static int compare_services(const void *left, const void *right)
{
	const struct model_service *a = left, *b = right;

	return strcmp(a->name, b->name);
}

/* By id last: one name may have been deleted more than once within the grace period. */
static int compare_backends(const void *left, const void *right)
{
	const struct model_backend *a = left, *b = right;
	int order = compare_numbers(a->state == BACKEND_GONE, b->state == BACKEND_GONE);

	if (!order)
		order = compare_numbers(a->service, b->service);
	if (!order)
		order = strcmp(a->name, b->name);
	if (!order)
		order = compare_numbers(a->id, b->id);
	return order;
}

void model_sort(struct model *model)
{
	if (model->service_count)
		qsort(model->services, model->service_count, sizeof(*model->services),
		      compare_services);
	if (model->backend_count)
		qsort(model->backends, model->backend_count, sizeof(*model->backends),
		      compare_backends);
}

struct model_service *model_service_find(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->service_count; i++) {
		if (!strcmp(model->services[i].name, name))
			return &model->services[i];
	}
	return NULL;
}

struct model_service *model_service_by_id(const struct model *model, __u16 id)
{
	for (size_t i = 0; i < model->service_count; i++) {
		if (model->services[i].id == id)
			return &model->services[i];
	}
	return NULL;
}

size_t model_backend_position(const struct model *model, __u16 service, const char *name)
{
	size_t low = 0, high = model->backend_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct model_backend *backend = &model->backends[middle];

		if (backend->state != BACKEND_GONE &&
		    (backend->service < service ||
		     (backend->service == service && strcmp(backend->name, name) < 0)))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct model_backend *model_backend_find(const struct model *model, __u16 service, const char *name)
{
	size_t position = model_backend_position(model, service, name);
	struct model_backend *backend;

	if (position == model->backend_count)
		return NULL;
	backend = &model->backends[position];
	if (backend->state == BACKEND_GONE || backend->service != service ||
	    strcmp(backend->name, name))
		return NULL;
	return backend;
}

void model_expire(struct model *model, __u64 now_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->backend_count; i++) {
		const struct model_backend *backend = &model->backends[i];

		if (backend->state != BACKEND_GONE || backend->gone_until_ns > now_ns)
			model->backends[kept++] = *backend;
	}
	model->backend_count = kept;

	for (size_t i = 0; i < model->service_count; i++) {
		struct model_service *service = &model->services[i];

		if (service->old_slots.count && service->old_until_ns <= now_ns) {
			service->old_slots = (struct slot_range){0};
			service->old_until_ns = 0;
		}
	}
}
