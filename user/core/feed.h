/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of prefixes as others publish them: one prefix or address a line, blank lines and comments
 * ("#" or ";" up to the line's end) ignored.
 */
#ifndef SLUICE_CORE_FEED_H
#define SLUICE_CORE_FEED_H

#include "prefix.h"
#include "text_error.h"

#define FEED_TEXT_BYTES_MAX (256 << 20)

/*
 * Returns 0 with *@prefixes, in the order of the text and to be freed with free(), or -EINVAL with
 * the first bad line's number and a sentence in @error, or -ENOMEM.
 */
int feed_parse(const char *text, size_t text_bytes, struct prefix **prefixes, size_t *count,
	       struct text_error *error);

#endif
