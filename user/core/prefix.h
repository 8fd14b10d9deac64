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
 * Read "ADDR/BITS", or "ADDR", which is one address. Returns 0; -EINVAL when @text is neither;
 * -EDOM when bits behind the prefix are set, with @prefix being what was probably meant (else it is
 * unchanged).
 */
int prefix_parse(const char *text, struct prefix *prefix);

/* Write it into @text and return @text; one address has no "/BITS". */
const char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT_BYTES]);

enum family prefix_family(const struct prefix *prefix);

/* Whether @address is of its family and in it. */
bool prefix_contains(const struct prefix *prefix, const struct address *address);

bool prefix_equal(const struct prefix *a, const struct prefix *b);

#endif
