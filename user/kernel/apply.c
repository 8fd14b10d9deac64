/* SPDX-License-Identifier: GPL-2.0-only */
#include "apply.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../core/plan.h"
#include "state.h"

/* Without membarrier(2): longer than any packet takes, and any tick. */
#define SETTLE_NS 200000000

/*
 * Empty the idle half. Places are listed by service_info, so they are emptied while it still lists
 * them: a writer that is killed anywhere leaves nothing behind that the next one does not find.
 */
static void clear_half(const struct maps *maps, unsigned int half)
{
	__u32 id;

	for (id = 1; id < SERVICES_MAX; id++) {
		struct service_info *info = &maps->service_info[id].half[half];

		if (!info->name[0])
			continue;
		memset(&maps->services[info->place].half[half], 0, sizeof(struct service));
		__atomic_thread_fence(__ATOMIC_RELEASE);
		memset(info, 0, sizeof(*info));
	}
	for (id = 1; id < maps->settings->backends_max; id++) {
		struct backend *backend = &maps->backends[id].half[half];

		if (backend->state == BACKEND_FREE)
			continue;
		memset(&maps->backend_info[id].half[half], 0, sizeof(struct backend_info));
		memset(&maps->weights[id].half[half], 0, sizeof(struct weight_half));
		__atomic_thread_fence(__ATOMIC_RELEASE);
		memset(backend, 0, sizeof(*backend));
	}
}

static void write_half(const struct maps *maps, unsigned int half, const struct model *model,
		       const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->new_slots_count; i++)
		memcpy(&maps->slots[plan->new_slots[i].range.base], plan->new_slots[i].slots,
		       plan->new_slots[i].range.count * sizeof(struct slot));
	for (i = 0; i < model->backend_count; i++) {
		const struct plan_backend *from = &plan->backends[i];
		__u16 id = model->backends[i].id;

		maps->backends[id].half[half] = from->entry;
		__atomic_thread_fence(__ATOMIC_RELEASE);
		maps->weights[id].coin_multiplier = from->coin_multiplier;
		maps->weights[id].half[half] = from->weight;
		maps->backend_info[id].half[half] = from->info;
	}
	for (i = 0; i < model->service_count; i++) {
		const struct plan_service *from = &plan->services[i];

		maps->service_info[model->services[i].id].half[half] = from->info;
		__atomic_thread_fence(__ATOMIC_RELEASE);
		maps->services[from->info.place].half[half] = from->entry;
	}
	maps->control->layout[half] = plan->layout;
}

static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

void apply_settle(const struct maps *maps)
{
	struct control *control = maps->control;

	if (control->settled_generation == control->generation)
		return;
	/* Waits for an RCU grace period, and XDP programs run within RCU read sections. */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0)) {
		struct timespec wait = {.tv_nsec = SETTLE_NS};

		while (nanosleep(&wait, &wait) && errno == EINTR)
			;
	}
	control->settled_generation = control->generation;
}

int apply_publish(const struct maps *maps, struct model *model, struct text_error *error)
{
	unsigned int idle_half = !maps_live_half(maps);
	struct slots_view view;
	struct plan plan;
	int err = state_view_slots(maps, &view);

	if (err)
		return text_refuse(error, err, NULL, "out of memory");
	err = plan_make(model, &view, maps->settings, now_ns(), &plan, error);
	free(view.in_use);
	if (err)
		return err;

	apply_settle(maps); /* of a writer that was killed after its flip */
	clear_half(maps, idle_half);
	write_half(maps, idle_half, model, &plan);
	model->generation++;
	__atomic_store_n(&maps->control->generation, model->generation, __ATOMIC_RELEASE);
	plan_free(&plan);
	return 0;
}

int apply(const struct maps *maps, struct model *model, struct text_error *error)
{
	int err = apply_publish(maps, model, error);

	if (!err)
		apply_settle(maps);
	return err;
}

int apply_settings(int control_fd, int settings_fd, const struct settings *settings)
{
	struct control control = {.abi = SLUICE_ABI};
	__u32 zero = 0;

	if (bpf_map_update_elem(settings_fd, &zero, settings, BPF_ANY) ||
	    bpf_map_update_elem(control_fd, &zero, &control, BPF_ANY))
		return -errno;
	return 0;
}
