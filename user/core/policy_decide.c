/* SPDX-License-Identifier: GPL-2.0-only */
/* What the packet path does with an image, for userspace. */
#include <arpa/inet.h>

#include "policy_filter.h"
#include "policy_image.h"

/* A rule that matches, and what decides between it and others. */
struct match {
	__u16 rule; /* 0: none */
	__u8 bits;
	__u8 action;
};

/* The last boundary at or before @address: the run begins with the lowest there is. */
static const struct policy_boundary *find_boundary(const struct policy_boundary *run, __u32 count,
						   const struct wide *address)
{
	__u32 low = 0, high = count;

	while (high - low > 1) {
		__u32 middle = low + (high - low) / 2;
		struct wide begin = {{run[middle].address[0], run[middle].address[1]}};

		if (wide_compare(&begin, address) <= 0)
			low = middle;
		else
			high = middle;
	}
	return &run[low];
}

static struct match ask_scope(const struct policy_image *image, __u32 number,
			      const struct address *source)
{
	const struct policy_scope *scope = &image->scopes[number];
	enum family family = address_family(source);
	struct wide address = address_wide(source);

	if (scope->count[family]) {
		const struct policy_boundary *boundary = find_boundary(
			image->boundaries + scope->first[family], scope->count[family], &address);

		if (boundary->rule)
			return (struct match){boundary->rule, boundary->bits, boundary->action};
	}
	return (struct match){scope->any_rule[family], 0, scope->any_action[family]};
}

static __u32 scope_of(const struct policy_image *image, __u16 service, __u16 port)
{
	for (size_t i = 0; image->scopes[service].has_ports && i < image->port_count; i++) {
		if (image->ports[i].key.service == service &&
		    image->ports[i].key.port == htons(port))
			return image->ports[i].scope;
	}
	return service;
}

/* That of the service goes before that for everything where both are as good. */
static bool goes_before(const struct match *narrow, const struct match *wide)
{
	if (!narrow->rule || !wide->rule)
		return narrow->rule;
	if (narrow->bits != wide->bits)
		return narrow->bits > wide->bits;
	return narrow->action >= wide->action;
}

__u16 policy_image_decide(const struct policy_image *image, const struct address *source,
			  __u16 service, __u16 port)
{
	struct match wide, narrow;

	if (!(image->flags & POLICY_ON) || (!service && !(image->flags & POLICY_ALL_TRAFFIC)))
		return 0;
	if (!(image->flags & POLICY_ANY_SOURCE) && !policy_filter_has(image->filter, source))
		return 0;
	wide = ask_scope(image, 0, source);
	if (!service)
		return wide.rule;
	narrow = ask_scope(image, scope_of(image, service, port), source);
	return goes_before(&narrow, &wide) ? narrow.rule : wide.rule;
}
