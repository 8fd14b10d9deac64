/* SPDX-License-Identifier: GPL-2.0-only */
#include "pulled.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

/* A short name becomes the long one, unless that is there as well. */
static void rename_key(json_t *object, const char *from, const char *to)
{
	json_t *value = json_object_get(object, from);

	if (value && !json_object_get(object, to))
		json_object_set(object, to, value);
}

int pulled_report(const char *body, size_t body_bytes, const char *node, char **report,
		  struct text_error *error)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
	json_t *object = body_bytes ? json_loadb(body, body_bytes, flags, NULL) : NULL;
	json_t *claimed;
	int err = 0;

	*report = NULL;
	if (!json_is_object(object)) {
		err = text_refuse(error, -EINVAL, NULL, "the answer is no JSON object");
		goto out;
	}
	claimed = json_object_get(object, "node_id");
	if (claimed && (!json_is_string(claimed) || strcmp(json_string_value(claimed), node))) {
		err = text_refuse(error, -EINVAL, "node_id", "it speaks for another node than %s",
				  node);
		goto out;
	}
	rename_key(object, "cpu", "cpu_percent");
	rename_key(object, "mem", "mem_percent");
	if (!json_object_set_new(object, "node_id", json_string(node)))
		*report = json_dumps(object, JSON_COMPACT);
	if (!*report)
		err = text_refuse(error, -ENOMEM, NULL, "out of memory");
out:
	json_decref(object);
	return err;
}
