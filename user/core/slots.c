/* SPDX-License-Identifier: GPL-2.0-only */
#include "slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bias.h"
#include "candidates.h"
#include "keys.h"

/* Past this error of a share the biases are not enough, and the wanted weights make the table. */
#define ERROR_MAX_PPM 10000

/* What the steps below share: one service, its backends by index, its slots by those indices. */
struct work {
	struct model_backend *backends;
	__u32 count;
	struct contender *contenders;
	__u32 *wanted;
	__u16 *bias;
	struct slot *slots;
	__u32 slot_count;
	struct bias_fit fit;
};

int slot_ranges_add(struct slot_ranges *ranges, struct slot_range range)
{
	if (ranges->count == ranges->room) {
		size_t room = ranges->room ? ranges->room * 2 : 64;
		struct slot_range *more = reallocarray(ranges->range, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		ranges->range = more;
		ranges->room = room;
	}
	ranges->range[ranges->count++] = range;
	return 0;
}

static bool range_free(const struct slot_ranges *ranges, struct slot_range wanted)
{
	size_t i;

	for (i = 0; i < ranges->count; i++) {
		const struct slot_range *taken = &ranges->range[i];

		if (wanted.base < taken->base + taken->count &&
		    taken->base < wanted.base + wanted.count)
			return false;
	}
	return true;
}

int slot_ranges_take(struct slot_ranges *ranges, __u32 count, __u32 slots_max,
		     struct slot_range *taken)
{
	struct slot_range range = {.count = count};

	for (; range.base + count <= slots_max; range.base += count) {
		if (range_free(ranges, range)) {
			*taken = range;
			return slot_ranges_add(ranges, range);
		}
	}
	return -ENOSPC;
}

__u32 backend_wanted(const struct model_backend *backend)
{
	if (backend->state != BACKEND_UP || backend->next_hop.state != NEXT_HOP_RESOLVED)
		return 0;
	return backend->weight_milli;
}

/* Were the slots made with this set of backends and these base weights (or a re-base of them)? */
static bool slots_current(const struct model_service *service, const struct work *work, bool stale)
{
	__u32 i;

	if (stale || !service->slots.count || service->slots.count != work->slot_count)
		return false;
	for (i = 0; i < work->count; i++) {
		if (work->backends[i].base_weight && !work->backends[i].table_weight)
			return false;
	}
	return true;
}

static int work_init(struct work *work, const struct model_service *service,
		     struct model_backend *backends, size_t count,
		     const struct settings *settings)
{
	__u32 i;

	memset(work, 0, sizeof(*work));
	work->backends = backends;
	work->count = count;
	work->slot_count = service->slot_count ? service->slot_count : slot_count_default(count);
	work->contenders = calloc(count + 1, sizeof(*work->contenders));
	work->wanted = calloc(count + 1, sizeof(*work->wanted));
	work->bias = calloc(count + 1, sizeof(*work->bias));
	work->slots = malloc(work->slot_count * sizeof(*work->slots));
	if (!work->contenders || !work->wanted || !work->bias || !work->slots)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		work->wanted[i] = backend_wanted(&backends[i]);
		work->bias[i] = backends[i].bias;
		work->contenders[i].identity = identity(settings->seed, KEY_BACKEND,
							&backends[i].address, backends[i].port, 0);
	}
	return 0;
}

static void work_free(struct work *work)
{
	free(work->contenders);
	free(work->wanted);
	free(work->bias);
	free(work->slots);
}

int slots_by_index(const struct slots_view *view, struct slot_range range,
		   const struct model_backend *backends, __u32 count, struct slot *slots)
{
	__u16 *index_of = malloc(65536 * sizeof(*index_of));
	const struct slot *from = view->slots + range.base;
	__u32 i, c;

	if (!index_of)
		return -ENOMEM;
	memset(index_of, 0xff, 65536 * sizeof(*index_of));
	for (i = 0; i < count; i++)
		index_of[backends[i].id] = i;
	for (i = 0; i < range.count; i++) {
		for (c = 0; c < CANDIDATES; c++)
			slots[i].candidate[c] = index_of[from[i].candidate[c]];
	}
	free(index_of);
	return 0;
}

static int solve(struct work *work)
{
	return bias_solve(work->slots, work->slot_count, work->wanted, work->count, work->bias,
			  &work->fit);
}

static bool fits(const struct work *work)
{
	return !work->fit.saturated && work->fit.error_max_ppm <= ERROR_MAX_PPM;
}

/* A table of the base weights. */
static int build_base(struct work *work)
{
	__u32 i;

	for (i = 0; i < work->count; i++)
		work->contenders[i].table_weight = work->backends[i].base_weight;
	return candidates_build(work->contenders, work->count, work->slots, work->slot_count);
}

/* A table of the wanted weights; who is wanted nowhere keeps a little, to come back by bias. */
static int build_wanted(struct work *work)
{
	__u32 largest = 1;
	__u32 i;

	for (i = 0; i < work->count; i++) {
		if (work->wanted[i] > largest)
			largest = work->wanted[i];
	}
	for (i = 0; i < work->count; i++) {
		__u32 weight = (__u64)work->wanted[i] * 65535 / largest;

		work->contenders[i].table_weight =
			!weight && work->backends[i].base_weight ? 1 : weight;
	}
	return candidates_build(work->contenders, work->count, work->slots, work->slot_count);
}

/* Slots from scratch: of the base weights if biases can do the rest, else of the wanted weights. */
static int build(struct work *work)
{
	int err = build_base(work);

	if (!err)
		err = solve(work);
	if (err || fits(work))
		return err;
	err = build_wanted(work);
	return err ? err : solve(work);
}

/* Is this the table that is in use already? Then nothing is gained by another copy of it. */
static bool same_table(const struct work *work)
{
	__u32 i;

	for (i = 0; i < work->count; i++) {
		if (work->contenders[i].table_weight != work->backends[i].table_weight)
			return false;
	}
	return true;
}

/* Give the new slots a range; the ones in use stay for flows older than the change. */
static int move_slots(struct work *work, struct model_service *service,
		      const struct settings *settings, __u64 now_ns, struct slot_ranges *ranges)
{
	struct slot_range range;
	__u32 i, c;
	int err = slot_ranges_take(ranges, work->slot_count, settings->slots_max, &range);

	if (err)
		return err;
	if (service->slots.count) {
		service->old_slots = service->slots;
		service->old_until_ns = now_ns + BACKEND_GRACE_NS;
	}
	service->slots = range;
	for (i = 0; i < work->count; i++)
		work->backends[i].table_weight = work->contenders[i].table_weight;
	for (i = 0; i < work->slot_count; i++) {
		for (c = 0; c < CANDIDATES; c++) {
			__u16 index = work->slots[i].candidate[c];

			work->slots[i].candidate[c] =
				index == CANDIDATE_NONE ? index : work->backends[index].id;
		}
		work->slots[i].spare = 0;
	}
	return 0;
}

int slots_update(struct model_service *service, struct model_backend *backends, size_t count,
		 bool stale, const struct slots_view *view, const struct settings *settings,
		 __u64 now_ns, struct slot_ranges *ranges, struct slot **made)
{
	struct work work;
	bool current;
	__u32 i;
	int err = work_init(&work, service, backends, count, settings);

	*made = NULL;
	if (err)
		goto out;
	current = slots_current(service, &work, stale);
	if (current) {
		err = slots_by_index(view, service->slots, backends, count, work.slots);
		if (!err)
			err = solve(&work);
	}
	if (!err && (!current || !fits(&work))) {
		err = build(&work);
		if (!err && !(current && same_table(&work))) {
			err = move_slots(&work, service, settings, now_ns, ranges);
			*made = err ? NULL : work.slots;
		}
	}
	for (i = 0; !err && i < count; i++)
		backends[i].bias = work.bias[i];
	if (*made)
		work.slots = NULL;
out:
	work_free(&work);
	return err;
}
