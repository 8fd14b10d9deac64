/* SPDX-License-Identifier: GPL-2.0-only */
/* Texts made to hurt: never a crash, never a long wait, one line about each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config_refusal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char *repeat(const char *first, const char *part, size_t times)
{
	size_t first_bytes = strlen(first), part_bytes = strlen(part);
	char *text = malloc(first_bytes + part_bytes * times + 1);

	assert_non_null(text);
	memcpy(text, first, first_bytes);
	for (size_t i = 0; i < times; i++)
		memcpy(text + first_bytes + i * part_bytes, part, part_bytes);
	text[first_bytes + part_bytes * times] = '\0';
	return text;
}

static void huge(void **state)
{
	static const struct {
		const char *first;
		const char *part;
		size_t times;
		int line;
		const char *what;
	} cases[] = {
		{"", "#", 16777217, 0, "got 16777217 bytes, expected at most 16777216"},
		{"", "[", 4000000, 1, "this is nested too deeply"},
		{"services:\n", "- ", 4000000, 2, "this is nested too deeply"},
		{"", "{a: ", 1000000, 1, "this is nested too deeply"},
		{"services:\n", "  - &a\n", 500000, 2,
		 "services[0]: got a single value, expected a map"},
		{"x", "\n", 4000000, 1, "got a single value, expected a map"},
		{"region: \"", "\\\\", 1000000, 1,
		 "not YAML: while scanning a quoted scalar, found unexpected end of stream"},
		{"services: [", "{name: a, vip: 1, port: 1, proto: tcp},", 100000, 1,
		 "not YAML: while parsing a flow node, did not find expected node content"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = repeat(cases[i].first, cases[i].part, cases[i].times);
		struct text_error error;
		struct config config;
		int err = parse(text, strlen(text), &config, &error);

		free(text);
		if (err != -EINVAL || error.line != cases[i].line ||
		    strcmp(error.what, cases[i].what))
			fail_msg("%s%s x %zu: %d, line %d: %s", cases[i].first, cases[i].part,
				 cases[i].times, err, error.line, error.what);
	}
}

static void long_values_are_cut(void **state)
{
	static char text[5000] = "\n\nregion: ";
	struct text_error error;
	struct config config;

	(void)state;
	memset(text + strlen(text), 'a', sizeof(text) - 1 - strlen(text));
	assert_int_equal(parse(text, strlen(text), &config, &error), -EINVAL);
	assert_int_equal(error.line, 3);
	assert_string_equal(
		error.what,
		"region: got \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\", expected up "
		"to 31 bytes, no control characters");
}

/* Steele and Vigna, splitmix64: any fixed sequence will do. */
static uint64_t next_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static void mutate(char *text, size_t text_bytes, uint64_t *seed)
{
	static const char bytes[] = "\0\n\t :-[]{}&*!|>'\"%@`#,?0123456789aé\xff\xc0";

	for (uint64_t changes = 1 + next_random(seed) % 4; changes > 0; changes--) {
		size_t at = next_random(seed) % text_bytes, from = next_random(seed) % text_bytes;
		size_t run = 1 + next_random(seed) % 12;

		if (next_random(seed) % 2)
			text[at] = bytes[next_random(seed) % (sizeof(bytes) - 1)];
		else if (at + run <= text_bytes && from + run <= text_bytes)
			memmove(text + at, text + from, run);
	}
}

static void mutations(void **state)
{
	static const char original[] =
		"load:\n"
		"  flows_per_cpu: 2048\n"
		"  seed: 7\n"
		"  tunnel_source_ipv4: 10.9.0.0/16\n"
		"region: here\n"
		"services:\n"
		"  - name: web\n"
		"    vip: 192.0.2.1\n"
		"    port: any\n"
		"    proto: tcp\n"
		"    local_count: false\n"
		"    backends:\n"
		"      - {name: web-1, address: 10.0.0.1, weight: 5}\n"
		"      - name: web-2\n"
		"        address: \"2001:db8::7\"\n"
		"        state: drain\n"
		"  - {name: dns, vip: 2001:db8::53, port: 53, proto: udp, slots: 4096}\n";
	const size_t original_bytes = sizeof(original) - 1;
	size_t good = 0, bad = 0;
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct text_error error;
		struct config config;
		char text[sizeof(original)];
		int lines = 1;

		memcpy(text, original, sizeof(original));
		mutate(text, original_bytes, &seed);
		if (!parse(text, original_bytes, &config, &error)) {
			config_free(&config);
			good++;
			continue;
		}
		bad++;
		check_one_line(text, &error);
		for (size_t i = 0; i < original_bytes; i++)
			lines += text[i] == '\n';
		if (error.line < 1 || error.line > lines)
			fail_msg("%s\nline %d of %d: %s", text, error.line, lines, error.what);
	}
	/* Both ways must have been taken often for this to mean anything. */
	assert_in_range(good, 200, 19800);
	assert_in_range(bad, 200, 19800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(huge),
		cmocka_unit_test(long_values_are_cut),
		cmocka_unit_test(mutations),
	};

	return cmocka_run_group_tests_name("config_hostile", tests, NULL, NULL);
}
