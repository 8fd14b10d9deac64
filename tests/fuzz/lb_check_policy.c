/* SPDX-License-Identifier: GPL-2.0-only */
#include "lb_check.h"

#include <string.h>

#include "lb_world.h"
#include "wire.h"

enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_IPV6 = 0x86dd };

/* Where a packet's source stands in a frame that has an IP header, whatever else is wrong; or NULL. */
static const __u8 *find_source(const struct packet_in *in, bool *ipv4)
{
	__u32 bytes = in->frame_bytes < in->arrival.linear_bytes ? in->frame_bytes
								 : in->arrival.linear_bytes;
	const __u8 *type = in->frame + 12, *end = in->frame + bytes;

	for (int tags = 0;
	     tags < 2 && type + 2 <= end && (read16(type) == 0x8100 || read16(type) == 0x88a8);
	     tags++)
		type += 4;
	if (type + 2 > end)
		return NULL;
	*ipv4 = read16(type) == ETHERTYPE_IPV4;
	if (!*ipv4 && read16(type) != ETHERTYPE_IPV6)
		return NULL;
	if (type + 2 + (*ipv4 ? 20 : 40) > end || type[2] >> 4 != (*ipv4 ? 4 : 6))
		return NULL;
	return type + 2 + (*ipv4 ? 12 : 8);
}

/* The bits that lb_world.h speaks of; -1: another source. */
static int bits_of(const __u8 *source, bool ipv4)
{
	if (ipv4)
		return memcmp(source, "\xcb\x00\x71", 3) ? -1 : source[3] >> 6;
	return memcmp(source, "\x20\x01\x0d\xb8\x00\xff", 6) ? -1 : source[6] >> 6;
}

void lb_check_policy(const struct lb_run *run)
{
	__u64 by_rules = run->after.by_rules - run->before.by_rules;
	bool ipv4;
	const __u8 *source = find_source(run->in, &ipv4);
	int bits = source ? bits_of(source, ipv4) : -1;

	must(run->after.told == run->after.drops, "drops and what is told of them differ");
	if (!run->in->policed) {
		must(!by_rules, "dropped by a rule where there is none");
		return;
	}
	must(by_rules <= 1, "dropped by more than one rule");
	if (by_rules) {
		must(source, "a rule dropped what is no IP packet");
		must(run->verdict == XDP_DROP, "counted as dropped by a rule, and not dropped");
		must(bits != 3, "dropped what is allowed");
	}
	if (bits == 2)
		must(by_rules, "let pass what is denied");
	if (by_rules && !run->in->half && !ipv4)
		must(bits >= 0, "a rule dropped what it is not about");
}
