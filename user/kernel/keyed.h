/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BPF hash maps of the state, which have no halves: what is in them must do no harm a generation
 * early or late. A part of apply.c, the only one who calls this.
 */
#ifndef SLUICE_KERNEL_KEYED_H
#define SLUICE_KERNEL_KEYED_H

#include <stddef.h>
#include <linux/types.h>

/* What a map is to hold: entries by key; each begins with it, and the value stands right behind. */
struct keyed {
	int fd;
	__u32 key_bytes;
	__u32 value_bytes;
	size_t entry_bytes;
	const void *entries;
	size_t count;
};

/*
 * Add what lacks and change what differs. What should not be there stays, unless there is no room
 * otherwise. Returns 0 or a negative errno.
 */
int keyed_put(const struct keyed *keyed);

/* Remove what should not be there. Returns 0 or a negative errno. */
int keyed_prune(const struct keyed *keyed);

/* 64 bits, never 0, that two different contents of these maps do not share. */
__u64 keyed_fingerprint(const struct keyed *keyed, size_t count);

#endif
