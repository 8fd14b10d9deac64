/* SPDX-License-Identifier: GPL-2.0-only */
#include "feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

#define BLANKS " \t\r"

/* Without its comment and the blanks around it. */
static const char *trim(const char *line, size_t *bytes)
{
	const char *end = line + *bytes;

	for (const char *c = line; c < end; c++) {
		if (*c == '#' || *c == ';')
			end = c;
	}
	while (line < end && memchr(BLANKS, *line, strlen(BLANKS)))
		line++;
	while (end > line && memchr(BLANKS, end[-1], strlen(BLANKS)))
		end--;
	*bytes = end - line;
	return line;
}

static int refuse(struct text_error *error, int line, const char *entry, size_t bytes, int err,
		  const struct prefix *meant)
{
	char text[PREFIX_TEXT_BYTES];
	int shown = bytes < 40 ? bytes : 40;

	if (err == -EDOM)
		text_refuse(error, -EINVAL, NULL,
			    "\"%.*s\" has bits set behind the prefix, expected %s", shown, entry,
			    prefix_format(meant, text));
	else
		text_refuse(error, -EINVAL, NULL,
			    "\"%.*s%s\" is neither an address nor a prefix such as 192.0.2.0/24 or "
			    "2001:db8::/32",
			    shown, entry, bytes > 40 ? "..." : "");
	error->line = line;
	return -EINVAL;
}

static int read_entry(const char *entry, size_t bytes, struct prefix *prefix)
{
	char text[PREFIX_TEXT_BYTES];

	if (bytes >= sizeof(text) || memchr(entry, '\0', bytes))
		return -EINVAL;
	memcpy(text, entry, bytes);
	text[bytes] = '\0';
	return prefix_parse(text, prefix);
}

struct list {
	struct prefix *prefixes;
	size_t count;
	size_t room;
};

static int append(struct list *list, const struct prefix *prefix)
{
	struct prefix *grown;

	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		grown = reallocarray(list->prefixes, list->room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		list->prefixes = grown;
	}
	list->prefixes[list->count++] = *prefix;
	return 0;
}

static int read_line(struct list *list, int number, const char *line, size_t bytes,
		     struct text_error *error)
{
	const char *entry = trim(line, &bytes);
	struct prefix prefix;
	int err;

	if (!bytes)
		return 0;
	err = read_entry(entry, bytes, &prefix);
	if (err)
		return refuse(error, number, entry, bytes, err, &prefix);
	if (list->count == POLICY_PREFIXES_MAX) {
		text_refuse(error, -EINVAL, NULL, "there are more than %d prefixes",
			    POLICY_PREFIXES_MAX);
		error->line = number;
		return -EINVAL;
	}
	err = append(list, &prefix);
	return err ? text_refuse(error, err, NULL, "out of memory") : 0;
}

int feed_parse(const char *text, size_t text_bytes, struct prefix **prefixes, size_t *count,
	       struct text_error *error)
{
	const char *end = text + text_bytes;
	struct list list = {};
	int number = 1, err = 0;

	while (text < end && !err) {
		const char *line_feed = memchr(text, '\n', end - text);
		const char *line_end = line_feed ? line_feed : end;

		err = read_line(&list, number++, text, line_end - text, error);
		text = line_feed ? line_feed + 1 : end;
	}
	if (err) {
		free(list.prefixes);
		return err;
	}
	*prefixes = list.prefixes;
	*count = list.count;
	return 0;
}
