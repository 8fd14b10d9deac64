/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sweep over the prefixes in the order of their first addresses, with a stack of those that the
 * sweep is in: prefixes either lie apart or one in the other, so the innermost is on top. It begins
 * a stretch where it starts, and what is below it begins another where it ends.
 */
#include "policy_flatten.h"

#include <errno.h>
#include <stdlib.h>

#define NESTING_MAX 129

static const struct wide lowest[FAMILIES] = {{{0, 0xffffULL << 32}}, {{0, 0}}};
static const struct wide highest[FAMILIES] = {{{0, 0xffffffffffffULL}}, {{~0ULL, ~0ULL}}};

/* At the same address the longer lies inside; of one prefix, the rule that decides comes first. */
static int compare(const void *left, const void *right)
{
	const struct flat_prefix *a = left, *b = right;
	int order = wide_compare(&a->first, &b->first);

	if (!order)
		order = (int)a->bits - (int)b->bits;
	if (!order)
		order = (int)b->action - (int)a->action;
	return order ? order : (a->order > b->order) - (a->order < b->order);
}

static struct wide last_of(const struct flat_prefix *prefix, enum family family)
{
	unsigned int tail = family_bits(family) - prefix->bits;
	struct wide last = prefix->first;

	if (tail >= 64) {
		last.word[1] = ~0ULL;
		last.word[0] |= tail == 64 ? 0 : ~0ULL >> (128 - tail);
	} else if (tail) {
		last.word[1] |= ~0ULL >> (64 - tail);
	}
	return last;
}

static struct wide next_after(struct wide address)
{
	address.word[1]++;
	address.word[0] += !address.word[1];
	return address;
}

static bool same_decision(const struct policy_boundary *boundary, const struct flat_prefix *prefix)
{
	return prefix ? boundary->rule == prefix->rule && boundary->bits == prefix->bits
		      : !boundary->rule;
}

static bool begins_at(const struct policy_boundary *boundary, const struct wide *address)
{
	return boundary->address[0] == address->word[0] && boundary->address[1] == address->word[1];
}

static int make_room(struct boundary_list *list)
{
	size_t room = list->room ? 2 * list->room : 64;
	struct policy_boundary *grown;

	if (list->count < list->room)
		return 0;
	if (list->count == POLICY_BOUNDARIES_MAX)
		return -ENOSPC;
	grown = reallocarray(list->items, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->items = grown;
	list->room = room;
	return 0;
}

/* From @address on @prefix decides; NULL: none. The run began at the boundary @start. */
static int put(struct boundary_list *list, size_t start, const struct wide *address,
	       const struct flat_prefix *prefix)
{
	int err;

	/* What was to begin here as well lies around this, or has ended before it. */
	if (list->count > start && begins_at(&list->items[list->count - 1], address))
		list->count--;
	if (list->count > start && same_decision(&list->items[list->count - 1], prefix))
		return 0;
	err = make_room(list);
	if (err)
		return err;
	list->items[list->count++] = (struct policy_boundary){
		.address = {address->word[0], address->word[1]},
		.rule = prefix ? prefix->rule : 0,
		.bits = prefix ? prefix->bits : 0,
		.action = prefix ? prefix->action : RULE_NONE,
	};
	return 0;
}

struct sweep {
	struct boundary_list *list;
	size_t start;
	enum family family;
	struct {
		const struct flat_prefix *prefix;
		struct wide last;
	} open[NESTING_MAX];
	size_t depth;
};

/* Leave the prefixes that end before @address; NULL: all. */
static int leave(struct sweep *sweep, const struct wide *address)
{
	while (sweep->depth) {
		struct wide last = sweep->open[sweep->depth - 1].last, next = next_after(last);
		int err;

		if (address && wide_compare(&last, address) >= 0)
			break;
		sweep->depth--;
		if (!wide_compare(&last, &highest[sweep->family]))
			continue;
		err = put(sweep->list, sweep->start, &next,
			  sweep->depth ? sweep->open[sweep->depth - 1].prefix : NULL);
		if (err)
			return err;
	}
	return 0;
}

static int enter(struct sweep *sweep, const struct flat_prefix *prefix)
{
	int err = leave(sweep, &prefix->first);

	if (err)
		return err;
	sweep->open[sweep->depth].prefix = prefix;
	sweep->open[sweep->depth].last = last_of(prefix, sweep->family);
	sweep->depth++;
	return put(sweep->list, sweep->start, &prefix->first, prefix);
}

int policy_flatten(struct flat_prefix *prefixes, size_t count, enum family family,
		   struct boundary_list *list)
{
	struct sweep sweep = {.list = list, .start = list->count, .family = family};
	int err;

	qsort(prefixes, count, sizeof(*prefixes), compare);
	err = put(list, sweep.start, &lowest[family], NULL);
	for (size_t i = 0; i < count && !err; i++) {
		if (i && prefixes[i].bits == prefixes[i - 1].bits &&
		    !wide_compare(&prefixes[i].first, &prefixes[i - 1].first))
			continue;
		err = enter(&sweep, &prefixes[i]);
	}
	return err ? err : leave(&sweep, NULL);
}
