/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys and identities that follow from the seed that all balancers share. */
#ifndef SLUICE_CORE_KEYS_H
#define SLUICE_CORE_KEYS_H

#include "../../maps/hash.h"
#include "address.h"

/* What a key is for; keys of different uses have nothing to do with each other. */
enum key_use { KEY_SLOT, KEY_SERVICE, KEY_BACKEND, KEY_LAYOUT, KEY_FLOW };

/* The @number-th key for @use, by splitmix64 (Steele, Lea & Flood 2014). Multipliers are odd. */
void key_from_seed(__u64 seed, enum key_use use, __u64 number, struct hash_key *key);

/* 64 bits that stand for an address and port (host order), the same on every balancer. */
__u64 identity(__u64 seed, enum key_use use, const struct address *address, __u16 port,
	       __u8 protocol);

/* The odd constant that makes a backend's uniform out of the coin's bits. */
__u32 coin_multiplier(__u64 backend_identity);

#endif
