/* SPDX-License-Identifier: GPL-2.0-only */
/* Has this datagram been here before? By the sender's time, and by its sequence within that. */
#ifndef SLUICE_CORE_REPLAY_H
#define SLUICE_CORE_REPLAY_H

#include "envelope.h"

struct replay;

/*
 * @window_ms: how far a sender's clock may be off, either way. What was sent before @start_ms (Unix
 * time) is refused, since a receiver that has just started does not remember what came then.
 * NULL when out of memory.
 */
struct replay *replay_new(int64_t window_ms, int64_t start_ms);
void replay_free(struct replay *replay);

/*
 * May an envelope that was opened come in? If so, nothing of its sender up to it will again.
 * @wall_ms: Unix time; @steady_ms: a clock that never jumps. Returns 0, -ETIME when it was sent too
 * long ago or too far ahead, -EALREADY when it or a later one has come, or -ENOMEM.
 */
int replay_admit(struct replay *replay, const struct envelope *envelope, int64_t wall_ms,
		 int64_t steady_ms);

/* How many senders are remembered. */
size_t replay_senders(const struct replay *replay);

#endif
