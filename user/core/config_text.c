/* SPDX-License-Identifier: GPL-2.0-only */
#include "config_text.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "config_schema.h"
#include "yaml_text.h"

#define PATH_BYTES 96

int config_text_refuse(const char *text, size_t text_bytes, const char *path,
		       struct text_error *error, const char *format, ...)
{
	char sentence[sizeof(error->what)];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	text_refuse(error, -EINVAL, NULL, "%s%s%s", path, *path ? ": " : "", sentence);
	error->line = yaml_text_line(text, text_bytes, path, NULL);
	return -EINVAL;
}

/*
 * What libcyaml complained of: its first message, and its backtrace turned into a path. The lines
 * in it are those of the value before, where a key is at fault, so they are not used.
 */
struct complaint {
	char message[160];
	char path[PATH_BYTES];
};

/* The backtrace comes from the inside out. */
static void prepend(struct complaint *complaint, const char *part)
{
	char *path = complaint->path;
	size_t inner_bytes = strlen(path), part_bytes = strlen(part);
	bool dot = *path && *path != '[';

	if (part_bytes + dot + inner_bytes >= sizeof(complaint->path))
		return;
	memmove(path + part_bytes + dot, path, inner_bytes + 1);
	memcpy(path, part, part_bytes);
	if (dot)
		path[part_bytes] = '.';
}

static void follow_backtrace(struct complaint *complaint, const char *text)
{
	char part[32];
	unsigned int number; /* of an entry, from 1 */

	if (sscanf(text, " in mapping field '%31[a-z0-9_]'", part) == 1) {
		prepend(complaint, part);
	} else if (sscanf(text, " in sequence entry '%u'", &number) == 1) {
		snprintf(part, sizeof(part), "[%u]", number - 1);
		prepend(complaint, part);
	}
}

static void note(cyaml_log_t level, void *context, const char *format, va_list args)
{
	static const char prefix[] = "Load: ";
	struct complaint *complaint = context;
	char text[sizeof(complaint->message)];

	(void)level;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	if (strncmp(text, prefix, strlen(prefix)))
		follow_backtrace(complaint, text);
	else if (!*complaint->message)
		strcpy(complaint->message, text + strlen(prefix));
}

static const char *event_in_words(const char *event)
{
	if (!strncmp(event, "MAPPING", strlen("MAPPING")))
		return "a map";
	if (!strncmp(event, "SEQUENCE", strlen("SEQUENCE")))
		return "a list";
	return "a single value";
}

static void list_keys(const cyaml_schema_field_t *fields, char *list, size_t list_bytes)
{
	size_t used = 0;

	list[0] = '\0';
	for (size_t i = 0; fields[i].key && used < list_bytes; i++)
		used += snprintf(list + used, list_bytes - used, "%s%s", i ? ", " : "",
				 fields[i].key);
}

/* The key in "Unexpected key: port". */
static const char *key_in(const char *message)
{
	const char *colon = strstr(message, ": ");

	return colon ? colon + strlen(": ") : message;
}

/* The map that holds the key at the end of the path. */
static void leave_key(char *path)
{
	char *dot = strrchr(path, '.');

	*(dot ? dot : path) = '\0';
}

static int explain(const char *text, size_t text_bytes, cyaml_err_t code,
		   struct complaint *complaint, struct text_error *error)
{
	const char *message = complaint->message, *key = key_in(message);
	char got[32], expected[32], keys[176];
	char *path = complaint->path;

	if (code == CYAML_ERR_OOM)
		return text_refuse(error, -ENOMEM, NULL, "out of memory");
	if (code == CYAML_ERR_INVALID_KEY) {
		list_keys(config_schema_fields(path), keys, sizeof(keys));
		config_text_refuse(text, text_bytes, path, error,
				   "got the unknown key \"%.32s\", expected one of %s", key, keys);
		error->line = yaml_text_line(text, text_bytes, path, key);
		return -EINVAL;
	}
	if (code == CYAML_ERR_MAPPING_FIELD_MISSING) {
		leave_key(path); /* the last one that was there */
		return config_text_refuse(text, text_bytes, path, error, "\"%s\" is required", key);
	}
	if (!strncmp(message, "Mapping field already seen", 26)) {
		config_text_refuse(text, text_bytes, path, error, "given twice");
		leave_key(path);
		error->line = yaml_text_line(text, text_bytes, path, key);
		return -EINVAL;
	}
	if (sscanf(message, "Expecting %31[A-Z_], got event: %31[A-Z_]", expected, got) == 2)
		return config_text_refuse(text, text_bytes, path, error, "got %s, expected %s",
					  event_in_words(got), event_in_words(expected));
	return config_text_refuse(text, text_bytes, path, error, "%s",
				  *message ? message : cyaml_strerror(code));
}

static const cyaml_config_t loader = {
	.mem_fn = cyaml_mem,
	.log_level = CYAML_LOG_ERROR,
	.flags = CYAML_CFG_NO_ALIAS,
};

int config_text_load(const char *text, size_t text_bytes, struct config_text **config,
		     struct text_error *error)
{
	struct complaint complaint = {0};
	cyaml_config_t with_log = loader;
	cyaml_data_t *data = NULL;
	cyaml_err_t code;
	int err = yaml_text_check(text, text_bytes, error);

	if (err)
		return err;
	with_log.log_fn = note;
	with_log.log_ctx = &complaint;
	code = cyaml_load_data((const uint8_t *)text, text_bytes, &with_log, &config_schema, &data,
			       NULL);
	if (code != CYAML_OK)
		return explain(text, text_bytes, code, &complaint, error);
	*config = data;
	return 0;
}

void config_text_free(struct config_text *config)
{
	cyaml_free(&loader, &config_schema, config, 0);
}
