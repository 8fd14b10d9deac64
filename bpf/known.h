/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sources of which a flow got past its first packet. Whoever floods us with SYNs of addresses that
 * are not its own does not see the answers, so its addresses are not among them, unless it sends two
 * packets of each.
 */
#ifndef SLUICE_BPF_KNOWN_H
#define SLUICE_BPF_KNOWN_H

#include "../maps/maps.bpf.h"
#include "branchless.h"
#include "flow_memory.h"

/* How long a source is known without a new flow, in ticks of struct known_set. By the loader. */
const volatile __u16 known_life_ticks = 878;

#define KNOWN_TAG_SHIFT 16
#define KNOWN_SALT      0x6b6e6f776eULL /* apart from the other uses of the key */

/* A word of a known_set. */
struct known {
	__u32 set;
	__u32 word; /* as it would be written now */
};

static __always_inline struct known place_known(__u64 source_high, __u64 source_low)
{
	/* An IPv4 address, whose upper half is 0, or what is before an IPv6 one's interface. */
	__u64 hash = hash_words(&flow_key, source_high ? source_high : source_low, 0, KNOWN_SALT);
	__u16 tick = bpf_jiffies64() / KNOWN_TICK_JIFFIES;

	return (struct known){
		.set = hash & (KNOWN_SETS - 1),
		.word = (__u32)flow_tag(hash) << KNOWN_TAG_SHIFT | tick,
	};
}

static __always_inline bool is_same_source(__u32 word, const struct known *known)
{
	return word >> KNOWN_TAG_SHIFT == known->word >> KNOWN_TAG_SHIFT;
}

static __always_inline __u16 ticks_since(__u32 word, const struct known *known)
{
	return known->word - word;
}

/* KNOWN_SET_ENTRIES: none. */
static __always_inline __u32 find_known(const struct known_set *set, const struct known *known)
{
	for (__u32 i = 0; i < KNOWN_SET_ENTRIES; i++) {
		if (is_same_source(*(volatile __u32 *)&set->source[i], known))
			return i;
	}
	return KNOWN_SET_ENTRIES;
}

/* An empty entry, or the one that has not been heard of for the longest time. */
static __always_inline __u32 choose_known(const struct known_set *set, const struct known *known)
{
	__u64 oldest = ~0ULL >> 1;

	for (__u32 i = 0; i < KNOWN_SET_ENTRIES; i++) {
		__u32 word = *(volatile __u32 *)&set->source[i];
		__u64 heard = less_mask(0, word) & (0x10000 - ticks_since(word, known));

		oldest = smaller(oldest, heard * KNOWN_SET_ENTRIES + i);
	}
	return oldest & (KNOWN_SET_ENTRIES - 1);
}

static __always_inline bool is_known(__u64 source_high, __u64 source_low)
{
	struct known known = place_known(source_high, source_low);
	struct known_set *set = bpf_map_lookup_elem(&known_sets, &known.set);
	__u32 entry = set ? find_known(set, &known) : KNOWN_SET_ENTRIES;

	return set && entry < KNOWN_SET_ENTRIES &&
	       ticks_since(set->source[entry], &known) <= known_life_ticks;
}

/* CPUs may write over each other's: then a source is not known until its next flow. */
__noinline int know_source(__u64 source_high, __u64 source_low)
{
	struct known known = place_known(source_high, source_low);
	struct known_set *set = bpf_map_lookup_elem(&known_sets, &known.set);
	__u32 entry;

	if (!set)
		return 0;
	entry = find_known(set, &known);
	if (entry >= KNOWN_SET_ENTRIES)
		entry = choose_known(set, &known);
	/* Most often it says so already: then the line stays as it is. */
	if (set->source[entry] != known.word)
		*(volatile __u32 *)&set->source[entry] = known.word;
	return 0;
}

#endif
