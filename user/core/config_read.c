/* SPDX-License-Identifier: GPL-2.0-only */
#include "config_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_text.h"

void read_refuse_at(const struct reader *reader, const char *key, const char *sentence)
{
	char path[80];

	snprintf(path, sizeof(path), "%s%s%s", reader->place, *reader->place && *key ? "." : "",
		 key);
	config_text_refuse(reader->text, reader->text_bytes, path, reader->error, "%s", sentence);
}

bool read_wrong(const struct reader *reader, const char *key, const char *got, const char *expected)
{
	char sentence[200];

	snprintf(sentence, sizeof(sentence), "got \"%.40s%s\", expected %s", got,
		 strlen(got) > 40 ? "..." : "", expected);
	read_refuse_at(reader, key, sentence);
	return false;
}

int read_place_refusal(const struct reader *reader, int err)
{
	char sentence[sizeof(reader->error->what)];

	if (err == -ENOMEM)
		return err;
	snprintf(sentence, sizeof(sentence), "%s", reader->error->what);
	read_refuse_at(reader, reader->error->field ? reader->error->field : "", sentence);
	return -EINVAL;
}

/* Digits only. YAML 1.1 takes 010 for 8 and YAML 1.2 for 10, so neither is taken here. */
bool read_digits(const char *text, __u64 min, __u64 max, __u64 *number)
{
	size_t digits = strspn(text, "0123456789");
	__u64 parsed;

	if (digits == 0 || text[digits] || (digits > 1 && text[0] == '0'))
		return false;
	errno = 0;
	parsed = strtoull(text, NULL, 10);
	if (errno || parsed < min || parsed > max)
		return false;
	*number = parsed;
	return true;
}

bool read_number(const struct reader *reader, const char *key, const char *text, __u64 min,
		 __u64 max, __u64 *number)
{
	char expected[72];

	if (!text || read_digits(text, min, max, number))
		return true;
	snprintf(expected, sizeof(expected), "a whole number from %llu to %llu", min, max);
	return read_wrong(reader, key, text, expected);
}

bool read_address(const struct reader *reader, const char *key, const char *text,
		  struct address *address)
{
	return !address_parse(text, address) ||
	       read_wrong(reader, key, text, "an IPv4 or IPv6 address");
}

bool read_bool(const struct reader *reader, const char *key, const char *text, bool *value)
{
	if (!text)
		return true;
	*value = !strcmp(text, "true");
	return *value || !strcmp(text, "false") || read_wrong(reader, key, text, "true or false");
}

bool read_port_or_any(const struct reader *reader, const char *key, const char *text, __u16 *port)
{
	__u64 parsed = 0;

	if (!text)
		return true;
	if (strcmp(text, "any") && !read_digits(text, 0, 65535, &parsed))
		return read_wrong(reader, key, text, "a port from 1 to 65535, or any");
	*port = parsed;
	return true;
}

bool read_count(const struct reader *reader, const char *key, const char *text, unsigned int min,
		unsigned int max, unsigned int *number)
{
	__u64 parsed = *number;
	bool good = read_number(reader, key, text, min, max, &parsed);

	*number = parsed;
	return good;
}

bool read_path(const struct reader *reader, const char *key, const char *text,
	       char path[CONFIG_PATH_BYTES])
{
	if (text && *text != '/')
		return read_wrong(reader, key, text, "a path that begins with /");
	return read_word(reader, key, text, CONFIG_PATH_BYTES, path);
}

bool read_word(const struct reader *reader, const char *key, const char *text, size_t room,
	       char *word)
{
	char expected[72];

	if (!text)
		return true;
	if (strlen(text) < room && !text[strcspn(text, "\001\t\n\v\f\r\033\177")]) {
		strcpy(word, text);
		return true;
	}
	snprintf(expected, sizeof(expected), "up to %zu printable characters", room - 1);
	return read_wrong(reader, key, text, expected);
}
