/* SPDX-License-Identifier: GPL-2.0-only */
#include "counters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "../../maps/event.h"
#define BATCH 256 /* elements that one call reads */

/* Values come CPU by CPU, each an element's @words. */
static void add_words(const __u64 *values, __u32 cpu_count, __u64 *sum, size_t words)
{
	memset(sum, 0, words * sizeof(*sum));
	for (size_t i = 0; i < cpu_count * words; i++)
		sum[i % words] += values[i];
}

/* Add up one element of a per-CPU array whose values are @words 64-bit words. */
static int sum_words(const struct maps *maps, int fd, __u32 key, __u64 *sum, size_t words)
{
	__u32 cpu_count = maps->settings->cpu_count;
	__u64 *values = calloc((size_t)cpu_count * words, sizeof(*values));
	int err = 0;

	memset(sum, 0, words * sizeof(*sum));
	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &key, values))
		err = -errno;
	else
		add_words(values, cpu_count, sum, words);
	free(values);
	return err;
}

int counters_service(const struct maps *maps, __u16 id, struct service_counters *sum)
{
	return sum_words(maps, maps->service_counters_fd, id, (__u64 *)sum, sizeof(*sum) / 8);
}

int counters_backend(const struct maps *maps, __u16 id, struct backend_counters *sum)
{
	return sum_words(maps, maps->backend_counters_fd, id, (__u64 *)sum, sizeof(*sum) / 8);
}

int counters_backends(const struct maps *maps, __u32 count, struct backend_counters *sums)
{
	size_t words = sizeof(*sums) / 8, words_each = words * maps->settings->cpu_count;
	__u64 *values = calloc(BATCH, words_each * sizeof(*values));
	__u32 keys[BATCH], last, got, id = 0;
	int err = values ? 0 : -ENOMEM;

	while (id < count && !err) {
		got = count - id < BATCH ? count - id : BATCH;
		/* It goes on behind @last; ENOENT: that was the end of the map. */
		if (bpf_map_lookup_batch(maps->backend_counters_fd, id ? &last : NULL, &last, keys,
					 values, &got, NULL) &&
		    errno != ENOENT)
			err = -errno;
		else if (!got)
			err = -ENOENT;
		for (__u32 i = 0; i < got && !err; i++)
			add_words(&values[i * words_each], maps->settings->cpu_count,
				  (__u64 *)&sums[id + i], words);
		id += got;
	}
	free(values);
	return err;
}

int counters_drop(const struct maps *maps, enum drop_reason reason, struct drop_counters *sum)
{
	return sum_words(maps, maps->drop_counters_fd, reason, (__u64 *)sum, sizeof(*sum) / 8);
}

int counters_rule(const struct maps *maps, __u16 id, struct rule_counters *sum)
{
	return sum_words(maps, maps->rule_counters_fd, id, (__u64 *)sum, sizeof(*sum) / 8);
}

int counters_skipped_events(const struct maps *maps, __u64 *skipped)
{
	struct event_budget sum;
	int err = sum_words(maps, maps->event_budget_fd, 0, (__u64 *)&sum, sizeof(sum) / 8);

	*skipped = sum.skipped;
	return err;
}

__u64 counters_open_flows(const struct maps *maps, __u16 id)
{
	__u32 backends_max = maps->settings->backends_max;
	int64_t sum = 0;
	__u32 cpu;

	for (cpu = 0; cpu < maps->settings->cpu_count; cpu++)
		sum += maps->open_flows[(size_t)cpu * backends_max + id];
	return sum > 0 ? sum : 0;
}

void counters_cpus(const struct maps *maps, struct cpu_counters *sum)
{
	__u32 cpu;

	memset(sum, 0, sizeof(*sum));
	for (cpu = 0; cpu < maps->settings->cpu_count; cpu++) {
		const struct cpu_memory *memory = &maps->cpus[cpu];

		sum->found_elsewhere += memory->found_elsewhere;
		sum->echo_replies += memory->echo_replies;
		sum->too_big_errors += memory->too_big_errors;
	}
}
