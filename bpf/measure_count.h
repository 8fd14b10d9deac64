/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which service a segment belongs to, and its counters. They are the CPU's own, and no program of
 * ours interrupts another on the same CPU, so they are added to without a lock.
 */
#ifndef SLUICE_BPF_MEASURE_COUNT_H
#define SLUICE_BPF_MEASURE_COUNT_H

#include "../maps/measure_maps.bpf.h"
#include "measure_segment.h"

static __always_inline bool is_any_port_served(void)
{
	__u32 zero = 0;
	const struct measure_settings *settings = bpf_map_lookup_elem(&measure_settings, &zero);

	return settings && settings->any_port;
}

static __always_inline struct measure_counters *counters_of(const struct segment *segment)
{
	struct measure_key key = {.port = segment->local_port, .protocol = segment->protocol};
	__u32 *index;

	__builtin_memcpy(key.vip, segment->local, sizeof(key.vip));
	index = bpf_map_lookup_elem(&measure_services, &key);
	if (!index && is_any_port_served()) {
		key.port = 0;
		index = bpf_map_lookup_elem(&measure_services, &key);
	}
	return index ? bpf_map_lookup_elem(&measure_counters, index) : NULL;
}

/* What can be sent again. */
static __always_inline bool takes_sequence_numbers(const struct segment *segment)
{
	return segment->payload_bytes || segment->flags & (TCP_SYN | TCP_FIN);
}

static __always_inline void count_sent(struct measure_counters *counters,
				       const struct segment *segment)
{
	counters->segments += segment->count;
	counters->bytes += segment->payload_bytes;
	if (segment->protocol != IPPROTO_TCP)
		return;
	if (takes_sequence_numbers(segment))
		counters->data_segments += segment->count;
	if (segment->flags & TCP_RST)
		counters->resets_sent++;
}

static __always_inline void count_again(struct measure_counters *counters, __u32 segments,
					__u32 bytes)
{
	counters->retransmitted_segments += segments;
	counters->retransmitted_bytes += bytes;
}

/* Rounded down; 0 of 0. */
static __always_inline __u32 log2_of(__u32 value)
{
	__u32 bits = 0;
	__u32 shift;

	for (shift = 16; shift; shift /= 2) {
		if (value >> shift) {
			value >>= shift;
			bits += shift;
		}
	}
	return bits;
}

static __always_inline void add_sample(struct measure_histogram *histogram, __u64 us)
{
	__u32 bucket;

	if (us >> MEASURE_BUCKETS)
		us = (1 << MEASURE_BUCKETS) - 1;
	bucket = log2_of(us);
	histogram->sum_us += us;
	histogram->square_sum_us2 += us * us;
	if (bucket < MEASURE_BUCKETS) /* for the verifier, which cannot know */
		histogram->bucket[bucket]++;
}

#endif
