/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage admit: may this packet open a flow? Packets of flows that are there are not asked. */
#ifndef SLUICE_BPF_ADMIT_H
#define SLUICE_BPF_ADMIT_H

#include <linux/in.h>

#include "../maps/maps.bpf.h"
#include "drop.h"
#include "packet.h"
#include "policy_rate.h"

/*
 * TCP that is under way and unknown here comes from another balancer; errors and later fragments are
 * about flows that others open.
 */
static __always_inline bool begins_flow(const struct packet *packet)
{
	if (packet->protocol == IPPROTO_TCP)
		return opens(packet);
	return !packet->error && !packet->later;
}

/* One word, so that chance and end belong together. */
static __always_inline bool is_shed(__u32 service)
{
	struct shed *entry = bpf_map_lookup_elem(&sheds, &service);
	union {
		__u64 word;
		struct shed shed;
	} now;

	if (!entry)
		return false;
	now.word = *(volatile __u64 *)entry;
	if (likely(!now.shed.chance))
		return false;
	return (__s32)(now.shed.until_jiffies - (__u32)bpf_jiffies64()) > 0 &&
	       bpf_get_prandom_u32() < now.shed.chance;
}

/* @backend: that the flow has already. */
static __always_inline int admit_flow(const struct packet *packet, const struct service *service,
				      const struct backend *backend)
{
	int verdict;

	if (backend || !begins_flow(packet))
		return NEXT;
	if (unlikely(packet->rule)) {
		verdict = limit_new_flow(packet->policy, packet->rule, packet->source[0],
					 packet->source[1], packet->ipv4);
		if (verdict != NEXT)
			return verdict;
	}
	return is_shed(service->id) ? drop(DROP_SHED) : NEXT;
}

#endif
