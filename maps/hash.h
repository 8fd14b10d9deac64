/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keyed hashes that both sides compute: the packet path to place a packet, userspace to lay the
 * maps out so that the packet path finds what it looks for.
 *
 * Both start as a multilinear hash (Lemire & Kaser, "Strongly universal string hashing is fast"):
 * the products do not wait for each other, which is what a packet path wants.
 */
#ifndef SLUICE_MAPS_HASH_H
#define SLUICE_MAPS_HASH_H

#include <linux/types.h>

/* Multipliers must be odd, so that no bit of the input is lost. */
struct hash_key {
	__u64 word[4];
};

/*
 * Where a service stands in the table of services: the top bits of this, see struct layout.
 * Without a finalizer: userspace looks for a key under which its services do not collide.
 * @port and @protocol come last so that the try with port 0 shares the other products.
 */
static inline __u64 hash_service(const volatile struct hash_key *key, __u64 vip_high, __u64 vip_low,
				 __be16 port, __u8 protocol)
{
	return vip_high * key->word[0] + vip_low * key->word[1] + protocol * key->word[2] +
	       port * key->word[3];
}

/*
 * 64 well mixed bits of three words. The finalizer is murmur3's fmix64 (Appleby): every input bit
 * reaches every output bit, so that the low bits, the high bits and the middle may be used as if
 * they were separate hashes.
 */
static inline __u64 hash_words(const volatile struct hash_key *key, __u64 a, __u64 b, __u64 c)
{
	__u64 h = a * key->word[0] + b * key->word[1] + c * key->word[2] + key->word[3];

	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ULL;
	return h ^ h >> 33;
}

#endif
