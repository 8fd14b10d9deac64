/* SPDX-License-Identifier: GPL-2.0-only */
/* What a steer says of itself, and finds amiss when asked to look. */
#include "steer_private.h"

#include <errno.h>
#include <string.h>

#include "../kernel/state.h"

static void find(json_t *findings, const char *what, const char *repair)
{
	json_array_append_new(findings, json_pack("{s:s, s:s}", "found", what, "repair", repair));
}

/* Whether packets read what the model says of each backend. */
static bool same_as_maps(const struct steer *steer, const struct model *fresh)
{
	const struct model *model = &steer->model;
	unsigned int half = maps_live_half(&steer->maps);

	if (fresh->generation != model->generation ||
	    fresh->service_count != model->service_count ||
	    fresh->backend_count != model->backend_count)
		return false;
	for (size_t i = 0; i < model->backend_count; i++) {
		const struct model_backend *a = &model->backends[i], *b = &fresh->backends[i];
		const struct weight_half *weight = &steer->maps.weights[b->id].half[half];

		if (a->id != b->id || a->bias != b->bias || a->weight_milli != b->weight_milli ||
		    (weight->bias && weight->bias != b->bias))
			return false;
	}
	return true;
}

static void check_maps(struct steer *steer, json_t *findings)
{
	struct model fresh;
	int err;

	settler_wait(steer->settler);
	err = maps_lock(&steer->maps, MAPS_EXCLUSIVE_NOW);
	if (err) {
		find(findings, "the maps are locked by somebody else", "none: look again later");
		return;
	}
	err = state_read(&steer->maps, &fresh);
	if (err == -EBADMSG || (!err && !same_as_maps(steer, &fresh))) {
		find(findings, "the maps are not what was published", "published anew");
		steer->ways_changed = true;
	} else if (err) {
		find(findings, strerror(-err), "none");
	}
	if (!err)
		model_free(&fresh);
	maps_lock(&steer->maps, MAPS_UNLOCKED);
	steer_decide(steer);
}

static void check_ways(struct steer *steer, json_t *findings)
{
	char what[160], text[ADDRESS_TEXT_BYTES];

	for (size_t i = 0; i < steer->model.backend_count; i++) {
		const struct model_backend *backend = &steer->model.backends[i];

		if (backend->state == BACKEND_GONE || backend->next_hop.state == NEXT_HOP_RESOLVED)
			continue;
		snprintf(what, sizeof(what), "backend %s at %s has no next hop: %s", backend->name,
			 address_format(&backend->address, text),
			 next_hop_state_name(backend->next_hop.state));
		find(findings, what, "asked the kernel again");
	}
	ways_look_again(steer->ways);
}

void steer_check(struct steer *steer, json_t *findings)
{
	check_maps(steer, findings);
	check_ways(steer, findings);
}

json_t *steer_json(const struct steer *steer)
{
	return json_pack("{s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:I}", "generation",
			 (json_int_t)steer->model.generation, "publications",
			 (json_int_t)steer->publications, "publications_failed",
			 (json_int_t)steer->refused, "publish_ms", steer->publish_ns / 1e6,
			 "publish_max_ms", steer->publish_max_ns / 1e6, "settle_ms",
			 steer->settle_ns / 1e6, "settle_max_ms", steer->settle_max_ns / 1e6,
			 "next_hop_changes", (json_int_t)ways_changes(steer->ways));
}
