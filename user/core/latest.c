/* SPDX-License-Identifier: GPL-2.0-only */
#include "latest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elapsed.h"

static const struct latest_config default_config = {.late_ms = 5000, .gap_max_ms = 5000};

const struct latest_config *latest_config_default(void)
{
	return &default_config;
}

int latest_init(struct latest *latest, size_t nodes)
{
	size_t buckets = 16;

	while (buckets < nodes * 2)
		buckets *= 2;
	*latest = (struct latest){
		.nodes = calloc(nodes + 1, sizeof(*latest->nodes)),
		.room = nodes,
		.buckets = calloc(buckets, sizeof(*latest->buckets)),
		.bucket_count = buckets,
	};
	if (latest->nodes && latest->buckets)
		return 0;
	latest_free(latest);
	return -ENOMEM;
}

void latest_free(struct latest *latest)
{
	free(latest->nodes);
	free(latest->buckets);
	*latest = (struct latest){};
}

/* FNV-1a. Who sends reports cannot choose what is in the table. */
static size_t bucket_of(const struct latest *latest, const char *name)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3ULL;
	return (hash ^ hash >> 32) & (latest->bucket_count - 1);
}

/* The node's bucket, or the empty one where it belongs. */
static __u32 *find(const struct latest *latest, const char *name)
{
	size_t bucket = bucket_of(latest, name);

	while (latest->buckets[bucket] &&
	       strcmp(latest->nodes[latest->buckets[bucket] - 1].name, name))
		bucket = (bucket + 1) & (latest->bucket_count - 1);
	return &latest->buckets[bucket];
}

void latest_inherit(struct latest *latest, const struct latest *old)
{
	latest->report_clock_ms = old->report_clock_ms;
	latest->anybody = old->anybody;
	latest->anybody_ms = old->anybody_ms;
}

size_t latest_add(struct latest *latest, const struct latest *old, const char *name)
{
	__u32 *bucket = find(latest, name);
	const __u32 *known = old && old->buckets ? find(old, name) : NULL;
	struct latest_node *node;

	if (*bucket)
		return *bucket - 1;
	node = &latest->nodes[latest->count++];
	*bucket = latest->count;
	if (known && *known) {
		*node = old->nodes[*known - 1];
	} else {
		strncpy(node->name, name, sizeof(node->name) - 1);
		node->stamp_ms = latest->report_clock_ms;
	}
	return *bucket - 1;
}

static enum latest_verdict judge(struct latest_node *node, const struct latest_config *config,
				 const struct report *report, int64_t now_ms)
{
	bool rising;

	if (!node->reported || !(report->fields & node->report.fields & REPORT_LAST_SEEN))
		return LATEST_TAKEN;
	if (report->last_seen_ms == node->report.last_seen_ms &&
	    !memcmp(report, &node->report, sizeof(*report)))
		return LATEST_DUPLICATE;
	if (report->last_seen_ms >= node->report.last_seen_ms)
		return LATEST_TAKEN;

	rising = node->late_before && report->last_seen_ms > node->late_seen_ms;
	node->late_before = true;
	node->late_seen_ms = report->last_seen_ms;
	return rising && elapsed_ms(now_ms, node->arrived_ms) >= config->late_ms ? LATEST_TAKEN
										 : LATEST_LATE;
}

static void run_clock(struct latest *latest, const struct latest_config *config, int64_t now_ms)
{
	int64_t gap_ms = latest->anybody ? elapsed_ms(now_ms, latest->anybody_ms) : 0;

	latest->report_clock_ms += gap_ms < config->gap_max_ms ? gap_ms : config->gap_max_ms;
	latest->anybody = true;
	latest->anybody_ms = now_ms;
}

enum latest_verdict latest_put(struct latest *latest, const struct latest_config *config,
			       const struct report *report, int64_t now_ms, int64_t unix_ms,
			       size_t *index)
{
	__u32 bucket = *find(latest, report->node);
	enum latest_verdict verdict;
	struct latest_node *node;

	if (!bucket)
		return LATEST_STRANGER;
	*index = bucket - 1;
	node = &latest->nodes[*index];
	verdict = judge(node, config, report, now_ms);
	if (verdict != LATEST_TAKEN)
		return verdict;

	run_clock(latest, config, now_ms);
	node->first_age_ms = 0;
	if (!node->reported && report->fields & REPORT_LAST_SEEN)
		node->first_age_ms = elapsed_ms(unix_ms, report->last_seen_ms);
	node->report = *report;
	node->reported = true;
	node->late_before = false;
	node->stamp_ms = latest->report_clock_ms;
	node->arrived_ms = now_ms;
	return LATEST_TAKEN;
}

const struct report *latest_report(const struct latest *latest, size_t index)
{
	return latest->nodes[index].reported ? &latest->nodes[index].report : NULL;
}

int64_t latest_age_ms(const struct latest *latest, size_t index)
{
	const struct latest_node *node = &latest->nodes[index];
	int64_t age_ms = latest->report_clock_ms - node->stamp_ms;

	return __builtin_add_overflow(age_ms, node->first_age_ms, &age_ms) ? INT64_MAX : age_ms;
}

int64_t latest_silence_ms(const struct latest *latest, int64_t now_ms)
{
	return latest->anybody ? elapsed_ms(now_ms, latest->anybody_ms) : 0;
}
