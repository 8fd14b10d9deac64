/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy_example.h"
#include "user/core/feed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* From exactly as many bytes as there are, so that a read behind them is seen. */
static int parse_bytes(const char *text, size_t bytes, struct prefix **prefixes, size_t *count,
		       struct text_error *error)
{
	char *exact = malloc(bytes ? bytes : 1);
	int err;

	assert_non_null(exact);
	memcpy(exact, text, bytes);
	err = feed_parse(exact, bytes, prefixes, count, error);
	free(exact);
	return err;
}

static void good(void **state)
{
	static const char text[] = "# a list\r\n"
				   "192.0.2.0/24 ; SBL1\n"
				   "\n"
				   " \t2001:db8::/32\t# and a word\r\n"
				   ";10.0.0.0/8\n"
				   "198.51.100.7#x\n"
				   "192.0.2.0/24\n"
				   "203.0.113.9";
	static const char *const expected[] = {"192.0.2.0/24", "2001:db8::/32", "198.51.100.7",
					       "192.0.2.0/24", "203.0.113.9"};
	char formatted[PREFIX_TEXT_BYTES];
	struct prefix *prefixes;
	struct text_error error;
	size_t count;

	(void)state;
	assert_int_equal(parse_bytes(text, strlen(text), &prefixes, &count, &error), 0);
	assert_int_equal(count, COUNT(expected));
	for (size_t i = 0; i < count; i++)
		assert_string_equal(prefix_format(&prefixes[i], formatted), expected[i]);
	free(prefixes);

	assert_int_equal(parse_bytes("", 0, &prefixes, &count, &error), 0);
	assert_int_equal(count, 0);
	free(prefixes);
	assert_int_equal(parse_bytes("\n#\n", 3, &prefixes, &count, &error), 0);
	assert_int_equal(count, 0);
	free(prefixes);
}

static void bad(void **state)
{
	static const char neither[] =
		"is neither an address nor a prefix such as 192.0.2.0/24 or 2001:db8::/32";
	static const struct {
		const char *text;
		size_t bytes; /* 0: all */
		int line;
		const char *quoted;
	} cases[] = {
		{"x", 0, 1, "\"x\""},
		{"10.0.0.0/8\n# y\n10.0.0.0/33 ; z\n!\n", 0, 3, "\"10.0.0.0/33\""},
		{"10.0.0.0/8 10.0.0.1\n", 0, 1, "\"10.0.0.0/8 10.0.0.1\""},
		{"10.0.0.0/8,\n", 0, 1, "\"10.0.0.0/8,\""},
		{"\n\n10.0.0.1\0\n", 12, 3, "\"10.0.0.1\""},
		{"10.0.0.1\n\0", 10, 2, "\"\""},
		{"a\033[2J\n", 0, 1, "\"a?[2J\""},
		{"1111111111111111111111111111111111111111111111111111111111111111111111", 0, 1,
		 "\"1111111111111111111111111111111111111111...\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct prefix *prefixes = NULL;
		struct text_error error;
		char expected[256];
		size_t count = 7;
		int err = parse_bytes(cases[i].text,
				      cases[i].bytes ? cases[i].bytes : strlen(cases[i].text),
				      &prefixes, &count, &error);

		snprintf(expected, sizeof(expected), "%s %s", cases[i].quoted, neither);
		assert_int_equal(err, -EINVAL);
		assert_string_equal(error.what, expected);
		assert_int_equal(error.line, cases[i].line);
		assert_null(prefixes);
		assert_int_equal(count, 7);
	}
}

static void bits_behind(void **state)
{
	static const char text[] = "10.0.0.0/8\n10.1.2.3/16\n";
	struct prefix *prefixes;
	struct text_error error;
	size_t count;

	(void)state;
	assert_int_equal(parse_bytes(text, strlen(text), &prefixes, &count, &error), -EINVAL);
	assert_int_equal(error.line, 2);
	assert_string_equal(error.what,
			    "\"10.1.2.3/16\" has bits set behind the prefix, expected 10.1.0.0/16");
}

/* One more than there may be. */
static void too_many(void **state)
{
	static const char line[] = "10.0.0.1\n";
	size_t bytes = (POLICY_PREFIXES_MAX + 1) * strlen(line);
	char *text = malloc(bytes + 1);
	struct prefix *prefixes;
	struct text_error error;
	size_t count;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i <= POLICY_PREFIXES_MAX; i++)
		memcpy(text + i * strlen(line), line, strlen(line));
	assert_int_equal(feed_parse(text, bytes - strlen(line), &prefixes, &count, &error), 0);
	assert_int_equal(count, 4000000);
	free(prefixes);
	assert_int_equal(feed_parse(text, bytes, &prefixes, &count, &error), -EINVAL);
	assert_int_equal(error.line, 4000001);
	assert_string_equal(error.what, "there are more than 4000000 prefixes");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
		cmocka_unit_test(bits_behind),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
