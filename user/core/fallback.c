/* SPDX-License-Identifier: GPL-2.0-only */
#include "fallback.h"

#include <string.h>

static bool could_take(const struct fallback_backend *backend)
{
	return backend->usable && backend->healthy;
}

static bool in_region(const struct fallback_backend *backend, const char *region)
{
	return !region || !strcmp(backend->region, region);
}

/* NULL: all regions are equally near. */
static const char *nearest_region(const char *own, const struct fallback_backend *backends,
				  size_t count)
{
	const struct fallback_backend *nearest = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!could_take(&backends[i]))
			continue;
		if (*own && !strcmp(backends[i].region, own))
			return own;
		if (backends[i].latency_ms >= 0 &&
		    (!nearest || backends[i].latency_ms < nearest->latency_ms))
			nearest = &backends[i];
	}
	return nearest ? nearest->region : NULL;
}

static bool choose_nearest(const char *own, struct fallback_backend *backends, size_t count)
{
	const char *region = nearest_region(own, backends, count);
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		if (!could_take(&backends[i]) || !in_region(&backends[i], region))
			continue;
		backends[i].weight_milli = backends[i].base_milli;
		backends[i].chosen = true;
		found = true;
	}
	return found;
}

static bool choose_last_good(struct fallback_backend *backends, size_t count)
{
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		if (!backends[i].usable || !backends[i].good_milli)
			continue;
		backends[i].healthy = true;
		backends[i].weight_milli = backends[i].good_milli;
		backends[i].chosen = true;
		found = true;
	}
	return found;
}

enum fallback_rung fallback_choose(const char *region, struct fallback_backend *backends,
				   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (could_take(&backends[i]) && backends[i].weight_milli)
			return FALLBACK_NONE;
	}
	if (choose_nearest(region, backends, count))
		return FALLBACK_NEAREST;
	return choose_last_good(backends, count) ? FALLBACK_LAST_GOOD : FALLBACK_NOBODY;
}
