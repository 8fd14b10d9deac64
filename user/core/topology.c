/* SPDX-License-Identifier: GPL-2.0-only */
#include "topology.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reason.h"

static int by_node(const void *a, const void *b)
{
	return strcmp((*(const struct report *const *)a)->node,
		      (*(const struct report *const *)b)->node);
}

/* Sorted, because thousands of backends look for theirs. */
static const struct report **sort_reports(const struct report *reports, size_t count)
{
	const struct report **sorted = calloc(count + 1, sizeof(*sorted));
	size_t i;

	if (!sorted)
		return NULL;
	for (i = 0; i < count; i++)
		sorted[i] = &reports[i];
	qsort(sorted, count, sizeof(*sorted), by_node);
	return sorted;
}

static const struct report *report_of(const char *node, const struct report **sorted, size_t count)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;
		int order = strcmp(node, sorted[middle]->node);

		if (!order)
			return sorted[middle];
		if (order > 0)
			low = middle + 1;
		else
			count = middle;
	}
	return NULL;
}

static bool takes_flows(const struct model_backend *backend, __u32 weight_milli)
{
	return weight_milli && backend->state == BACKEND_UP &&
	       backend->next_hop.state == NEXT_HOP_RESOLVED;
}

/* Reports that are all too old shut everybody out: then it is not the nodes that are hot. */
static void say_age(const struct report *report, double stale_s, int64_t now_ms,
		    struct reason *reason)
{
	char text[NUMBER_BYTES];
	double age_s;

	if (!report || !(report->fields & REPORT_LAST_SEEN))
		return;
	age_s = ((double)now_ms - (double)report->last_seen_ms) / 1000;
	if (age_s > stale_s)
		reason_say(reason, "", " (report %s s old)",
			   reason_compared(text, age_s, stale_s, stale_s));
}

/*
 * A policy that would leave a service without anyone to take its flows is not followed: the weights
 * stay where they were. Better a hot node than none.
 */
static void keep_somebody(const struct model_backend *backends, const struct weight_input *inputs,
			  size_t count, const struct weight_config *config, int64_t now_ms,
			  struct weight_decision *decisions)
{
	bool somebody_now = false, somebody_then = false;
	size_t i;

	for (i = 0; i < count; i++) {
		somebody_now |= takes_flows(&backends[i], backends[i].weight_milli);
		somebody_then |= takes_flows(&backends[i], decisions[i].weight_milli);
	}
	if (somebody_then || !somebody_now)
		return;
	for (i = 0; i < count; i++) {
		struct reason reason = {"kept: all backends would be shut out"};

		say_age(inputs[i].report, config->age.stale_s, now_ms, &reason);
		decisions[i].weight_milli = backends[i].weight_milli;
		decisions[i].changed = false;
		reason_store(&reason, decisions[i].reason);
	}
}

int topology_decide(const struct model *model, const struct report *reports, size_t report_count,
		    enum weight_policy policy, const struct weight_config *config,
		    const char *region, int64_t now_ms, struct weight_decision *decisions)
{
	struct weight_input *inputs = calloc(model->backend_count + 1, sizeof(*inputs));
	const struct report **sorted = sort_reports(reports, report_count);
	size_t live, first, count;
	int err = inputs && sorted ? 0 : -ENOMEM;

	if (err)
		goto out;
	memset(decisions, 0, model->backend_count * sizeof(*decisions));
	/* The live ones come first. */
	for (live = 0; live < model->backend_count; live++) {
		const struct model_backend *backend = &model->backends[live];

		if (backend->state == BACKEND_GONE)
			break;
		inputs[live].base_weight = backend->base_weight;
		inputs[live].weight_milli = backend->weight_milli;
		inputs[live].region = backend->region;
		inputs[live].report = report_of(backend->node, sorted, report_count);
	}
	/* A policy sees the backends of one service at a time; the model keeps them together. */
	for (first = 0; first < live; first += count) {
		for (count = 1; first + count < live; count++) {
			if (model->backends[first + count].service !=
			    model->backends[first].service)
				break;
		}
		weight_decide(policy, config, region, now_ms, inputs + first, count,
			      decisions + first);
		keep_somebody(model->backends + first, inputs + first, count, config, now_ms,
			      decisions + first);
	}
out:
	free(inputs);
	free(sorted);
	return err;
}

void topology_follow(struct model *model, const struct weight_decision *decisions)
{
	size_t i;

	for (i = 0; i < model->backend_count; i++) {
		struct model_backend *backend = &model->backends[i];

		if (backend->state == BACKEND_GONE)
			continue;
		backend->weight_milli = decisions[i].weight_milli;
		memcpy(backend->reason, decisions[i].reason, sizeof(backend->reason));
	}
}

bool topology_knows(const struct model *model, const char *node)
{
	size_t i;

	for (i = 0; i < model->backend_count; i++) {
		if (model->backends[i].state != BACKEND_GONE &&
		    !strcmp(model->backends[i].node, node))
			return true;
	}
	return false;
}
