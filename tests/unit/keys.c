/* SPDX-License-Identifier: GPL-2.0-only */
/* The literals were computed apart from the code: machines that disagree pick differently. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>

#include "user/core/keys.h"

static struct address address(const char *text)
{
	struct address parsed;

	assert_int_equal(address_parse(text, &parsed), 0);
	return parsed;
}

static void test_known_keys(void **state)
{
	static const struct {
		__u64 seed;
		enum key_use use;
		__u64 number;
		__u64 word[4];
	} cases[] = {
		{42,
		 KEY_SLOT,
		 0,
		 {0x6310bf04d8207f47, 0xebdb7216a4ffed51, 0x15471cce9858769b, 0x9a7e5c0b8be62327}},
		{42,
		 KEY_LAYOUT,
		 7,
		 {0xab2f97746e2ea953, 0x947dd740846bf301, 0xa1078e55bad921bb, 0x5a562c93e5950725}},
		{0,
		 KEY_SERVICE,
		 0,
		 {0x44e5b98100c67fb1, 0xa73822ac2ea54ab1, 0x9403b3663716577d, 0x81e08d6d33187e21}},
		{UINT64_MAX,
		 KEY_FLOW,
		 1,
		 {0xd4295a7648bae1c1, 0xd27bbd7dd99f43b5, 0xe90f934009445e9b, 0x31a99ef38a9fdf91}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hash_key key;

		key_from_seed(cases[i].seed, cases[i].use, cases[i].number, &key);
		for (int w = 0; w < 4; w++) {
			if (key.word[w] != cases[i].word[w])
				fail_msg("case %zu: word %d is %#llx, expected %#llx", i, w,
					 (unsigned long long)key.word[w],
					 (unsigned long long)cases[i].word[w]);
		}
	}
}

/* Half of the bits differ between any two: of two seeds, two uses, two numbers. */
static void test_keys_are_apart(void **state)
{
	enum { USES = KEY_FLOW + 1, NUMBERS = 20, SEEDS = 4, ALL = USES * NUMBERS * SEEDS };
	struct hash_key keys[ALL];
	size_t count = 0;

	(void)state;
	for (__u64 seed = 0; seed < SEEDS; seed++) {
		for (int use = 0; use < USES; use++) {
			for (__u64 number = 0; number < NUMBERS; number++)
				key_from_seed(seed, use, number, &keys[count++]);
		}
	}
	assert_int_equal(count, ALL);
	for (size_t a = 0; a < ALL; a++) {
		for (int w = 0; w < 4; w++)
			assert_int_equal(keys[a].word[w] & 1, 1);
		for (size_t b = 0; b < a; b++) {
			int differ = 0;

			for (int w = 0; w < 4; w++)
				differ += __builtin_popcountll(keys[a].word[w] ^ keys[b].word[w]);
			/* Of 252 bits that are free, 126 +- 7.9: six times that is never seen. */
			if (differ < 78 || differ > 174)
				fail_msg("keys %zu and %zu differ in %d bits", a, b, differ);
		}
	}
}

static void test_known_identities(void **state)
{
	static const struct {
		const char *name;
		__u64 seed;
		enum key_use use;
		const char *address;
		__u16 port;
		__u8 protocol;
		__u64 expected;
	} cases[] = {
		{"backend", 42, KEY_BACKEND, "10.0.0.1", 80, 0, 0x006399fd0f2d62a4},
		{"no port", 42, KEY_BACKEND, "10.0.0.1", 0, 0, 0x1569160ef149c947},
		{"next address", 42, KEY_BACKEND, "10.0.0.2", 80, 0, 0x5e8368ca42c44f7a},
		{"next seed", 43, KEY_BACKEND, "10.0.0.1", 80, 0, 0x02eb57d0f8aeef90},
		{"service, tcp", 42, KEY_SERVICE, "10.0.0.1", 80, IPPROTO_TCP, 0x454bf4b261f9ee2d},
		{"service, udp", 42, KEY_SERVICE, "10.0.0.1", 80, IPPROTO_UDP, 0xe53fc26d1df48c1a},
		{"IPv6", 42, KEY_BACKEND, "2001:db8::1", 443, 0, 0x33c352221b006e2e},
		{"IPv4 in IPv6", 42, KEY_BACKEND, "::ffff:10.0.0.1", 80, 0, 0x006399fd0f2d62a4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct address parsed = address(cases[i].address);
		__u64 got = identity(cases[i].seed, cases[i].use, &parsed, cases[i].port,
				     cases[i].protocol);

		if (got != cases[i].expected)
			fail_msg("%s: %#llx, expected %#llx", cases[i].name,
				 (unsigned long long)got, (unsigned long long)cases[i].expected);
	}
}

static void test_coin_multiplier(void **state)
{
	(void)state;
	assert_int_equal(coin_multiplier(0x1569160ef149c947), 0x1569160f);
	assert_int_equal(coin_multiplier(0x33c352221b006e2e), 0x33c35223);
	assert_int_equal(coin_multiplier(0xffffffff00000000), 0xffffffff);
	assert_int_equal(coin_multiplier(0x00000000ffffffff), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_keys),
		cmocka_unit_test(test_keys_are_apart),
		cmocka_unit_test(test_known_identities),
		cmocka_unit_test(test_coin_multiplier),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
