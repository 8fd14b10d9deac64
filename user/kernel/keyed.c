/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyed.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <bpf/bpf.h>

#include "../../maps/hash.h"

#define KEY_BYTES_MAX   32
#define VALUE_BYTES_MAX 16

static const void *entry_at(const struct keyed *keyed, size_t index)
{
	return (const char *)keyed->entries + index * keyed->entry_bytes;
}

static const void *value_of(const struct keyed *keyed, const void *entry)
{
	return (const char *)entry + keyed->key_bytes;
}

static bool is_wanted(const struct keyed *keyed, const void *key)
{
	size_t low = 0, high = keyed->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(entry_at(keyed, middle), key, keyed->key_bytes);

		if (!order)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* The next key is asked for first: behind a key that is gone the kernel would start anew. */
int keyed_prune(const struct keyed *keyed)
{
	char key[KEY_BYTES_MAX], next[KEY_BYTES_MAX];
	int err = bpf_map_get_next_key(keyed->fd, NULL, next);

	while (!err) {
		memcpy(key, next, keyed->key_bytes);
		err = bpf_map_get_next_key(keyed->fd, key, next);
		if (!is_wanted(keyed, key) && bpf_map_delete_elem(keyed->fd, key))
			return -errno;
	}
	return err == -ENOENT ? 0 : err;
}

int keyed_put(const struct keyed *keyed)
{
	char value[VALUE_BYTES_MAX];
	bool pruned = false;
	size_t i;
	int err;

	for (i = 0; i < keyed->count; i++) {
		const void *entry = entry_at(keyed, i);
		const void *wanted = value_of(keyed, entry);

		if (!bpf_map_lookup_elem(keyed->fd, entry, value) &&
		    !memcmp(value, wanted, keyed->value_bytes))
			continue;
		if (!bpf_map_update_elem(keyed->fd, entry, wanted, BPF_ANY))
			continue;
		if (errno != E2BIG || pruned)
			return -errno;
		err = keyed_prune(keyed);
		if (err)
			return err;
		pruned = true;
		i--;
	}
	return 0;
}

static __u64 mix(__u64 hash, const void *bytes, size_t count)
{
	static const struct hash_key key = {
		{0x9e3779b97f4a7c15ULL, 0xbf58476d1ce4e5b9ULL, 0x94d049bb133111ebULL, 1},
	};
	size_t at;

	for (at = 0; at < count; at += sizeof(__u64)) {
		size_t left = count - at;
		__u64 word = 0;

		memcpy(&word, (const char *)bytes + at, left < sizeof(word) ? left : sizeof(word));
		hash = hash_words(&key, hash, word, left);
	}
	return hash;
}

__u64 keyed_fingerprint(const struct keyed *keyed, size_t count)
{
	__u64 hash = 0;
	size_t map, i;

	for (map = 0; map < count; map++) {
		hash = mix(hash, &keyed[map].count, sizeof(keyed[map].count));
		for (i = 0; i < keyed[map].count; i++)
			hash = mix(hash, entry_at(&keyed[map], i),
				   keyed[map].key_bytes + keyed[map].value_bytes);
	}
	return hash ? hash : 1;
}
