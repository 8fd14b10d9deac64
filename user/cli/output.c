/* SPDX-License-Identifier: GPL-2.0-only */
#include "output.h"

#include <stdio.h>
#include <string.h>

#define CELL_BYTES  160
#define COLUMNS_MAX 16

static void format_cell(const json_t *value, const struct column *column, char text[CELL_BYTES])
{
	const char *unit = column->unit ? column->unit : "";

	if (json_is_string(value))
		snprintf(text, CELL_BYTES, "%s",
			 *json_string_value(value) ? json_string_value(value) : "-");
	else if (json_is_integer(value))
		snprintf(text, CELL_BYTES, "%lld%s", (long long)json_integer_value(value), unit);
	else if (json_is_real(value))
		snprintf(text, CELL_BYTES, "%.*f%s", column->decimals, json_real_value(value), unit);
	else if (json_is_boolean(value))
		snprintf(text, CELL_BYTES, "%s", json_is_true(value) ? "yes" : "no");
	else
		snprintf(text, CELL_BYTES, "-");
}

/* Also tells whether the column is one of numbers. */
static size_t column_width(const json_t *rows, const struct column *column, bool *numbers)
{
	size_t width = strlen(column->title);
	char text[CELL_BYTES];
	json_t *row;
	size_t i;

	*numbers = true;
	json_array_foreach(rows, i, row) {
		const json_t *value = json_object_get(row, column->key);

		format_cell(value, column, text);
		if (strlen(text) > width)
			width = strlen(text);
		if (json_is_string(value))
			*numbers = false;
	}
	return width;
}

static void print_cell(const char *text, size_t width, bool number, bool last)
{
	if (number)
		printf("%*s", (int)width, text);
	else if (last)
		fputs(text, stdout); /* no blanks at the end of a line */
	else
		printf("%-*s", (int)width, text);
	fputs(last ? "\n" : "  ", stdout);
}

/* A null says that there is nothing to say: of rows that all say so, the column is left out. */
static bool is_silent(const json_t *rows, const struct column *column)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		if (!json_is_null(json_object_get(row, column->key)))
			return false;
	}
	return true;
}

void output_table(const json_t *rows, const struct column *columns, size_t column_count,
		  const char *empty)
{
	const struct column *shown[COLUMNS_MAX];
	size_t width[COLUMNS_MAX];
	bool number[COLUMNS_MAX];
	char text[CELL_BYTES];
	size_t count = 0;
	json_t *row;
	size_t i, c;

	if (!json_array_size(rows)) {
		puts(empty);
		return;
	}
	for (c = 0; c < column_count; c++) {
		if (!is_silent(rows, &columns[c]))
			shown[count++] = &columns[c];
	}
	for (c = 0; c < count; c++)
		width[c] = column_width(rows, shown[c], &number[c]);
	for (c = 0; c < count; c++)
		print_cell(shown[c]->title, width[c], number[c], c + 1 == count);
	json_array_foreach(rows, i, row) {
		for (c = 0; c < count; c++) {
			format_cell(json_object_get(row, shown[c]->key), shown[c], text);
			print_cell(text, width[c], number[c], c + 1 == count);
		}
	}
}

void output_rows(bool json, json_t *rows, const struct column *columns, size_t column_count,
		 const char *empty)
{
	if (json) {
		output_json(rows);
		return;
	}
	output_table(rows, columns, column_count, empty);
	json_decref(rows);
}

json_t *output_number_or_null(json_int_t number)
{
	return number ? json_integer(number) : json_null();
}

void output_json(json_t *root)
{
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
	putchar('\n');
	json_decref(root);
}
