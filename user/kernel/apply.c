/* SPDX-License-Identifier: GPL-2.0-only */
#include "apply.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "../core/plan.h"
#include "apply_policy_private.h"
#include "grace.h"
#include "keyed.h"
#include "state.h"
#include "tick.h"

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

#define KEYED_MAPS 2

static void list_keyed(const struct maps *maps, const struct plan *plan,
		       struct keyed keyed[KEYED_MAPS])
{
	keyed[0] = (struct keyed){
		.fd = maps->vips_fd,
		.key_bytes = sizeof(struct vip_key),
		.value_bytes = sizeof(struct vip),
		.entry_bytes = sizeof(struct vip_entry),
		.entries = plan->vips,
		.count = plan->vip_count,
	};
	keyed[1] = (struct keyed){
		.fd = maps->server_ids_fd,
		.key_bytes = sizeof(struct server_id_key),
		.value_bytes = sizeof(struct server_id),
		.entry_bytes = sizeof(struct server_id_entry),
		.entries = plan->server_ids,
		.count = plan->server_id_count,
	};
}

/* What is there now, as far as anybody knows, is what @keyed says. */
static bool keyed_unchanged(const struct maps *maps, const struct keyed keyed[KEYED_MAPS])
{
	return maps->control->keyed_fingerprint == keyed_fingerprint(keyed, KEYED_MAPS);
}

/* Before the flip. Until it is known what they hold, whoever comes next looks. */
static int put_keyed(const struct maps *maps, const struct keyed keyed[KEYED_MAPS])
{
	int err = 0;
	size_t i;

	__atomic_store_n(&maps->control->keyed_fingerprint, 0, __ATOMIC_RELEASE);
	for (i = 0; i < KEYED_MAPS && !err; i++)
		err = keyed_put(&keyed[i]);
	return err;
}

/* After the flip, and so no reason to fail: what stays by mistake is the next one's to remove. */
static void prune_keyed(const struct maps *maps, const struct keyed keyed[KEYED_MAPS])
{
	size_t i;

	for (i = 0; i < KEYED_MAPS; i++) {
		if (keyed_prune(&keyed[i]))
			return;
	}
	__atomic_store_n(&maps->control->keyed_fingerprint, keyed_fingerprint(keyed, KEYED_MAPS),
			 __ATOMIC_RELEASE);
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
	__u64 generation = control->generation;
	__u64 policy_generation = maps_policy_generation(maps);

	if (control->settled_generation == generation &&
	    control->settled_policy == policy_generation)
		return;
	grace_wait();
	control->settled_generation = generation;
	if (control->settled_policy != policy_generation)
		apply_policy_settled(maps, policy_generation);
}

int apply_publish_both(const struct maps *maps, struct model *model, struct policy *policy,
		       struct text_error *error)
{
	unsigned int idle_half = !maps_live_half(maps);
	struct keyed keyed[KEYED_MAPS];
	struct slots_view view;
	struct plan plan;
	bool keep_keyed;
	int err = state_view_slots(maps, &view);

	if (err)
		return text_refuse(error, err, NULL, "out of memory");
	err = plan_make(model, &view, maps->settings, now_ns(), tick_ns(), &plan, error);
	free(view.in_use);
	if (err)
		return err;

	list_keyed(maps, &plan, keyed);
	keep_keyed = keyed_unchanged(maps, keyed);
	if (!keep_keyed)
		err = put_keyed(maps, keyed);
	if (err) {
		text_refuse(error, err, NULL, "cannot write the maps of VIPs and server ids: %s",
			    strerror(-err));
		goto out;
	}
	apply_settle(maps); /* of a writer that was killed after its flip */
	clear_half(maps, idle_half);
	write_half(maps, idle_half, model, &plan);
	err = policy ? apply_policy_publish(maps, policy, model, error)
		     : apply_policy_for(maps, model, error);
	if (err)
		goto out;
	model->generation++;
	__atomic_store_n(&maps->control->generation, model->generation, __ATOMIC_RELEASE);
	if (!keep_keyed)
		prune_keyed(maps, keyed);
out:
	plan_free(&plan);
	return err;
}

int apply_publish(const struct maps *maps, struct model *model, struct text_error *error)
{
	return apply_publish_both(maps, model, NULL, error);
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

void apply_options(const struct maps *maps, const struct settings *settings)
{
	maps->settings->gue_port = settings->gue_port;
	maps->settings->icmp_rate = settings->icmp_rate;
}

static bool has_any_port(const struct measure_entry *entries, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!entries[i].key.port)
			return true;
	}
	return false;
}

int apply_measure(int services_fd, int settings_fd, const struct measure_entry *entries,
		  size_t count)
{
	const struct measure_settings settings = {.any_port = has_any_port(entries, count)};
	const struct keyed keyed = {
		.fd = services_fd,
		.key_bytes = sizeof(struct measure_key),
		.value_bytes = sizeof(__u32),
		.entry_bytes = sizeof(struct measure_entry),
		.entries = entries,
		.count = count,
	};
	__u32 zero = 0;
	int err = keyed_put(&keyed);

	if (!err)
		err = keyed_prune(&keyed);
	if (!err && bpf_map_update_elem(settings_fd, &zero, &settings, BPF_ANY))
		err = -errno;
	return err;
}
