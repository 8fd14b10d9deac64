/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "model_example.h"
#include "user/core/server_id.h"

static void parses(void **state)
{
	static const struct {
		const char *text;
		__u8 count;
		__u8 byte[SERVER_ID_BYTES_MAX];
		const char *formatted;
	} cases[] = {
		{"00", 1, {0}, "00"},
		{"0a1B", 2, {0x0a, 0x1b}, "0a1b"},
		{"ffFF9a", 3, {0xff, 0xff, 0x9a}, "ffff9a"},
		{"0102030405060708090a0b0c0d0e0f",
		 15,
		 {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		 "0102030405060708090a0b0c0d0e0f"},
		{"none", 0, {0}, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[SERVER_ID_TEXT_BYTES];
		struct quic_server_id id;

		memset(&id, 0xee, sizeof(id));
		if (server_id_parse(cases[i].text, &id))
			fail_msg("%s is refused", cases[i].text);
		assert_int_equal(id.count, cases[i].count);
		assert_memory_equal(id.byte, cases[i].byte, sizeof(id.byte));
		assert_string_equal(server_id_format(&id, text), cases[i].formatted);
	}
}

static void refuses(void **state)
{
	static const char *const cases[] = {
		"",    "0",  "0a1",  "0x0a",    "0g",    " 0a",
		"0a ", "-1", "None", "noneone", "0a:1b", "0102030405060708090a0b0c0d0e0f10",
	};
	struct quic_server_id id;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (server_id_parse(cases[i], &id) != -EINVAL)
			fail_msg("\"%s\" is taken", cases[i]);
	}
}

static void length_counts(void **state)
{
	const struct quic_server_id none = {}, one = {.count = 1}, two = {.count = 2};
	const struct quic_server_id other = {.byte = {1}, .count = 1};

	(void)state;
	assert_true(server_id_equal(&one, &one));
	assert_false(server_id_equal(&none, &one));
	assert_false(server_id_equal(&one, &two));
	assert_false(server_id_equal(&one, &other));
}

/* Of two services, one with the id of the other's; a backend without one, and one that is gone. */
static void entries(void **state)
{
	struct server_id_entry entries[5] = {};
	struct model model = {.backends_max = 10};

	(void)state;
	add_service(&model, "b", "192.0.2.1", 443);
	add_service(&model, "a", "192.0.2.2", 443);
	add_backend(&model, "b", "b1", "10.0.0.1");
	add_backend(&model, "b", "b2", "10.0.0.2");
	add_backend(&model, "b", "b3", "10.0.0.3");
	add_backend(&model, "a", "a1", "10.0.0.1");
	add_backend(&model, "a", "a2", "10.0.0.2");
	model_backend_find(&model, 1, "b1")->server_id =
		(struct quic_server_id){.byte = {9, 1}, .count = 2};
	model_backend_find(&model, 1, "b2")->server_id =
		(struct quic_server_id){.byte = {0, 7}, .count = 2};
	model_backend_find(&model, 2, "a1")->server_id =
		(struct quic_server_id){.byte = {9, 1}, .count = 2};
	model_backend_find(&model, 2, "a2")->server_id =
		(struct quic_server_id){.byte = {1, 2}, .count = 2};
	model_backend_find(&model, 1, "b2")->state = BACKEND_DOWN;
	del_backend(&model, "a", "a2", 0);

	assert_int_equal(server_id_entries(&model, entries), 3);
	assert_int_equal(entries[0].key.service, 1);
	assert_memory_equal(entries[0].key.server_id, "\0\7\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
	assert_int_equal(entries[0].key.spare, 0);
	assert_int_equal(entries[0].value.backend, 2);
	assert_int_equal(entries[1].key.service, 1);
	assert_memory_equal(entries[1].key.server_id, "\11\1\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
	assert_int_equal(entries[1].value.backend, 1);
	assert_int_equal(entries[2].key.service, 2);
	assert_memory_equal(entries[2].key.server_id, "\11\1\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
	assert_int_equal(entries[2].value.backend, 4);
	model_free(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(refuses),
		cmocka_unit_test(length_counts),
		cmocka_unit_test(entries),
	};

	return cmocka_run_group_tests_name("server_id", tests, NULL, NULL);
}
