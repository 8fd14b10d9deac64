/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place where a new state becomes the one in use.
 *
 * Every map of the state has two halves. Userspace writes a whole new state into the half that is
 * not in use (generation + 1, by its lowest bit), then stores the new generation with one aligned
 * store. A packet reads the generation once, so it sees one state. A writer that dies before the
 * store has changed nothing.
 */
#ifndef SLUICE_MAPS_CONTROL_H
#define SLUICE_MAPS_CONTROL_H

#include <linux/types.h>

#include "hash.h"

#define SLUICE_ABI 3 /* raised by every change of a shape in maps/ */

/* How the table of services is laid out in one half. */
struct layout {
	struct hash_key key;
	__u32 any_port; /* there are services for every port: try port 0 as well */
	__u32 spare;
};

struct control {
	__u32 abi;
	__u32 spare;
	__u64 generation;
	/*
	 * The last generation after whose flip an RCU grace period has passed: no packet reads the
	 * other half any more, so it may be written.
	 */
	__u64 settled_generation;
	/*
	 * Of what the maps vips and server_ids hold, so that who changes nothing of it need not look;
	 * 0: nobody knows, a writer is at work on them or was killed there.
	 */
	__u64 keyed_fingerprint;
	/*
	 * The rule set in use: see enum policy_flags. Flips by itself, not with the generation. The two
	 * behind it are as settled_generation and keyed_fingerprint are: the last set after whose flip
	 * no packet reads the other half, and of which services it was made for.
	 */
	__u64 policy;
	__u64 settled_policy;
	__u64 policy_fingerprint;
	struct layout layout[2];
};
_Static_assert(sizeof(struct control) == 136, "struct control");

#endif
