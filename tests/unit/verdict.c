/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "user/core/verdict.h"

static void test_known_names(void **state)
{
	static const struct {
		enum drop_reason reason;
		const char *name;
	} cases[] = {
		{DROP_NO_BACKEND, "no_backend"},
		{DROP_NO_NEXT_HOP, "no_next_hop"},
		{DROP_TTL_EXPIRED, "ttl_expired"},
		{DROP_TOO_BIG, "too_big"},
		{DROP_NO_ROOM, "no_room"},
		{DROP_NO_STATE, "no_state"},
		{DROP_ECHO_LIMIT, "echo_limit"},
		{DROP_DENIED, "denied"},
		{DROP_RATE, "rate"},
		{DROP_NEW_FLOW_RATE, "new_flow_rate"},
		{DROP_SOURCE_RATE, "source_rate"},
		{DROP_SOURCE_NEW_FLOW_RATE, "source_new_flow_rate"},
		{DROP_SHED, "shed"},
	};

	(void)state;
	assert_int_equal(sizeof(cases) / sizeof(cases[0]), DROP_REASONS);
	for (size_t i = 0; i < DROP_REASONS; i++)
		assert_string_equal(drop_reason_name(cases[i].reason), cases[i].name);
}

/* A reason that is added to maps/verdict.h has to be put into words as well. */
static void test_every_reason_has_words(void **state)
{
	(void)state;
	for (int reason = 0; reason < DROP_REASONS; reason++) {
		const char *name = drop_reason_name(reason);
		const char *sentence = drop_reason_sentence(reason);

		if (!name || !sentence)
			fail_msg("reason %d has no words", reason);
		for (const char *c = name; *c; c++)
			assert_true(islower(*c) || *c == '_');
		assert_true(isupper(sentence[0]));
		assert_int_equal(sentence[strlen(sentence) - 1], '.');
		for (int other = 0; other < reason; other++) {
			assert_string_not_equal(name, drop_reason_name(other));
			assert_string_not_equal(sentence, drop_reason_sentence(other));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_names),
		cmocka_unit_test(test_every_reason_has_words),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
