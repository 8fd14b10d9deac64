/* SPDX-License-Identifier: GPL-2.0-only */
/* One set of data, two ways to print it: an aligned table for people, JSON for programs. */
#ifndef SLUICE_CLI_OUTPUT_H
#define SLUICE_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct column {
	const char *key;   /* in the rows */
	const char *title; /* above the column */
	const char *unit;  /* behind a number; NULL: none */
	int decimals;	   /* of a real number */
};

/*
 * Print an array of objects as a table: texts to the left, numbers to the right, "-" for what a row
 * lacks. A column for which all rows have a null is left out. An empty array prints @empty instead.
 */
void output_table(const json_t *rows, const struct column *columns, size_t column_count,
		  const char *empty);

/* Print @rows one way or the other, and let go of them. */
void output_rows(bool json, json_t *rows, const struct column *columns, size_t column_count,
		 const char *empty);

/* A number for which 0 means that there is none. */
json_t *output_number_or_null(json_int_t number);

/* Print @root as JSON and let go of it. */
void output_json(json_t *root);

#endif
