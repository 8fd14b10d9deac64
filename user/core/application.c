/* SPDX-License-Identifier: GPL-2.0-only */
#include "application.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "report_number.h"

/* Parts of one in ORCA, percentages in reports. */
static const struct {
	const char *name;
	enum report_field field;
} parts[] = {
	{"cpu_utilization", REPORT_CPU},
	{"mem_utilization", REPORT_MEM},
};

/* Returns whether there is a good number, with errors in *@err. */
static bool take_number(const json_t *root, const char *name, double max, double *value, int *err,
			struct text_error *error)
{
	const json_t *found = json_object_get(root, name);

	if (*err || !found || json_is_null(found))
		return false;
	*value = json_number_value(found);
	if (json_is_number(found) && *value >= 0 && *value <= max)
		return true;
	if (json_is_number(found))
		*err = text_refuse(error, -EINVAL, NULL, "%s is %.15g, expected 0 to %.0f", name,
				   *value, max);
	else
		*err = text_refuse(error, -EINVAL, NULL, "%s is not a number", name);
	return false;
}

static int take_numbers(const json_t *root, struct report *own, struct text_error *error)
{
	double value;
	int err = 0;

	/* A CPU limit makes more than 1 possible there. */
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (take_number(root, parts[i].name, 1000, &value, &err, error))
			report_measured(own, parts[i].field, value * 100);
	}
	for (size_t i = 0; i < REPORT_NUMBERS; i++) {
		if (take_number(root, report_numbers[i].name, report_numbers[i].max, &value, &err,
				error))
			report_number_set(own, &report_numbers[i], value);
	}
	return err;
}

int application_parse(const char *text, size_t text_bytes, struct report *own,
		      struct text_error *error)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
	json_error_t cause;
	json_t *root = json_loadb(text, text_bytes, flags, &cause);
	int err;

	*own = (struct report){0};
	if (!root) {
		text_refuse(error, -EINVAL, NULL, "bad JSON: %s (column %d)", cause.text,
			    cause.column);
		error->line = cause.line > 0 ? cause.line : 0;
		return json_error_code(&cause) == json_error_out_of_memory ? -ENOMEM : -EINVAL;
	}
	if (json_is_object(root))
		err = take_numbers(root, own, error);
	else
		err = text_refuse(error, -EINVAL, NULL, "expected a JSON object");
	if (err)
		*own = (struct report){0};
	json_decref(root);
	return err;
}

void application_merge(const struct report *own, struct report *report)
{
	for (size_t i = 0; i < REPORT_NUMBERS; i++) {
		if (own->fields & report_numbers[i].field)
			report_number_set(report, &report_numbers[i],
					  report_number_get(own, &report_numbers[i]));
	}
}
