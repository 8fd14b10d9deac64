/* SPDX-License-Identifier: GPL-2.0-only */
#include "prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IPV4_MAPPED_BITS 96

enum family address_family(const struct address *address)
{
	return address_is_ipv4(address) ? FAMILY_IPV4 : FAMILY_IPV6;
}

enum family prefix_family(const struct prefix *prefix)
{
	return address_family(&prefix->address);
}

__u8 family_bits(enum family family)
{
	return family == FAMILY_IPV4 ? 32 : 128;
}

/* Of all 128. */
static unsigned int wide_bits(const struct prefix *prefix)
{
	return prefix->bits + (prefix_family(prefix) == FAMILY_IPV4 ? IPV4_MAPPED_BITS : 0);
}

/* Bits behind the first @bits of an address, in one of its words. */
static __be32 word_tail(unsigned int word, unsigned int bits)
{
	unsigned int first = word * 32;

	if (bits <= first)
		return 0xffffffff;
	return bits >= first + 32 ? 0 : htonl(0xffffffff >> (bits - first));
}

/* Returns whether there were any. */
static bool clear_tail(struct prefix *prefix)
{
	unsigned int bits = wide_bits(prefix);
	bool any = false;

	for (unsigned int word = 0; word < 4; word++) {
		__be32 tail = word_tail(word, bits);

		any |= prefix->address.word[word] & tail;
		prefix->address.word[word] &= ~tail;
	}
	return any;
}

/* Up to three digits without a leading zero. */
static int bits_parse(const char *text, unsigned int *bits)
{
	size_t digits = strspn(text, "0123456789");

	if (digits < 1 || digits > 3 || text[digits] || (digits > 1 && text[0] == '0'))
		return -EINVAL;
	*bits = strtoul(text, NULL, 10);
	return 0;
}

int prefix_parse(const char *text, struct prefix *prefix)
{
	const char *slash = strchrnul(text, '/');
	size_t address_bytes = slash - text;
	char address_text[ADDRESS_TEXT_BYTES];
	struct prefix parsed;
	unsigned int bits;
	bool mapped;

	if (address_bytes >= sizeof(address_text))
		return -EINVAL;
	memcpy(address_text, text, address_bytes);
	address_text[address_bytes] = '\0';
	if (address_parse(address_text, &parsed.address))
		return -EINVAL;
	parsed.bits = family_bits(prefix_family(&parsed));
	mapped = parsed.bits == 32 && strchr(address_text, ':');
	if (*slash) {
		if (bits_parse(slash + 1, &bits) || (mapped && bits < IPV4_MAPPED_BITS))
			return -EINVAL;
		bits -= mapped ? IPV4_MAPPED_BITS : 0;
		if (bits > parsed.bits)
			return -EINVAL;
		parsed.bits = bits;
	}
	bits = clear_tail(&parsed);
	*prefix = parsed;
	return bits ? -EDOM : 0;
}

const char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT_BYTES])
{
	address_format(&prefix->address, text);
	if (prefix->bits < family_bits(prefix_family(prefix)))
		sprintf(text + strlen(text), "/%u", prefix->bits);
	return text;
}

bool prefix_valid(const struct prefix *prefix)
{
	struct prefix copy = *prefix;

	return prefix->bits <= family_bits(prefix_family(prefix)) && !clear_tail(&copy);
}

bool prefix_contains(const struct prefix *prefix, const struct address *address)
{
	struct prefix around = {.address = *address, .bits = prefix->bits};

	if (address_family(address) != prefix_family(prefix))
		return false;
	clear_tail(&around);
	return address_equal(&around.address, &prefix->address);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->bits == b->bits && address_equal(&a->address, &b->address);
}

/* IPv4 has addresses of its own, so the bits of both sides are of one family where they matter. */
int prefix_compare(const void *left, const void *right)
{
	const struct prefix *a = left, *b = right;
	int order = memcmp(a->address.word, b->address.word, sizeof(a->address.word));

	return order ? order : (int)a->bits - (int)b->bits;
}

struct wide address_wide(const struct address *address)
{
	return (struct wide){{
		(__u64)ntohl(address->word[0]) << 32 | ntohl(address->word[1]),
		(__u64)ntohl(address->word[2]) << 32 | ntohl(address->word[3]),
	}};
}

struct wide prefix_last(const struct prefix *prefix)
{
	struct address last = prefix->address;

	for (unsigned int word = 0; word < 4; word++)
		last.word[word] |= word_tail(word, wide_bits(prefix));
	return address_wide(&last);
}
