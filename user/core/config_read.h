/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading single values of a configuration, still text as config_text.h has them, within bounds.
 * NULL is a value that was not given: what it would have replaced stays.
 */
#ifndef SLUICE_CORE_CONFIG_READ_H
#define SLUICE_CORE_CONFIG_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "address.h"
#include "text_error.h"

#define CONFIG_PATH_BYTES 108 /* as a unix socket's address has */

struct reader {
	const char *text;
	size_t text_bytes;
	struct text_error *error;
	char place[64]; /* of the map that is being read: "services[1022].backends[65534]" */
};

/* Refuse the value of @key ("": the map itself) in the map that is being read. */
void read_refuse_at(const struct reader *reader, const char *key, const char *sentence);

/* 'got "...", expected ...'. Returns false. */
bool read_wrong(const struct reader *reader, const char *key, const char *got,
		const char *expected);

/*
 * Give a refusal that is in @reader->error, of a value's field, the place it lacks. Returns @err, or
 * -EINVAL for all but -ENOMEM.
 */
int read_place_refusal(const struct reader *reader, int err);

/* Plain decimal digits within bounds. Returns false with nothing refused. */
bool read_digits(const char *text, __u64 min, __u64 max, __u64 *number);

/* All of these return false once they have refused a value, so that they can be chained. */
bool read_number(const struct reader *reader, const char *key, const char *text, __u64 min,
		 __u64 max, __u64 *number);
bool read_count(const struct reader *reader, const char *key, const char *text, unsigned int min,
		unsigned int max, unsigned int *number);
bool read_bool(const struct reader *reader, const char *key, const char *text, bool *value);
bool read_address(const struct reader *reader, const char *key, const char *text,
		  struct address *address); /* @text is never NULL */

/* A port from 1 to 65535; "any" and 0 are 0. */
bool read_port_or_any(const struct reader *reader, const char *key, const char *text, __u16 *port);

/* A word of at most @room - 1 printable bytes, such as a path. */
bool read_word(const struct reader *reader, const char *key, const char *text, size_t room,
	       char *word);

/* A path from the root of the file system, or of a web server. */
bool read_path(const struct reader *reader, const char *key, const char *text,
	       char path[CONFIG_PATH_BYTES]);

#endif
