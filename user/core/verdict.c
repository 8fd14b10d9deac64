/* SPDX-License-Identifier: GPL-2.0-only */
#include "verdict.h"

static const struct {
	const char *name;
	const char *sentence;
} reasons[DROP_REASONS] = {
	[DROP_NO_BACKEND] = {"no_backend", "No backend of the service takes new flows."},
	[DROP_NO_NEXT_HOP] = {"no_next_hop", "The way to the backend is not known."},
	[DROP_TTL_EXPIRED] = {"ttl_expired", "The TTL or hop limit would have reached 0."},
	[DROP_TOO_BIG] = {"too_big", "The packet is longer than the way to the backend carries."},
	[DROP_NO_ROOM] = {"no_room", "The driver left no room for the outer header."},
	[DROP_NO_STATE] = {"no_state",
			   "The maps contradict each other; this is a fault of sluice."},
	[DROP_ECHO_LIMIT] = {"echo_limit", "There were more echo requests than may be answered."},
	[DROP_DENIED] = {"denied", "A rule denies it."},
	[DROP_RATE] = {"rate", "Its rule's packets a second were used up."},
	[DROP_NEW_FLOW_RATE] = {"new_flow_rate", "Its rule's new flows a second were used up."},
	[DROP_SOURCE_RATE] = {"source_rate", "Its source's packets a second were used up."},
	[DROP_SOURCE_NEW_FLOW_RATE] = {"source_new_flow_rate",
				       "Its source's new flows a second were used up."},
	[DROP_SHED] = {"shed", "The service's nodes are hot, and its class gives way."},
};

const char *drop_reason_name(enum drop_reason reason)
{
	return reasons[reason].name;
}

const char *drop_reason_sentence(enum drop_reason reason)
{
	return reasons[reason].sentence;
}
