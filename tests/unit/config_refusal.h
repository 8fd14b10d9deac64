/* SPDX-License-Identifier: GPL-2.0-only */
/* What a refused configuration must look like: one line of text, and where. After cmocka.h. */
#ifndef SLUICE_TESTS_UNIT_CONFIG_REFUSAL_H
#define SLUICE_TESTS_UNIT_CONFIG_REFUSAL_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/config.h"

/* The first five lines of a configuration with one service. */
#define ONE_SERVICE            \
	"services:\n"          \
	"  - name: web\n"      \
	"    vip: 192.0.2.1\n" \
	"    port: 80\n"       \
	"    proto: tcp\n"

struct refusal {
	const char *text;
	int line;
	const char *what; /* the whole sentence */
};

static inline int parse(const char *text, size_t text_bytes, struct config *config,
			struct text_error *error)
{
	/* Exactly as many bytes as there are, so that a read behind them is seen. */
	char *exact = malloc(text_bytes ? text_bytes : 1);
	int err;

	assert_non_null(exact);
	memcpy(exact, text, text_bytes);
	memset(error, 0, sizeof(*error));
	err = config_parse(exact, text_bytes, config, error);
	free(exact);
	return err;
}

static inline void check_one_line(const char *text, const struct text_error *error)
{
	size_t length = strnlen(error->what, sizeof(error->what));

	if (length == 0 || length == sizeof(error->what))
		fail_msg("%s\nthe sentence has %zu bytes", text, length);
	for (size_t i = 0; i < length; i++) {
		if (error->what[i] < ' ' || error->what[i] > '~')
			fail_msg("%s\nbyte %#x in the sentence", text, error->what[i]);
	}
}

static inline void check_refusals(const struct refusal *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct text_error error;
		struct config config;
		int err = parse(cases[i].text, strlen(cases[i].text), &config, &error);

		if (err != -EINVAL)
			fail_msg("%s\nreturned %d, expected %d", cases[i].text, err, -EINVAL);
		if (error.line != cases[i].line || strcmp(error.what, cases[i].what))
			fail_msg("%s\ngot line %d: %s\nexpected line %d: %s", cases[i].text,
				 error.line, error.what, cases[i].line, cases[i].what);
		check_one_line(cases[i].text, &error);
	}
}

#endif
