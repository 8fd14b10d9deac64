/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What libcyaml does not say of a YAML text, from libyaml's events: where a value stands, and
 * whether the text is plain enough to be a configuration.
 */
#ifndef SLUICE_CORE_YAML_TEXT_H
#define SLUICE_CORE_YAML_TEXT_H

#include <stddef.h>

#include "text_error.h"

/*
 * Refuse, with the line: bad syntax, a second document, aliases, keys that are no single word, NUL
 * characters, deep nesting. Returns 0, -EINVAL or -ENOMEM.
 */
int yaml_text_check(const char *text, size_t text_bytes, struct text_error *error);

/*
 * The line (from 1) of the value at @path, such as "services[0].backends[2].weight"; "" is the
 * whole document. With @key not NULL, that of the last such key in the map at @path, or of the map
 * when it has none. 0: there is nothing at @path.
 */
int yaml_text_line(const char *text, size_t text_bytes, const char *path, const char *key);

#endif
