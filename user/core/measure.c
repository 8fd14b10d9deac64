/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WORDS (sizeof(struct measure_counters) / sizeof(__u64))

static int compare_entries(const void *left, const void *right)
{
	const struct measure_entry *a = left, *b = right;

	return memcmp(&a->key, &b->key, sizeof(a->key));
}

int measure_entries(const struct measure_service *services, size_t count,
		    struct measure_entry *entries)
{
	size_t i;

	if (count > MEASURE_SERVICES_MAX)
		return -ERANGE;
	for (i = 0; i < count; i++) {
		if (services[i].index >= MEASURE_SERVICES_MAX)
			return -ERANGE;
		entries[i] = (struct measure_entry){
			.key.port = htons(services[i].port),
			.key.protocol = services[i].protocol,
			.index = services[i].index,
		};
		memcpy(entries[i].key.vip, services[i].vip.word, sizeof(entries[i].key.vip));
	}
	qsort(entries, count, sizeof(*entries), compare_entries);
	for (i = 1; i < count; i++) {
		if (!compare_entries(&entries[i - 1], &entries[i]))
			return -EEXIST;
	}
	return 0;
}

void measure_add(struct measure_counters *sum, const struct measure_counters *part)
{
	const __u64 *from = (const __u64 *)part;
	__u64 *to = (__u64 *)sum;
	size_t i;

	for (i = 0; i < WORDS; i++)
		to[i] += from[i];
}

/* Sums of squares go round; everything else only grows. */
static bool began_anew(const struct measure_counters *before, const struct measure_counters *after)
{
	return after->segments < before->segments ||
	       after->syn_retransmits_received < before->syn_retransmits_received ||
	       after->resets_received < before->resets_received ||
	       after->rtt.sum_us < before->rtt.sum_us ||
	       after->response.sum_us < before->response.sum_us;
}

static void subtract(const struct measure_counters *before, const struct measure_counters *after,
		     struct measure_counters *difference)
{
	const __u64 *a = (const __u64 *)after, *b = (const __u64 *)before;
	__u64 *to = (__u64 *)difference;
	size_t i;

	*difference = *after;
	if (began_anew(before, after))
		return;
	for (i = 0; i < WORDS; i++)
		to[i] = a[i] - b[i];
}

/* The samples of a bucket are taken to lie evenly in it. */
static double percentile_us(const struct measure_histogram *histogram, __u64 count, double percent)
{
	double rank = count * percent / 100;
	double below = 0;
	unsigned int i;

	for (i = 0; i < MEASURE_BUCKETS; i++) {
		double here = histogram->bucket[i];
		double low = i ? (double)(1ULL << i) : 0;
		double high = (double)(2ULL << i);

		if (here > 0 && below + here >= rank)
			return low + (high - low) * (rank - below) / here;
		below += here;
	}
	return 0;
}

static void summarise(const struct measure_histogram *histogram, struct measure_times *times)
{
	double variance;
	unsigned int i;

	memset(times, 0, sizeof(*times));
	for (i = 0; i < MEASURE_BUCKETS; i++)
		times->count += histogram->bucket[i];
	if (!times->count)
		return;
	times->mean_us = (double)histogram->sum_us / times->count;
	variance =
		(double)histogram->square_sum_us2 / times->count - times->mean_us * times->mean_us;
	times->deviation_us = variance > 0 ? sqrt(variance) : 0;
	times->p50_us = percentile_us(histogram, times->count, 50);
	times->p95_us = percentile_us(histogram, times->count, 95);
	times->p99_us = percentile_us(histogram, times->count, 99);
}

void measure_window(const struct measure_counters *before, const struct measure_counters *after,
		    __u64 elapsed_ns, struct measure_window *window)
{
	double per_s = elapsed_ns ? 1e9 / elapsed_ns : 0;
	struct measure_counters counted;

	subtract(before, after, &counted);
	memset(window, 0, sizeof(*window));
	window->segments_per_s = counted.segments * per_s;
	window->bytes_per_s = counted.bytes * per_s;
	window->retransmitted_segments_per_s = counted.retransmitted_segments * per_s;
	window->retransmitted_bytes_per_s = counted.retransmitted_bytes * per_s;
	window->syn_retransmits_sent_per_s = counted.syn_retransmits_sent * per_s;
	window->syn_retransmits_received_per_s = counted.syn_retransmits_received * per_s;
	window->resets_sent_per_s = counted.resets_sent * per_s;
	window->resets_received_per_s = counted.resets_received * per_s;
	/* A socket may own up to more than what passes: segments that were lost inside the node. */
	if (counted.data_segments)
		window->retransmit_percent =
			fmin(100, 100.0 * counted.retransmitted_segments / counted.data_segments);
	summarise(&counted.rtt, &window->rtt);
	summarise(&counted.response, &window->response);
	window->requests_per_s = window->response.count * per_s;
}
