/* SPDX-License-Identifier: GPL-2.0-only */
/* The one place where a packet that is lost is counted, and a sample of them told of. */
#ifndef SLUICE_BPF_DROP_H
#define SLUICE_BPF_DROP_H

#include "../maps/maps.bpf.h"
#include "packet.h"

/* For a stage to return. */
static __always_inline int drop(enum drop_reason reason)
{
	return DROPPED | reason;
}

static __always_inline int drop_by_rule(enum drop_reason reason, __u32 rule)
{
	return DROPPED | rule << DROPPED_RULE_SHIFT | reason;
}

static __always_inline bool is_dropped(int verdict)
{
	return verdict >= DROPPED;
}

/* XDP's own, and no more to be done. */
static __always_inline bool is_final(int verdict)
{
	return (__u32)verdict < DROPPED;
}

/* The verdict of stages that do not care which service it is. */
static __always_inline int drop_of_service(int verdict, const struct service *service)
{
	return unlikely(is_dropped(verdict)) ? verdict | service->id << DROPPED_SERVICE_SHIFT
					     : verdict;
}

static __always_inline void count_drop(__u32 reason, __u32 frame_bytes)
{
	struct drop_counters *counters = bpf_map_lookup_elem(&drop_counters, &reason);

	if (counters) {
		counters->packets++;
		counters->bytes += frame_bytes;
	}
}

static __always_inline void count_drop_of_rule(__u32 rule, __u32 frame_bytes)
{
	struct rule_counters *counters = bpf_map_lookup_elem(&rule_counters, &rule);

	if (counters) {
		counters->dropped_packets++;
		counters->dropped_bytes += frame_bytes;
	}
}

/* A few a tick, or who floods us would have us do little else than tell of it. */
static __always_inline bool may_tell(struct event_budget *budget)
{
	__u64 jiffies = bpf_jiffies64();

	if (budget->jiffies != jiffies) {
		budget->jiffies = jiffies;
		budget->left = EVENTS_A_TICK;
	}
	if (!budget->left)
		return false;
	budget->left--;
	return true;
}

static __always_inline void capture(struct xdp_md *ctx, struct drop_event *event)
{
	__u32 bytes = bpf_xdp_get_buff_len(ctx);

	__builtin_memset(event->frame, 0, sizeof(event->frame));
	event->captured_bytes = 0;
	if (bytes > sizeof(event->frame))
		bytes = sizeof(event->frame);
	/* Changes nothing, but the verifier of 6.1 sees that it is neither 0 nor too much. */
	barrier_var(bytes);
	bytes = ((bytes - 1) & (sizeof(event->frame) - 1)) + 1;
	if (!bpf_xdp_load_bytes(ctx, 0, event->frame, bytes))
		event->captured_bytes = bytes;
}

static __always_inline void tell_drop(struct xdp_md *ctx, __u32 reason, __u32 rule, __u32 service,
				      __u32 frame_bytes)
{
	__u32 zero = 0;
	struct event_budget *budget = bpf_map_lookup_elem(&event_budget, &zero);
	struct drop_event *event;

	if (!budget)
		return;
	event = may_tell(budget) ? bpf_ringbuf_reserve(&drop_events, sizeof(*event), 0) : NULL;
	if (!event) {
		budget->skipped++;
		return;
	}
	event->time_ns = bpf_ktime_get_ns();
	event->skipped = budget->skipped;
	event->ifindex = ctx->ingress_ifindex;
	event->frame_bytes = frame_bytes;
	event->service = service;
	event->rule = rule;
	event->reason = reason;
	event->cpu = bpf_get_smp_processor_id();
	capture(ctx, event);
	bpf_ringbuf_submit(event, 0);
	budget->skipped = 0;
}

_Static_assert(DROP_REASONS <= 1 << DROPPED_RULE_SHIFT, "all of it in a word");
_Static_assert(RULES_MAX <= 1 << (DROPPED_SERVICE_SHIFT - DROPPED_RULE_SHIFT), "likewise");
_Static_assert(SERVICES_MAX << DROPPED_SERVICE_SHIFT <= DROPPED, "likewise");

/* @verdict says so; @frame_bytes are those that came in. */
__noinline int record_drop(struct xdp_md *ctx, __u32 verdict, __u32 frame_bytes)
{
	__u32 reason = verdict & ((1 << DROPPED_RULE_SHIFT) - 1);
	__u32 rule = verdict >> DROPPED_RULE_SHIFT & (RULES_MAX - 1);
	__u32 service = verdict >> DROPPED_SERVICE_SHIFT & (SERVICES_MAX - 1);

	count_drop(reason, frame_bytes);
	if (rule)
		count_drop_of_rule(rule, frame_bytes);
	tell_drop(ctx, reason, rule, service, frame_bytes);
	return XDP_DROP;
}

#endif
