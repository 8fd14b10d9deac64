/* SPDX-License-Identifier: GPL-2.0-only */
#include "keys.h"

#include <string.h>

static __u64 splitmix64(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

void key_from_seed(__u64 seed, enum key_use use, __u64 number, struct hash_key *key)
{
	__u64 state = seed;
	size_t i;

	state = splitmix64(&state) ^ use;
	state = splitmix64(&state) ^ number;
	for (i = 0; i < 4; i++)
		key->word[i] = splitmix64(&state) | 1;
}

__u64 identity(__u64 seed, enum key_use use, const struct address *address, __u16 port,
	       __u8 protocol)
{
	struct hash_key key;
	__u64 words[2];

	memcpy(words, address->word, sizeof(words));
	key_from_seed(seed, use, 0, &key);
	return hash_words(&key, words[0], words[1], (__u64)port << 8 | protocol);
}

__u32 coin_multiplier(__u64 backend_identity)
{
	return (__u32)(backend_identity >> 32) | 1;
}
