/* SPDX-License-Identifier: GPL-2.0-only */
#include "yaml_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* The configuration needs 5; what it does not know is found before libcyaml looks at it. */
#define NESTING_MAX 16

/* The event that the parser stands at. */
struct cursor {
	yaml_parser_t parser;
	yaml_event_t event;
};

static bool cursor_open(struct cursor *cursor, const char *text, size_t text_bytes)
{
	memset(cursor, 0, sizeof(*cursor));
	if (!yaml_parser_initialize(&cursor->parser))
		return false;
	yaml_parser_set_input_string(&cursor->parser, (const unsigned char *)text, text_bytes);
	return true;
}

/* False at an error; the event is then YAML_NO_EVENT. */
static bool cursor_next(struct cursor *cursor)
{
	yaml_event_delete(&cursor->event);
	return yaml_parser_parse(&cursor->parser, &cursor->event);
}

static void cursor_close(struct cursor *cursor)
{
	yaml_event_delete(&cursor->event);
	yaml_parser_delete(&cursor->parser);
}

static int cursor_line(const struct cursor *cursor)
{
	return cursor->event.start_mark.line + 1;
}

/* The collections around an event. */
struct nesting {
	size_t documents;
	size_t depth;
	struct {
		bool is_mapping;
		bool is_key; /* the next node in it is a key */
	} level[NESTING_MAX];
};

static bool is_start(const yaml_event_t *event)
{
	return event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT;
}

static bool is_end(const yaml_event_t *event)
{
	return event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT;
}

static bool holds_nul(const yaml_event_t *event)
{
	return event->type == YAML_SCALAR_EVENT &&
	       memchr(event->data.scalar.value, '\0', event->data.scalar.length);
}

/* NULL, or why the event cannot be part of a configuration. */
static const char *event_unusable(const struct nesting *nesting, const yaml_event_t *event)
{
	if (event->type == YAML_DOCUMENT_START_EVENT && nesting->documents > 0)
		return "a second document starts here, expected one";
	if (event->type == YAML_ALIAS_EVENT)
		return "aliases are not accepted, write the value out";
	if (holds_nul(event))
		return "NUL characters are not accepted";
	if (is_start(event) && nesting->depth == NESTING_MAX)
		return "this is nested too deeply";
	if (is_start(event) && nesting->depth > 0 && nesting->level[nesting->depth - 1].is_key)
		return "got a list or a map as a key, expected a word";
	return NULL;
}

static void nesting_follow(struct nesting *nesting, const yaml_event_t *event)
{
	if (event->type == YAML_DOCUMENT_START_EVENT) {
		nesting->documents++;
		return;
	}
	if (is_start(event)) {
		bool is_mapping = event->type == YAML_MAPPING_START_EVENT;

		nesting->level[nesting->depth].is_mapping = is_mapping;
		nesting->level[nesting->depth].is_key = is_mapping;
		nesting->depth++;
		return;
	}
	if (is_end(event))
		nesting->depth--;
	else if (event->type != YAML_SCALAR_EVENT)
		return;
	/* A node is complete: in a mapping, a value follows a key and a key follows a value. */
	if (nesting->depth > 0 && nesting->level[nesting->depth - 1].is_mapping)
		nesting->level[nesting->depth - 1].is_key ^= true;
}

static int line_at_offset(const char *text, size_t offset)
{
	int line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

static int syntax_line(const yaml_parser_t *parser, const char *text, size_t text_bytes)
{
	int line = (int)parser->problem_mark.line + 1;
	int last = line_at_offset(text, text_bytes - 1);

	/* The reader knows no lines, only bytes. */
	if (parser->error == YAML_READER_ERROR && parser->problem_offset < text_bytes)
		return line_at_offset(text, parser->problem_offset);
	/* What is missing at the end is reported on the line behind it. */
	return line < last ? line : last;
}

static int refuse_syntax(const yaml_parser_t *parser, const char *text, size_t text_bytes,
			 struct text_error *error)
{
	const char *context = parser->context;

	if (parser->error == YAML_MEMORY_ERROR)
		return text_refuse(error, -ENOMEM, NULL, "out of memory");
	text_refuse(error, -EINVAL, NULL, "not YAML: %s%s%s", context ? context : "",
		    context ? ", " : "", parser->problem);
	error->line = syntax_line(parser, text, text_bytes);
	return -EINVAL;
}

int yaml_text_check(const char *text, size_t text_bytes, struct text_error *error)
{
	struct nesting nesting = {0};
	struct cursor cursor;
	int err = 0;

	if (!cursor_open(&cursor, text, text_bytes))
		return text_refuse(error, -ENOMEM, NULL, "out of memory");
	do {
		const char *unusable;

		if (!cursor_next(&cursor)) {
			err = refuse_syntax(&cursor.parser, text, text_bytes, error);
			break;
		}
		unusable = event_unusable(&nesting, &cursor.event);
		if (unusable) {
			err = text_refuse(error, -EINVAL, NULL, "%s", unusable);
			error->line = cursor_line(&cursor);
			break;
		}
		nesting_follow(&nesting, &cursor.event);
	} while (cursor.event.type != YAML_STREAM_END_EVENT);
	cursor_close(&cursor);
	return err;
}

/* From the start of a node to what follows it. */
static void skip_node(struct cursor *cursor)
{
	size_t depth = 0;

	do {
		depth += is_start(&cursor->event);
		depth -= is_end(&cursor->event);
	} while (cursor_next(cursor) && depth > 0);
}

static bool is_scalar(const struct cursor *cursor, const char *text, size_t text_bytes)
{
	return cursor->event.type == YAML_SCALAR_EVENT &&
	       cursor->event.data.scalar.length == text_bytes &&
	       !memcmp(cursor->event.data.scalar.value, text, text_bytes);
}

/* From a key in a mapping to the value of the next @key. False at the mapping's end. */
static bool find_key(struct cursor *cursor, const char *key, size_t key_bytes)
{
	while (cursor->event.type == YAML_SCALAR_EVENT) {
		bool found = is_scalar(cursor, key, key_bytes);

		if (!cursor_next(cursor))
			return false;
		if (found)
			return true;
		skip_node(cursor);
	}
	return false;
}

static bool at_item(const struct cursor *cursor)
{
	return cursor->event.type != YAML_SEQUENCE_END_EVENT && cursor->event.type != YAML_NO_EVENT;
}

/* From the start of a sequence to its item @index. False when there are fewer. */
static bool enter_item(struct cursor *cursor, unsigned long index)
{
	if (cursor->event.type != YAML_SEQUENCE_START_EVENT || !cursor_next(cursor))
		return false;
	while (index-- > 0 && at_item(cursor))
		skip_node(cursor);
	return at_item(cursor);
}

static bool enter_value(struct cursor *cursor, const char *key, size_t key_bytes)
{
	return cursor->event.type == YAML_MAPPING_START_EVENT && cursor_next(cursor) &&
	       find_key(cursor, key, key_bytes);
}

/* From the start of the document to the value at @path. False when it is not there. */
static bool enter_path(struct cursor *cursor, const char *path)
{
	while (*path) {
		size_t key_bytes = strcspn(path, ".[");
		char *end;

		if (*path == '[') {
			if (!enter_item(cursor, strtoul(path + 1, &end, 10)))
				return false;
			path = end + 1;
		} else {
			if (!enter_value(cursor, path, key_bytes))
				return false;
			path += key_bytes;
		}
		path += *path == '.';
	}
	return true;
}

/* The line of the last @key in the mapping that starts here, or else of the mapping. */
static int last_key_line(struct cursor *cursor, const char *key)
{
	int line = cursor_line(cursor);

	if (cursor->event.type != YAML_MAPPING_START_EVENT || !cursor_next(cursor))
		return line;
	while (cursor->event.type == YAML_SCALAR_EVENT) {
		if (is_scalar(cursor, key, strlen(key)))
			line = cursor_line(cursor);
		if (!cursor_next(cursor))
			break;
		skip_node(cursor);
	}
	return line;
}

int yaml_text_line(const char *text, size_t text_bytes, const char *path, const char *key)
{
	struct cursor cursor;
	int line = 0;

	if (!cursor_open(&cursor, text, text_bytes))
		return 0;
	/* The stream starts, the document starts, its root node starts. */
	if (cursor_next(&cursor) && cursor_next(&cursor) && cursor_next(&cursor) &&
	    enter_path(&cursor, path))
		line = key ? last_key_line(&cursor, key) : cursor_line(&cursor);
	cursor_close(&cursor);
	return line;
}
