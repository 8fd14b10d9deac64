/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy_filter.h"

#define IPV6_FIRST  POLICY_FILTER_IPV4_WORDS
#define SHORT_FIRST (IPV6_FIRST + POLICY_FILTER_IPV6_WORDS)

static void set_bit(__u64 *words, __u32 bit)
{
	words[bit / 64] |= 1ULL << bit % 64;
}

static bool has_bit(const __u64 *words, __u32 bit)
{
	return words[bit / 64] >> bit % 64 & 1;
}

/* Bits next to each other, both included. */
static void set_bits(__u64 *words, __u32 first, __u32 last)
{
	for (__u32 bit = first; bit <= last; bit++)
		set_bit(words, bit);
}

static void add_ipv6(struct policy_filter *filter, const struct prefix *prefix, __u64 first,
		     __u64 last)
{
	__u64 *hashed = filter->words + IPV6_FIRST;
	__u32 spread = prefix->bits < 48 ? 1U << (48 - prefix->bits) : 0;

	for (__u64 site = first >> 16; site <= last >> 16; site++)
		set_bit(hashed, hash_ipv6_filter(site << 16));
	filter->spread += spread;
}

static bool is_short(const struct policy_filter *filter, const struct prefix *prefix)
{
	if (prefix->bits < POLICY_FILTER_SHORT_BITS)
		return true;
	return prefix->bits < 48 &&
	       filter->spread + (1U << (48 - prefix->bits)) > POLICY_FILTER_SPREAD_MAX;
}

void policy_filter_add(struct policy_filter *filter, const struct prefix *prefix)
{
	struct wide first = address_wide(&prefix->address), last = prefix_last(prefix);

	if (prefix_family(prefix) == FAMILY_IPV4)
		set_bits(filter->words, (__u32)first.word[1] >> 8, (__u32)last.word[1] >> 8);
	else if (is_short(filter, prefix))
		set_bits(filter->words + SHORT_FIRST, first.word[0] >> 48, last.word[0] >> 48);
	else
		add_ipv6(filter, prefix, first.word[0], last.word[0]);
}

bool policy_filter_has(const __u64 *words, const struct address *source)
{
	struct wide address = address_wide(source);

	if (address_family(source) == FAMILY_IPV4)
		return has_bit(words, (__u32)address.word[1] >> 8);
	return has_bit(words + IPV6_FIRST, hash_ipv6_filter(address.word[0])) ||
	       has_bit(words + SHORT_FIRST, address.word[0] >> 48);
}
