/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define ROOM_MIN 64 /* a power of two */

/* Empty where sequence is 0: those of envelopes begin at 1. */
struct sender {
	__u64 id;
	__u64 sequence;
	int64_t seen_ms; /* on the steady clock */
};

struct replay {
	int64_t window_ms;
	int64_t start_ms;
	struct sender *senders; /* open addressing */
	size_t room;            /* a power of two, at most three quarters full */
	size_t count;
};

struct replay *replay_new(int64_t window_ms, int64_t start_ms)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (!replay)
		return NULL;
	replay->window_ms = window_ms;
	replay->start_ms = start_ms;
	replay->room = ROOM_MIN;
	replay->senders = calloc(replay->room, sizeof(*replay->senders));
	if (replay->senders)
		return replay;
	free(replay);
	return NULL;
}

void replay_free(struct replay *replay)
{
	if (!replay)
		return;
	free(replay->senders);
	free(replay);
}

size_t replay_senders(const struct replay *replay)
{
	return replay->count;
}

/* Where @id is or would be. Ids are random, and only those who have the key choose them. */
static struct sender *place(struct sender *senders, size_t room, __u64 id)
{
	size_t at = (id * 0x9e3779b97f4a7c15ULL >> 32) & (room - 1);

	while (senders[at].sequence && senders[at].id != id)
		at = (at + 1) & (room - 1);
	return &senders[at];
}

/*
 * A datagram of a clock that is ahead by the window is still fresh two windows later; after that the
 * time it was sent at keeps it out, and its sender can be forgotten.
 */
static bool forgettable(const struct replay *replay, const struct sender *sender, int64_t steady_ms)
{
	return steady_ms - sender->seen_ms > 2 * replay->window_ms;
}

static int make_room(struct replay *replay, int64_t steady_ms)
{
	struct sender *old = replay->senders, *senders;
	size_t kept = 0, room = ROOM_MIN;
	size_t i;

	for (i = 0; i < replay->room; i++)
		kept += old[i].sequence && !forgettable(replay, &old[i], steady_ms);
	while (room < 2 * (kept + 1))
		room *= 2;
	senders = calloc(room, sizeof(*senders));
	if (!senders)
		return -ENOMEM;
	for (i = 0; i < replay->room; i++) {
		if (old[i].sequence && !forgettable(replay, &old[i], steady_ms))
			*place(senders, room, old[i].id) = old[i];
	}
	free(old);
	replay->senders = senders;
	replay->room = room;
	replay->count = kept;
	return 0;
}

int replay_admit(struct replay *replay, const struct envelope *envelope, int64_t wall_ms,
		 int64_t steady_ms)
{
	struct sender *sender;
	int err;

	/* Written without differences: a sender may claim any time there is. */
	if (envelope->sent_ms < replay->start_ms ||
	    envelope->sent_ms < wall_ms - replay->window_ms ||
	    envelope->sent_ms > wall_ms + replay->window_ms)
		return -ETIME;
	sender = place(replay->senders, replay->room, envelope->sender);
	if (envelope->sequence <= sender->sequence)
		return -EALREADY;
	if (!sender->sequence) {
		if ((replay->count + 1) * 4 > replay->room * 3) {
			err = make_room(replay, steady_ms);
			if (err)
				return err;
			sender = place(replay->senders, replay->room, envelope->sender);
		}
		replay->count++;
	}
	*sender = (struct sender){envelope->sender, envelope->sequence, steady_ms};
	return 0;
}
