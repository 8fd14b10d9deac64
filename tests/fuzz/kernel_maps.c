/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's maps, in plain C. */
#include "kernel.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf_helpers.h>
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#define MAPS_MAX     48
#define HASH_ENTRIES 64
#define TOUCHED_MAX  4096

/* Behind each element, so that one cannot be read through its neighbour. */
#define REDZONE_BYTES 16
#define CACHE_LINE    64

struct map {
	const void *declared;
	__u32 key_bytes, value_bytes, entries, stride, used;
	bool hash;
	enum map_kind kind;
	const void *const *nested; /* the maps that it holds; NULL: values */
	size_t mapped_bytes;
	__u8 *values;
	__u8 *keys;
};

static struct map maps[MAPS_MAX];
static __u32 map_count;

/* Elements of memory maps that were looked up since the last reset. */
static struct {
	__u8 *value;
	__u32 bytes;
} touched[TOUCHED_MAX];
static __u32 touched_count;

static struct {
	__u8 records[RING_RECORDS_MAX][RING_RECORD_BYTES];
	__u32 count;
	void *reserved; /* of the heap, so that nobody writes behind it */
	__u64 reserved_bytes;
} ring;

static void fatal(const char *what)
{
	fprintf(stderr, "fuzz: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct map *find_map(const void *declared)
{
	for (__u32 i = 0; i < map_count; i++) {
		if (maps[i].declared == declared)
			return &maps[i];
	}
	fprintf(stderr, "fuzz: a map that nobody has declared with map_add()\n");
	abort();
}

void map_add(const void *declared, __u32 key_bytes, __u32 value_bytes, __u32 entries, bool hash,
	     enum map_kind kind)
{
	struct map *map = &maps[map_count++];
	__u32 stride = (value_bytes + REDZONE_BYTES + CACHE_LINE - 1) & ~(CACHE_LINE - 1u);

	if (map_count > MAPS_MAX)
		fatal("too many maps");
	if (hash && entries > HASH_ENTRIES)
		entries = HASH_ENTRIES;
	*map = (struct map){
		declared, key_bytes,    value_bytes,  entries,
		stride,   .hash = hash, .kind = kind, .mapped_bytes = (size_t)entries * stride};
	map->values = mmap(NULL, map->mapped_bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map->keys = hash ? calloc(entries, key_bytes) : NULL;
	if (map->values == MAP_FAILED || (hash && !map->keys))
		fatal("no memory for a map");
	ASAN_POISON_MEMORY_REGION(map->values, map->mapped_bytes);
	for (__u32 i = 0; i < entries; i++)
		ASAN_UNPOISON_MEMORY_REGION(map->values + (size_t)i * stride, value_bytes);
}

void map_add_outer(const void *declared, const void *const *nested, __u32 entries)
{
	map_add(declared, sizeof(__u32), sizeof(void *), entries, false, MAP_STATE);
	maps[map_count - 1].nested = nested;
}

void *map_at(const void *declared, __u32 index)
{
	struct map *map = find_map(declared);

	return index < map->entries ? map->values + (size_t)index * map->stride : NULL;
}

static void *find_key(struct map *map, const void *key)
{
	for (__u32 i = 0; i < map->used; i++) {
		if (!memcmp(map->keys + i * map->key_bytes, key, map->key_bytes))
			return map->values + (size_t)i * map->stride;
	}
	return NULL;
}

void *map_insert(const void *declared, const void *key)
{
	struct map *map = find_map(declared);
	void *value = find_key(map, key);

	if (value)
		return value;
	if (map->used == map->entries)
		fatal("a hash map is full");
	memcpy(map->keys + map->used * map->key_bytes, key, map->key_bytes);
	return map->values + (size_t)map->used++ * map->stride;
}

void maps_protect(void)
{
	for (__u32 i = 0; i < map_count; i++) {
		if (maps[i].kind == MAP_STATE &&
		    mprotect(maps[i].values, maps[i].mapped_bytes, PROT_READ))
			fatal("mprotect");
	}
}

void set_constant(const volatile void *constant, const void *value, __u32 bytes)
{
	uintptr_t page_bytes = sysconf(_SC_PAGESIZE);
	uintptr_t first = (uintptr_t)constant & ~(page_bytes - 1);
	size_t span = (uintptr_t)constant + bytes - first;

	if (mprotect((void *)first, span, PROT_READ | PROT_WRITE))
		fatal("mprotect");
	memcpy((void *)(uintptr_t)constant, value, bytes);
	if (mprotect((void *)first, span, PROT_READ))
		fatal("mprotect");
}

void *bpf_map_lookup_elem(const void *declared, const void *key)
{
	struct map *map = find_map(declared);
	__u8 *value;
	__u32 index;

	if (map->hash)
		return find_key(map, key);
	memcpy(&index, key, sizeof(index));
	if (map->nested)
		return index < map->entries ? (void *)map->nested[index] : NULL;
	value = map_at(declared, index);
	if (value && map->kind == MAP_MEMORY) {
		if (touched_count == TOUCHED_MAX)
			fatal("more elements touched than are remembered");
		touched[touched_count].value = value;
		touched[touched_count++].bytes = map->value_bytes;
	}
	return value;
}

void maps_reset(void)
{
	while (touched_count) {
		touched_count--;
		memset(touched[touched_count].value, 0, touched[touched_count].bytes);
	}
	ring.count = 0;
}

/* Whoever reserves must submit. */
void *bpf_ringbuf_reserve(void *declared, __u64 bytes, __u64 flags)
{
	(void)declared;
	if (flags || ring.reserved || bytes > RING_RECORD_BYTES)
		abort();
	if (ring.count == RING_RECORDS_MAX)
		return NULL;
	ring.reserved_bytes = bytes;
	ring.reserved = malloc(bytes);
	return ring.reserved;
}

void bpf_ringbuf_submit(void *record, __u64 flags)
{
	if (flags || record != ring.reserved)
		abort();
	memcpy(ring.records[ring.count++], record, ring.reserved_bytes);
	free(record);
	ring.reserved = NULL;
}

const void *ring_record(__u32 index)
{
	return index < ring.count ? ring.records[index] : NULL;
}
