/* SPDX-License-Identifier: GPL-2.0-only */
#include "report.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_number.h"

#define VALUE_BYTES    56
#define EXPECTED_BYTES 96

/* The report that is being read, as error messages name it. */
struct subject {
	size_t number;    /* from 1 */
	const char *node; /* "" before it is known */
	struct text_error *error;
};

/*
 * The bytes of the control character that stands at @text, 0 when there is none: C0, DEL and, in
 * UTF-8, C1. They can make a terminal show what is not there.
 */
static size_t control_bytes(const char *text)
{
	unsigned char first = text[0], second;

	if (first < 0x20 || first == 0x7f)
		return 1;
	if (first != 0xc2)
		return 0;
	second = text[1];
	return second >= 0x80 && second < 0xa0 ? 2 : 0;
}

/* Whatever piece of the text got into the message, the message stays one harmless line. */
static void hide_control_characters(char *text)
{
	for (; *text; text++)
		memset(text, '?', control_bytes(text));
}

/* A value as it stands in the JSON, or what it is when that would be long. */
static void describe(const json_t *value, char text[VALUE_BYTES])
{
	size_t bytes;

	if (!value) {
		snprintf(text, VALUE_BYTES, "missing");
	} else if (json_is_object(value) || json_is_array(value)) {
		snprintf(text, VALUE_BYTES, json_is_object(value) ? "an object" : "an array");
	} else {
		bytes = json_dumpb(value, text, VALUE_BYTES - 1,
				   JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
		if (bytes < 1 || bytes >= VALUE_BYTES) {
			snprintf(text, VALUE_BYTES, "a string of %zu bytes",
				 json_string_length(value));
			return;
		}
		/* Numbers are read as reals, and written with a point. */
		if (json_is_real(value) && bytes > 2 && !memcmp(text + bytes - 2, ".0", 2))
			bytes -= 2;
		text[bytes] = '\0';
	}
}

static int refuse(const struct subject *subject, const char *field, const char *got,
		  const char *expected)
{
	struct text_error *error = subject->error;

	snprintf(error->what, sizeof(error->what),
		 *subject->node ? "report %zu (%s): %s is %s, expected %s"
				: "report %zu%s: %s is %s, expected %s",
		 subject->number, subject->node, field, got, expected);
	hide_control_characters(error->what);
	return -EINVAL;
}

static int refuse_value(const struct subject *subject, const char *field, const json_t *value,
			const char *expected)
{
	char got[VALUE_BYTES];

	describe(value, got);
	return refuse(subject, field, got, expected);
}

/* @text may have NUL within its @bytes, which is a control character like any other. */
static bool has_control_characters(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (control_bytes(text + i))
			return true;
	}
	return false;
}

static int read_name(const struct subject *subject, const char *field, const json_t *value,
		     char *name, size_t name_bytes)
{
	char expected[EXPECTED_BYTES];
	size_t bytes = json_string_length(value);

	if (!json_is_string(value) || bytes < 1 || bytes >= name_bytes ||
	    has_control_characters(json_string_value(value), bytes)) {
		snprintf(expected, sizeof(expected),
			 "a string of 1 to %zu bytes without control characters", name_bytes - 1);
		return refuse_value(subject, field, value, expected);
	}
	memcpy(name, json_string_value(value), bytes + 1);
	return 0;
}

static bool is_absent(const json_t *value)
{
	return !value || json_is_null(value);
}

static int read_number(const struct subject *subject, const struct report_number *field,
		       const json_t *value, struct report *report)
{
	double number = json_number_value(value);
	char expected[EXPECTED_BYTES];

	if (is_absent(value))
		return 0;
	/* Written so that NaN fails as well. */
	if (!json_is_number(value) || !(number >= 0 && number <= field->max)) {
		snprintf(expected, sizeof(expected), "%s0 to %.0f",
			 json_is_number(value) ? "" : "a number from ", field->max);
		return refuse_value(subject, field->name, value, expected);
	}
	report_number_set(report, field, number);
	return 0;
}

/* Take one character if it is one of @choices. */
static bool take(const char **at, const char *choices)
{
	if (!**at || !strchr(choices, **at))
		return false;
	(*at)++;
	return true;
}

/* Take exactly @digits digits that make a number from @low to @high. */
static bool take_number(const char **at, int digits, int low, int high, int *number)
{
	*number = 0;
	for (; digits; digits--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*number = *number * 10 + (**at - '0');
	}
	return *number >= low && *number <= high;
}

static bool is_leap_year(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Take YYYY-MM-DD, as days since 1970-01-01 in the Gregorian calendar. */
static bool take_date(const char **at, int64_t *days)
{
	static const int days_before[] = {0,   31,  59,  90,  120, 151, 181,
					  212, 243, 273, 304, 334, 365};
	int year, month, day, leap, month_days, y;

	if (!take_number(at, 4, 0, 9999, &year) || !take(at, "-") ||
	    !take_number(at, 2, 1, 12, &month) || !take(at, "-"))
		return false;
	leap = is_leap_year(year);
	month_days = days_before[month] - days_before[month - 1] + (leap && month == 2);
	if (!take_number(at, 2, 1, month_days, &day))
		return false;

	/* Years count from -399, so that none is negative; 865259 of the days are before 1970. */
	y = year + 399;
	*days = 365LL * y + y / 4 - y / 100 + y / 400 + days_before[month - 1] +
		(leap && month > 2) + day - 1 - 865259;
	return true;
}

/* Take the digits behind a point, however many; what is under a millisecond is lost. */
static bool take_fraction(const char **at, int *ms)
{
	size_t digits = strspn(*at, "0123456789");

	*ms = 0;
	for (size_t i = 0; i < 3; i++)
		*ms = *ms * 10 + (i < digits ? (*at)[i] - '0' : 0);
	*at += digits;
	return digits > 0;
}

/* Take "Z" or +hh:mm, as minutes ahead of UTC. */
static bool take_offset(const char **at, int *minutes)
{
	int sign = **at == '-' ? -1 : 1;
	int hour = 0, minute = 0;

	if (!take(at, "Zz") && (!take(at, "+-") || !take_number(at, 2, 0, 23, &hour) ||
				!take(at, ":") || !take_number(at, 2, 0, 59, &minute)))
		return false;
	*minutes = sign * (hour * 60 + minute);
	return true;
}

/*
 * RFC 3339, 5.6. The C library's functions would bring in the locale or the time zone. A leap second
 * is the first second of the next day, as Unix time has it.
 */
static bool parse_time(const char *text, int64_t *unix_ms)
{
	int hour, minute, second, offset_minutes, ms = 0;
	int64_t days, seconds;

	if (!take_date(&text, &days) || !take(&text, "Tt") ||
	    !take_number(&text, 2, 0, 23, &hour) || !take(&text, ":") ||
	    !take_number(&text, 2, 0, 59, &minute) || !take(&text, ":") ||
	    !take_number(&text, 2, 0, 60, &second))
		return false;
	if (take(&text, ".") && !take_fraction(&text, &ms))
		return false;
	if (!take_offset(&text, &offset_minutes) || *text)
		return false;

	seconds = days * 86400 + (hour * 60 + minute - offset_minutes) * 60 + second;
	/* Leap seconds come at the end of a UTC day only (5.7). */
	if (second == 60 && seconds % 86400 != 0)
		return false;
	*unix_ms = seconds * 1000 + ms;
	return true;
}

static int read_last_seen(const struct subject *subject, const json_t *value, int64_t now_ms,
			  int64_t skew_ms, struct report *report)
{
	const char *text = json_string_value(value);
	char expected[EXPECTED_BYTES];

	if (is_absent(value))
		return 0;
	if (!text || strlen(text) != json_string_length(value) ||
	    !parse_time(text, &report->last_seen_ms))
		return refuse_value(subject, "last_seen", value,
				    "a time that exists, written like \"2026-11-20T09:00:00Z\"");
	if (report->last_seen_ms - now_ms > skew_ms) {
		snprintf(expected, sizeof(expected),
			 "at most %lld ms after now (it is %lld ms after)", (long long)skew_ms,
			 (long long)(report->last_seen_ms - now_ms));
		return refuse_value(subject, "last_seen", value, expected);
	}
	report->fields |= REPORT_LAST_SEEN;
	return 0;
}

static int read_region(const struct subject *subject, const json_t *value, struct report *report)
{
	int err;

	if (is_absent(value) || (json_is_string(value) && !json_string_length(value)))
		return 0;
	err = read_name(subject, "region", value, report->region, sizeof(report->region));
	if (!err)
		report->fields |= REPORT_REGION;
	return err;
}

static int read_report(struct subject *subject, const json_t *item, int64_t now_ms, int64_t skew_ms,
		       struct report *report)
{
	int err;

	if (!json_is_object(item))
		return refuse_value(subject, "it", item, "an object");
	err = read_name(subject, "node_id", json_object_get(item, "node_id"), report->node,
			sizeof(report->node));
	if (err)
		return err;
	subject->node = report->node;

	for (size_t i = 0; i < REPORT_NUMBERS; i++) {
		const struct report_number *field = &report_numbers[i];

		err = read_number(subject, field, json_object_get(item, field->name), report);
		if (err)
			return err;
	}
	err = read_region(subject, json_object_get(item, "region"), report);
	if (err)
		return err;
	return read_last_seen(subject, json_object_get(item, "last_seen"), now_ms, skew_ms, report);
}

/* @seen has the number of the report of each node so far. */
static int refuse_second_report(const struct subject *subject, json_t *seen)
{
	const json_t *first = json_object_get(seen, subject->node);
	char got[VALUE_BYTES];

	if (first) {
		snprintf(got, sizeof(got), "that of report %lld",
			 (long long)json_integer_value(first));
		return refuse(subject, "node_id", got, "one report a node");
	}
	if (json_object_set_new(seen, subject->node, json_integer(subject->number)))
		return -ENOMEM;
	return 0;
}

static int read_reports(const json_t *root, int64_t now_ms, int64_t skew_ms, struct report *list,
			size_t total, struct text_error *error)
{
	json_t *seen = json_object();
	int err = seen ? 0 : -ENOMEM;

	for (size_t i = 0; i < total && !err; i++) {
		const json_t *item = json_is_array(root) ? json_array_get(root, i) : root;
		struct subject subject = {.number = i + 1, .node = "", .error = error};

		err = read_report(&subject, item, now_ms, skew_ms, &list[i]);
		if (!err)
			err = refuse_second_report(&subject, seen);
	}
	json_decref(seen);
	return err;
}

static int refuse_json(const json_error_t *cause, struct text_error *error)
{
	/* Out of memory the library often finds no words at all. */
	if (!cause->text[0] || json_error_code(cause) == json_error_out_of_memory)
		return -ENOMEM;
	error->line = cause->line > 0 ? cause->line : 0;
	snprintf(error->what, sizeof(error->what), "bad JSON: %s (column %d)", cause->text,
		 cause->column);
	hide_control_characters(error->what);
	return -EINVAL;
}

int report_parse(const char *text, size_t text_bytes, int64_t now_ms, int64_t skew_ms,
		 struct report **reports, size_t *count, struct text_error *error)
{
	/*
	 * As reals, or an unknown field with a large integer would be a syntax error. With NUL, or
	 * the library's words for it would stand where the field's name should.
	 */
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
	struct report *list = NULL;
	json_error_t cause;
	json_t *root;
	size_t total;
	int err;

	*reports = NULL;
	*count = 0;
	*error = (struct text_error){.line = 0};

	root = json_loadb(text, text_bytes, flags, &cause);
	if (!root) {
		err = refuse_json(&cause, error);
		goto out;
	}
	total = json_is_array(root) ? json_array_size(root) : 1;
	if (total) {
		list = calloc(total, sizeof(*list));
		err = list ? read_reports(root, now_ms, skew_ms, list, total, error) : -ENOMEM;
		if (err)
			goto out;
	}
	*reports = list;
	*count = total;
	list = NULL;
	err = 0;
out:
	if (err == -ENOMEM)
		snprintf(error->what, sizeof(error->what), "out of memory");
	free(list);
	json_decref(root);
	return err;
}

bool report_has(const struct report *report, enum report_field field, double value)
{
	return report->fields & field && isfinite(value) && value >= 0;
}
