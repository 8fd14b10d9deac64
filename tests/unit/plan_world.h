/* SPDX-License-Identifier: GPL-2.0-only */
/* A model with maps of its own to be planned into, as kernel/apply.c would. After cmocka.h. */
#ifndef SLUICE_TESTS_UNIT_PLAN_WORLD_H
#define SLUICE_TESTS_UNIT_PLAN_WORLD_H

#include <math.h>
#include <stdio.h>

#include "model_example.h"
#include "user/core/plan.h"

#define SECOND_NS 1000000000ULL
#define TICK_NS   4000000ULL

struct world {
	struct model model;
	struct settings settings;
	struct slot *slots; /* the slots map */
	struct slot_range in_use[64];
	struct slots_view view;
	struct plan plan; /* the last one */
};

static inline void world_open(struct world *world, __u32 slots_max)
{
	memset(world, 0, sizeof(*world));
	world->model.backends_max = 4096;
	world->model.slots_max = slots_max;
	world->settings.seed = 42;
	world->settings.backends_max = 4096;
	world->settings.slots_max = slots_max;
	world->slots = calloc(slots_max, sizeof(*world->slots));
	assert_non_null(world->slots);
	world->view.slots = world->slots;
	world->view.slot_count = slots_max;
	world->view.in_use = world->in_use;
}

static inline void world_close(struct world *world)
{
	plan_free(&world->plan);
	model_free(&world->model);
	free(world->slots);
}

static inline struct model_service *world_service(struct world *world, const char *name)
{
	struct model_service *service = model_service_find(&world->model, name);

	assert_non_null(service);
	return service;
}

static inline struct model_backend *world_backend(struct world *world, const char *service,
						  const char *name)
{
	struct model_backend *backend =
		model_backend_find(&world->model, world_service(world, service)->id, name);

	assert_non_null(backend);
	return backend;
}

static inline void resolve(struct model_backend *backend)
{
	backend->next_hop = (struct next_hop){
		.state = NEXT_HOP_RESOLVED,
		.egress_ifindex = 3,
		.next_hop_mac = {2, 0, 0, 0, 0, backend->id},
		.egress_mac = {2, 0, 0, 0, 1, 1},
		.mtu_bytes = 1500,
	};
}

/* Reachable backends b0, b1, ... behind those that there are, at 10.0.X.Y by their number. */
static inline void world_add_backends(struct world *world, const char *service, unsigned int first,
				      unsigned int count)
{
	for (unsigned int i = first; i < first + count; i++) {
		char name[16], target[32];

		snprintf(name, sizeof(name), "b%u", i);
		snprintf(target, sizeof(target), "10.0.%u.%u", i / 250, 1 + i % 250);
		add_backend(&world->model, service, name, target);
		resolve(world_backend(world, service, name));
	}
}

static inline void world_weight(struct world *world, const char *service, const char *backend,
				__u32 weight_milli)
{
	world_backend(world, service, backend)->weight_milli = weight_milli;
}

static inline bool overlap(struct slot_range a, struct slot_range b)
{
	return a.base < b.base + b.count && b.base < a.base + a.count;
}

static inline void use(struct slots_view *view, struct slot_range range)
{
	assert_true(view->in_use_count < 64);
	view->in_use[view->in_use_count++] = range;
}

static inline int world_try(struct world *world, __u64 now_ns, struct text_error *error)
{
	plan_free(&world->plan);
	return plan_make(&world->model, &world->view, &world->settings, now_ns, TICK_NS,
			 &world->plan, error);
}

/* Plan and take it over: new slots into the map, where no packet may be reading. */
static inline void world_plan(struct world *world, __u64 now_ns)
{
	struct text_error error;

	if (world_try(world, now_ns, &error))
		fail_msg("plan: %s", error.what);
	for (size_t i = 0; i < world->plan.new_slots_count; i++) {
		const struct plan_slots *made = &world->plan.new_slots[i];

		assert_int_equal(made->range.base % made->range.count, 0);
		assert_true(made->range.base + made->range.count <= world->settings.slots_max);
		for (size_t j = 0; j < world->view.in_use_count; j++)
			assert_false(overlap(made->range, world->in_use[j]));
		memcpy(&world->slots[made->range.base], made->slots,
		       made->range.count * sizeof(*made->slots));
	}
	world->view.in_use_count = 0;
	for (size_t i = 0; i < world->model.service_count; i++) {
		use(&world->view, world->model.services[i].slots);
		if (world->model.services[i].old_slots.count)
			use(&world->view, world->model.services[i].old_slots);
	}
}

/* What one toss in a slot gives each candidate, by the polynomial of bias.h; false: no one. */
static inline bool toss(struct world *world, const struct slot *slot, double part[CANDIDATES])
{
	double s[CANDIDATES] = {0}, largest = 0;

	for (int c = 0; c < CANDIDATES; c++) {
		for (size_t i = 0; i < world->model.backend_count; i++) {
			if (world->model.backends[i].id == slot->candidate[c])
				s[c] = world->plan.backends[i].weight.bias;
		}
		largest = fmax(largest, s[c]);
	}
	for (int c = 0; c < CANDIDATES && largest > 0; c++) {
		double i = s[c] / largest, j = s[(c + 1) % CANDIDATES] / largest,
		       k = s[(c + 2) % CANDIDATES] / largest;

		part[c] = i * (1 - (j + k) / 2 + j * k / 3);
	}
	return largest > 0;
}

/* The share of a service's new flows that the packet path gives a backend by the planned maps. */
static inline double world_share(struct world *world, const char *service, const char *backend)
{
	struct slot_range range = world_service(world, service)->slots;
	__u16 id = world_backend(world, service, backend)->id;
	double sum = 0;

	for (__u32 i = 0; i < range.count; i++) {
		double part[CANDIDATES];
		const struct slot *slot = NULL;
		bool live = false;

		for (__u32 probe = 0; probe <= SLOT_PROBES && !live; probe++) {
			slot = &world->slots[range.base + ((i + probe) & (range.count - 1))];
			live = toss(world, slot, part);
		}
		for (int c = 0; live && c < CANDIDATES; c++)
			sum += slot->candidate[c] == id ? part[c] : 0;
	}
	return sum / range.count;
}

#endif
