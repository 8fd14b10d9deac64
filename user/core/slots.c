/* SPDX-License-Identifier: GPL-2.0-only */
#include "slots.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bias.h"
#include "candidates.h"
#include "keys.h"

/* Past this error of a share the biases are not enough, and the wanted weights make the table. */
#define ERROR_MAX_PPM 10000

/* One service: what its slots and biases are made from. */
struct work {
	struct model_backend *backends;
	__u32 count;
	__u32 slot_count;
	__u64 seed;
	__u32 *wanted;
	__u32 wanted_largest;
};

/* Slots, by index into the backends, and what biases can make of them. */
struct table {
	struct contender *contenders; /* that it was made from; NULL: it is the one in use */
	struct slot *slots;
	__u16 *bias;
	struct bias_fit fit;
};

/* In the order of their bases, so that one pass finds a free one. */
int slot_ranges_add(struct slot_ranges *ranges, struct slot_range range)
{
	size_t position = ranges->count;

	if (ranges->count == ranges->room) {
		size_t room = ranges->room ? ranges->room * 2 : 64;
		struct slot_range *more = reallocarray(ranges->range, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		ranges->range = more;
		ranges->room = room;
	}
	for (; position && ranges->range[position - 1].base > range.base; position--)
		ranges->range[position] = ranges->range[position - 1];
	ranges->range[position] = range;
	ranges->count++;
	return 0;
}

int slot_ranges_take(struct slot_ranges *ranges, __u32 count, __u32 slots_max,
		     struct slot_range *taken)
{
	__u64 base = 0;
	size_t i;

	for (i = 0; i < ranges->count && ranges->range[i].base < base + count; i++) {
		__u64 end = (__u64)ranges->range[i].base + ranges->range[i].count;

		if (end > base)
			base = (end + count - 1) / count * count;
	}
	if (base + count > slots_max)
		return -ENOSPC;
	*taken = (struct slot_range){base, count};
	return slot_ranges_add(ranges, *taken);
}

__u32 backend_wanted(const struct model_backend *backend)
{
	if (backend->state != BACKEND_UP || backend->failed ||
	    backend->next_hop.state != NEXT_HOP_RESOLVED)
		return 0;
	return backend->weight_milli;
}

static int work_init(struct work *work, const struct model_service *service,
		     struct model_backend *backends, size_t count, __u64 seed)
{
	__u32 i;

	memset(work, 0, sizeof(*work));
	work->backends = backends;
	work->count = count;
	work->slot_count = service->slot_count ? service->slot_count : slot_count_default(count);
	work->seed = seed;
	work->wanted = malloc((count + 1) * sizeof(*work->wanted));
	if (!work->wanted)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		work->wanted[i] = backend_wanted(&backends[i]);
		if (work->wanted[i] > work->wanted_largest)
			work->wanted_largest = work->wanted[i];
	}
	return 0;
}

/* Were the slots made with this set of backends and these base weights (or a re-base of them)? */
static bool slots_current(const struct work *work, const struct model_service *service, bool stale)
{
	__u32 i;

	if (stale || service->slots.count != work->slot_count)
		return false;
	for (i = 0; i < work->count; i++) {
		const struct model_backend *backend = &work->backends[i];

		if (backend->base_changed || (backend->base_weight && !backend->table_weight))
			return false;
	}
	return true;
}

int slots_by_index(const struct slots_view *view, struct slot_range range,
		   const struct model_backend *backends, __u32 count, struct slot *slots)
{
	/* For every id that a slot can hold: no comparison in the loop below. */
	__u16 *index_of = malloc((UINT16_MAX + 1) * sizeof(*index_of));
	const struct slot *from = view->slots + range.base;
	__u32 i;

	if (!index_of)
		return -ENOMEM;
	memset(index_of, 0xff, (UINT16_MAX + 1) * sizeof(*index_of)); /* CANDIDATE_NONE */
	for (i = 0; i < count; i++)
		index_of[backends[i].id] = i;
	for (i = 0; i < range.count; i++) {
		const __u16 *id = from[i].candidate;

		slots[i] = (struct slot){
			.candidate = {index_of[id[0]], index_of[id[1]], index_of[id[2]]}};
	}
	free(index_of);
	return 0;
}

static int table_init(struct table *table, const struct work *work)
{
	table->slots = malloc(work->slot_count * sizeof(*table->slots));
	table->bias = malloc((work->count + 1) * sizeof(*table->bias));
	return table->slots && table->bias ? 0 : -ENOMEM;
}

static void table_free(struct table *table)
{
	free(table->contenders);
	free(table->slots);
	free(table->bias);
}

static int solve(struct table *table, const struct work *work)
{
	return bias_solve(table->slots, work->slot_count, work->wanted, work->count, table->bias,
			  &table->fit);
}

/* The table in use. */
static int table_read(struct table *table, const struct work *work, const struct slots_view *view,
		      struct slot_range range)
{
	int err = table_init(table, work);

	if (!err)
		err = slots_by_index(view, range, work->backends, work->count, table->slots);
	return err ? err : solve(table, work);
}

/* Who is wanted nowhere now keeps a little, to come back by bias. */
static __u16 wanted_table_weight(const struct work *work, __u32 i)
{
	__u32 weight = 0;

	if (work->wanted[i])
		weight = (__u64)work->wanted[i] * 65535 / work->wanted_largest;
	else if (!work->backends[i].base_weight)
		return 0;
	return weight ? weight : 1;
}

/* A new table: of the base weights, or of the wanted ones (a re-base). */
static int table_build(struct table *table, const struct work *work, bool rebase)
{
	int err = table_init(table, work);
	__u32 i;

	if (err)
		return err;
	table->contenders = malloc((work->count + 1) * sizeof(*table->contenders));
	if (!table->contenders)
		return -ENOMEM;
	for (i = 0; i < work->count; i++) {
		const struct model_backend *backend = &work->backends[i];

		table->contenders[i].identity =
			identity(work->seed, KEY_BACKEND, &backend->address, backend->port, 0);
		table->contenders[i].table_weight =
			rebase ? wanted_table_weight(work, i) : backend->base_weight;
	}
	err = candidates_build(table->contenders, work->count, table->slots, work->slot_count);
	return err ? err : solve(table, work);
}

static bool fits(const struct table *table)
{
	return table->fit.error_max_ppm <= ERROR_MAX_PPM;
}

/*
 * Another table moves flows and costs a copy, so it must halve the error: where no table helps (a
 * share too small for a bias of 16 bits) every change of a weight would make one.
 */
static bool is_better(const struct table *table, const struct table *than)
{
	return table->fit.error_max_ppm <= than->fit.error_max_ppm / 2;
}

/*
 * Which of three tables: the one in use while it is @current and fits, that of the base weights, or
 * that of the wanted ones. Those that are not needed are not made.
 */
static int choose_table(struct table tables[3], const struct work *work,
			const struct model_service *service, bool current,
			const struct slots_view *view, struct table **chosen)
{
	int err = current ? table_read(&tables[0], work, view, service->slots) : 0;

	*chosen = current ? &tables[0] : NULL;
	if (err || (current && fits(*chosen)))
		return err;
	err = table_build(&tables[1], work, false);
	if (err)
		return err;
	if (!current || is_better(&tables[1], *chosen))
		*chosen = &tables[1];
	if (fits(*chosen))
		return 0;
	err = table_build(&tables[2], work, true);
	if (!err && is_better(&tables[2], *chosen))
		*chosen = &tables[2];
	return err;
}

/* Give new slots a range; the ones in use stay for flows older than the change. */
static int move_slots(const struct work *work, struct table *table, struct model_service *service,
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
	for (i = 0; i < work->count; i++) {
		work->backends[i].table_weight = table->contenders[i].table_weight;
		work->backends[i].base_changed = false;
	}
	for (i = 0; i < work->slot_count; i++) {
		for (c = 0; c < CANDIDATES; c++) {
			__u16 index = table->slots[i].candidate[c];

			table->slots[i].candidate[c] =
				index == CANDIDATE_NONE ? index : work->backends[index].id;
		}
	}
	return 0;
}

int slots_update(struct model_service *service, struct model_backend *backends, size_t count,
		 bool stale, const struct slots_view *view, const struct settings *settings,
		 __u64 now_ns, struct slot_ranges *ranges, struct slot **made)
{
	struct table tables[3] = {};
	struct table *chosen;
	struct work work;
	__u32 i;
	int err = work_init(&work, service, backends, count, settings->seed);

	*made = NULL;
	if (!err)
		err = choose_table(tables, &work, service, slots_current(&work, service, stale),
				   view, &chosen);
	if (err)
		goto out;
	for (i = 0; i < count; i++)
		backends[i].bias = chosen->bias[i];
	if (chosen->contenders) {
		err = move_slots(&work, chosen, service, settings, now_ns, ranges);
		if (!err) {
			*made = chosen->slots;
			chosen->slots = NULL;
		}
	}
out:
	for (i = 0; i < 3; i++)
		table_free(&tables[i]);
	free(work.wanted);
	return err;
}
