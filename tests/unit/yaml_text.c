/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of values; what yaml_text_check() refuses is tried in config_text.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "user/core/yaml_text.h"

static const char text[] = "# comment\n"
			   "a: 1\n"
			   "list:\n"
			   "  - x: 1\n"
			   "    inner: [1, {deep: 2,\n"
			   "            y: 3}, 4]\n"
			   "  - x: 2\n"
			   "    folded: >\n"
			   "      one\n"
			   "      two\n"
			   "    x: 3\n"
			   "\"a.b[0]\": 5\n"
			   "last:\n"
			   "  below\n";

static void lines(void **state)
{
	static const struct {
		const char *path;
		const char *key;
		int line;
	} cases[] = {
		{"", NULL, 2},
		{"a", NULL, 2},
		{"list", NULL, 4},
		{"list[0]", NULL, 4},
		{"list[0].inner", NULL, 5},
		{"list[0].inner[1].deep", NULL, 5},
		{"list[0].inner[1].y", NULL, 6},
		{"list[0].inner[2]", NULL, 6},
		{"list[1]", NULL, 7},
		{"list[1].x", NULL, 7},
		{"list[1].folded", NULL, 8},
		{"last", NULL, 14},
		/* keys */
		{"", "last", 13},
		{"", "a.b[0]", 12},
		{"list[1]", "x", 11},
		{"list[0].inner[1]", "y", 6},
		{"list[1]", "nope", 7},
		{"a", "nope", 2},
		/* not there */
		{"nope", NULL, 0},
		{"a.b", NULL, 0},
		{"a[0]", NULL, 0},
		{"list[2]", NULL, 0},
		{"list[99999].x", NULL, 0},
		{"list.x", NULL, 0},
		{"nope", "x", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int line = yaml_text_line(text, strlen(text), cases[i].path, cases[i].key);

		if (line != cases[i].line)
			fail_msg("%s, key %s: line %d, expected %d", cases[i].path,
				 cases[i].key ? cases[i].key : "none", line, cases[i].line);
	}
}

static void lines_of_broken_texts(void **state)
{
	(void)state;
	assert_int_equal(yaml_text_line("a: [1,\n2,\n}", 11, "a[1]", NULL), 2);
	assert_int_equal(yaml_text_line("a: [1,\n2,\n}", 11, "a[7]", NULL), 0);
	assert_int_equal(yaml_text_line("a: 1\n\tb: 2", 10, "b", NULL), 0);
	assert_int_equal(yaml_text_line("", 0, "a", NULL), 0);
}

static void good_texts(void **state)
{
	struct text_error error;

	(void)state;
	assert_int_equal(yaml_text_check(text, strlen(text), &error), 0);
	assert_int_equal(yaml_text_check("", 0, &error), 0);
	/* Sixteen levels, and words as keys behind lists and maps. */
	assert_int_equal(yaml_text_check("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", 32, &error), 0);
	assert_int_equal(yaml_text_check("{a: [], b: {c: {}, d: []}, e: f}", 32, &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(lines_of_broken_texts),
		cmocka_unit_test(good_texts),
	};

	return cmocka_run_group_tests_name("yaml_text", tests, NULL, NULL);
}
