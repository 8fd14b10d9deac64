/* SPDX-License-Identifier: GPL-2.0-only */
/* Prefixes of both families. */
#ifndef SLUICE_CORE_PREFIX_H
#define SLUICE_CORE_PREFIX_H

#include "../../maps/policy.h"
#include "address.h"

#define PREFIX_TEXT_BYTES (ADDRESS_TEXT_BYTES + 4)

struct prefix {
	struct address address; /* no bit behind the prefix is set */
	__u8 bits;              /* 0 to 32 (IPv4) or 128 */
};

/*
 * Read "ADDR/BITS", or "ADDR", which is one address. Of an IPv4-mapped IPv6 address, "::ffff:a.b.c.d
 * /BITS", BITS counts all 128 and must be 96 at least. Returns 0; -EINVAL when @text is neither;
 * -EDOM when bits behind the prefix are set, with @prefix being what was probably meant (else it is
 * unchanged).
 */
int prefix_parse(const char *text, struct prefix *prefix);

/* Write it into @text and return @text; one address has no "/BITS". */
const char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT_BYTES]);

enum family address_family(const struct address *address);
enum family prefix_family(const struct prefix *prefix);

/* 32 or 128. */
__u8 family_bits(enum family family);

/* For prefixes from elsewhere: what struct prefix promises. */
bool prefix_valid(const struct prefix *prefix);

/* Whether @address is of its family and in it. */
bool prefix_contains(const struct prefix *prefix, const struct address *address);

bool prefix_equal(const struct prefix *a, const struct prefix *b);

/* An order, for qsort(3): by address, the shorter first. */
int prefix_compare(const void *left, const void *right);

/* An address as a number in host order, the high half first; IPv4 as ::ffff:a.b.c.d. */
struct wide {
	__u64 word[2];
};

struct wide address_wide(const struct address *address);

/* The last address of a prefix. */
struct wide prefix_last(const struct prefix *prefix);

static inline int wide_compare(const struct wide *a, const struct wide *b)
{
	int half = a->word[0] == b->word[0];

	return (a->word[half] > b->word[half]) - (a->word[half] < b->word[half]);
}

#endif
