/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TC programs that measure. They are this process's own: what it loads and attaches goes with
 * it, but for the filters of a process that was killed where the kernel has no TCX; the next one
 * replaces those.
 */
#ifndef SLUICE_KERNEL_MEASURE_H
#define SLUICE_KERNEL_MEASURE_H

#include "../core/measure.h"
#include "../core/text_error.h"

#define MEASURE_DEVICES_MAX   16
#define MEASURE_FLOWS_DEFAULT 65536

enum measure_hook {
	MEASURE_HOOK_ANY, /* TCX where the kernel has it (6.6), else clsact */
	MEASURE_HOOK_TCX,
	MEASURE_HOOK_CLSACT,
};

struct measure;

/*
 * Load the programs, with room for @flows_max flows. Returns 0 and *@measure, or a negative errno
 * with a sentence in @error.
 */
int measure_open(__u32 flows_max, struct measure **measure, struct text_error *error);

/* Detach everywhere and forget everything. NULL is nothing. */
void measure_close(struct measure *measure);

/* Measure these services and no others. Returns 0 or a negative errno with a sentence in @error. */
int measure_set_services(struct measure *measure, const struct measure_service *services,
			 size_t count, struct text_error *error);

/*
 * Measure what passes @device, in both directions. Programs and filters of others on it stay, and
 * run as before. Returns 0 or a negative errno with a sentence in @error: -EEXIST when it is
 * attached there already, -ENODEV, -ENOSPC when there are MEASURE_DEVICES_MAX.
 */
int measure_attach(struct measure *measure, const char *device, enum measure_hook hook,
		   struct text_error *error);

/* Returns 0, or -ENOENT when nothing is attached there. */
int measure_detach(struct measure *measure, const char *device);

/*
 * Does what passes @device still pass our programs? Returns 0 or -ENOENT: nothing was attached
 * there, or the device went or someone took the programs away; then detach and attach again.
 */
int measure_check(const struct measure *measure, const char *device);

/* How it is attached, "tcx" or "clsact"; NULL when it is not. */
const char *measure_attached_by(const struct measure *measure, const char *device);

/* What was counted under @index, over all CPUs. Returns 0 or a negative errno. */
int measure_read(const struct measure *measure, __u32 index, struct measure_counters *sum);

#endif
