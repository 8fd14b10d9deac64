/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy_example.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void good(void **state)
{
	static const struct {
		const char *text;
		const char *formatted;
		int bits;
		enum family family;
		__u64 first[2];
		__u64 last[2];
	} cases[] = {
		{"192.0.2.0/24",
		 "192.0.2.0/24",
		 24,
		 FAMILY_IPV4,
		 {0, 0xffffc0000200},
		 {0, 0xffffc00002ff}},
		{"192.0.2.1",
		 "192.0.2.1",
		 32,
		 FAMILY_IPV4,
		 {0, 0xffffc0000201},
		 {0, 0xffffc0000201}},
		{"192.0.2.1/32",
		 "192.0.2.1",
		 32,
		 FAMILY_IPV4,
		 {0, 0xffffc0000201},
		 {0, 0xffffc0000201}},
		{"0.0.0.0/0",
		 "0.0.0.0/0",
		 0,
		 FAMILY_IPV4,
		 {0, 0xffff00000000},
		 {0, 0xffffffffffff}},
		{"128.0.0.0/1",
		 "128.0.0.0/1",
		 1,
		 FAMILY_IPV4,
		 {0, 0xffff80000000},
		 {0, 0xffffffffffff}},
		{"::ffff:10.0.0.0/104",
		 "10.0.0.0/8",
		 8,
		 FAMILY_IPV4,
		 {0, 0xffff0a000000},
		 {0, 0xffff0affffff}},
		{"::/0", "::/0", 0, FAMILY_IPV6, {0, 0}, {~0ULL, ~0ULL}},
		{"2001:db8::/32",
		 "2001:db8::/32",
		 32,
		 FAMILY_IPV6,
		 {0x20010db800000000, 0},
		 {0x20010db8ffffffff, ~0ULL}},
		{"2001:db8::/64",
		 "2001:db8::/64",
		 64,
		 FAMILY_IPV6,
		 {0x20010db800000000, 0},
		 {0x20010db800000000, ~0ULL}},
		{"2001:db8:0:0:8000::/65",
		 "2001:db8:0:0:8000::/65",
		 65,
		 FAMILY_IPV6,
		 {0x20010db800000000, 1ULL << 63},
		 {0x20010db800000000, ~0ULL}},
		{"2001:db8::1",
		 "2001:db8::1",
		 128,
		 FAMILY_IPV6,
		 {0x20010db800000000, 1},
		 {0x20010db800000000, 1}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct prefix parsed;
		struct wide first, last;
		char text[PREFIX_TEXT_BYTES];

		assert_int_equal(prefix_parse(cases[i].text, &parsed), 0);
		assert_string_equal(prefix_format(&parsed, text), cases[i].formatted);
		assert_int_equal(parsed.bits, cases[i].bits);
		assert_int_equal(prefix_family(&parsed), cases[i].family);
		assert_true(prefix_valid(&parsed));
		first = address_wide(&parsed.address);
		last = prefix_last(&parsed);
		assert_memory_equal(first.word, cases[i].first, sizeof(first.word));
		assert_memory_equal(last.word, cases[i].last, sizeof(last.word));
	}
}

static void bad(void **state)
{
	static const char *const cases[] = {
		"",
		"/",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/+8",
		"10.0.0.0/08",
		"10.0.0.0/ 8",
		"10.0.0.0/8 ",
		" 10.0.0.0/8",
		"10.0.0.0/8/8",
		"10.0.0.0/255.0.0.0",
		"10.0.0/24",
		"10.0.0.0/8x",
		"10.0.0.0/4294967304",
		"::/129",
		"2001:db8::/1280",
		"[::]/0",
		"::ffff:10.0.0.0/95",
		"::ffff:10.0.0.0/8",
		"::ffff:10.0.0.0/129",
		"any",
		"10.0.0.1:80",
		"11111111111111111111111111111111111111111111111111111111111111111111/8",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct prefix parsed = {.bits = 77};

		if (prefix_parse(cases[i], &parsed) != -EINVAL)
			fail_msg("\"%s\" was taken", cases[i]);
		assert_int_equal(parsed.bits, 77);
	}
}

static void bits_behind(void **state)
{
	static const struct {
		const char *text;
		const char *meant;
	} cases[] = {
		{"10.0.0.1/8", "10.0.0.0/8"},
		{"192.0.2.1/31", "192.0.2.0/31"},
		{"1.0.0.0/0", "0.0.0.0/0"},
		{"2001:db8::1/64", "2001:db8::/64"},
		{"2001:db8:0:1::/63", "2001:db8::/63"},
		{"::ffff:10.0.0.1/127", "10.0.0.0/31"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[PREFIX_TEXT_BYTES];
		struct prefix parsed;

		assert_int_equal(prefix_parse(cases[i].text, &parsed), -EDOM);
		assert_string_equal(prefix_format(&parsed, text), cases[i].meant);
	}
}

static void contains(void **state)
{
	static const struct {
		const char *prefix;
		const char *address;
		bool in;
	} cases[] = {
		{"10.0.0.0/8", "10.255.255.255", true},
		{"10.0.0.0/8", "11.0.0.0", false},
		{"10.0.0.0/8", "9.255.255.255", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"0.0.0.0/0", "203.0.113.1", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "192.0.2.1", false},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct prefix around = prefix(cases[i].prefix);
		struct address inside = address(cases[i].address);

		if (prefix_contains(&around, &inside) != cases[i].in)
			fail_msg("%s, %s", cases[i].prefix, cases[i].address);
	}
}

static void valid(void **state)
{
	struct prefix made = prefix("10.0.0.0/8");

	(void)state;
	made.bits = 33;
	assert_false(prefix_valid(&made));
	made.bits = 4;
	assert_false(prefix_valid(&made));
	made.bits = 7;
	assert_true(prefix_valid(&made));
	made = prefix("2001:db8::/32");
	made.bits = 129;
	assert_false(prefix_valid(&made));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),     cmocka_unit_test(bad),   cmocka_unit_test(bits_behind),
		cmocka_unit_test(contains), cmocka_unit_test(valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
