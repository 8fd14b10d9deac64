/* SPDX-License-Identifier: GPL-2.0-only */
/* The pinned maps, found under one directory and mapped into memory. */
#ifndef SLUICE_KERNEL_MAPS_H
#define SLUICE_KERNEL_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../maps/backend.h"
#include "../../maps/control.h"
#include "../../maps/cpu.h"
#include "../../maps/flow.h"
#include "../../maps/policy.h"
#include "../../maps/service.h"
#include "../../maps/settings.h"
#include "../../maps/slot.h"
#include "../../maps/weight.h"
#include "../core/text_error.h"

#define PIN_DIR_DEFAULT "/sys/fs/bpf/sluice"

struct mapped {
	void *memory;
	size_t bytes;
};

/* Read-only unless opened for writing; only kernel/apply.c writes. */
struct maps {
	int lock_fd; /* the pin directory, locked as long as the maps are open */
	struct control *control;
	struct settings *settings;
	struct service_place *services;
	struct slot *slots;
	struct weight *weights;
	struct backend_halves *backends;
	struct service_info_halves *service_info;
	struct backend_info_halves *backend_info;
	__u64 *policy_filter; /* the policy's by half, see maps/policy.h */
	struct policy_scope *policy_scopes;
	struct policy_rule *policy_rules;
	struct policy_rule_info *policy_rule_info;
	struct policy_buckets *policy_buckets; /* by rule id; emptied for rules that are new */
	struct shed *sheds;
	const struct flow_set *flows;
	const int64_t *open_flows; /* by CPU and backend id */
	const struct cpu_memory *cpus;
	int vips_fd;
	int server_ids_fd;
	int service_counters_fd;
	int backend_counters_fd;
	int drop_counters_fd;
	int policy_ports_fd;
	int policy_boundaries_fd;
	int policy_prefixes_fd;
	int policy_tokens_fd;
	int rule_counters_fd;
	int event_budget_fd;
	int drop_events_fd;
	struct mapped mapped[17]; /* what to unmap */
	size_t mapped_count;
};

/*
 * Open what `sluice load` pinned under @pin_dir, under a shared lock, or an exclusive one when
 * @write, waiting for others to finish. Returns 0, -ENOENT when nothing is loaded there, -EPROTO
 * when the maps are another version's, or another negative errno, with @error filled in.
 */
int maps_open(const char *pin_dir, bool write, struct maps *maps, struct text_error *error);
void maps_close(struct maps *maps);

enum maps_lock { MAPS_UNLOCKED, MAPS_SHARED, MAPS_EXCLUSIVE, MAPS_EXCLUSIVE_NOW };

/*
 * For who keeps the maps open between changes: give the lock away, and take it again before reading
 * or writing the state. Returns 0, or negative errno: -EWOULDBLOCK when it cannot be had now.
 */
int maps_lock(const struct maps *maps, enum maps_lock lock);

/* The half of the state maps that packets read now, or that they will read next. */
static inline unsigned int maps_live_half(const struct maps *maps)
{
	return __atomic_load_n(&maps->control->generation, __ATOMIC_ACQUIRE) & 1;
}

/* The number of the rule set that packets are judged by; its lowest bit is the half in use. */
static inline __u64 maps_policy_generation(const struct maps *maps)
{
	return __atomic_load_n(&maps->control->policy, __ATOMIC_ACQUIRE) >> POLICY_GENERATION_SHIFT;
}

/* Mount the BPF file system over /sys/fs/bpf where it is missing. Returns 0 or negative errno. */
int maps_mount_bpffs(void);

#endif
