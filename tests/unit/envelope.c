/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "user/core/envelope.h"

#define SECRET "0123456789abcdef"
#define TEXT   "{\"node_id\":\"edge-1\"}"

/* Made with another HMAC than the one under test (Python's hmac and hashlib). */
static const __u8 known[] = {
	0x53, 0x4c, 0x52, 0x31, 0x00, 0x00, 0x00, 0x00, /* SLR1 */
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, /* sender */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07, /* sequence */
	0x00, 0x00, 0x01, 0x9a, 0xb6, 0x97, 0xe8, 0x7b, /* 1764000000123 ms */
	0xe6, 0xeb, 0xec, 0x3c, 0x1e, 0x96, 0xb5, 0x85, /* proof */
	0x72, 0x63, 0x60, 0xfa, 0xb1, 0x41, 0x64, 0x71, 0x82, 0xa9, 0x9b, 0x74,
	0x87, 0x2c, 0xef, 0xd1, 0xfa, 0xc5, 0x92, 0x34, 0x05, 0x23, 0x07, 0xf5,
	0x7b, 0x22, 0x6e, 0x6f, 0x64, 0x65, 0x5f, 0x69, 0x64, 0x22, 0x3a, 0x22, /* text */
	0x65, 0x64, 0x67, 0x65, 0x2d, 0x31, 0x22, 0x7d,
};

static struct envelope_key *key_of(const char *secret)
{
	struct envelope_key *key = envelope_key_new(secret, strlen(secret));

	assert_non_null(key);
	return key;
}

static const struct envelope example = {
	.sender = 0x0102030405060708,
	.sequence = 7,
	.sent_ms = 1764000000123,
	.text = TEXT,
	.text_bytes = sizeof(TEXT) - 1,
};

static void seals(void **state)
{
	struct envelope_key *key = key_of(SECRET);
	__u8 datagram[sizeof(known)];

	(void)state;
	/* Twice: what is kept of the first must not be in the second. */
	for (int i = 0; i < 2; i++) {
		memset(datagram, 0xee, sizeof(datagram));
		assert_int_equal(envelope_seal(key, &example, datagram), sizeof(known));
		assert_memory_equal(datagram, known, sizeof(known));
	}
	envelope_key_free(key);
}

static void opens(void **state)
{
	struct envelope_key *key = key_of(SECRET);
	struct envelope envelope;

	(void)state;
	for (int i = 0; i < 2; i++) {
		memset(&envelope, 0xee, sizeof(envelope));
		assert_int_equal(envelope_open(key, known, sizeof(known), &envelope), 0);
		assert_int_equal(envelope.sender, 0x0102030405060708);
		assert_int_equal(envelope.sequence, 7);
		assert_int_equal(envelope.sent_ms, 1764000000123);
		assert_int_equal(envelope.text_bytes, strlen(TEXT));
		assert_memory_equal(envelope.text, TEXT, strlen(TEXT));
	}
	envelope_key_free(key);
}

/* Every bit counts, of the header, of the proof and of the text. */
static void refuses_changed(void **state)
{
	struct envelope_key *key = key_of(SECRET);
	struct envelope envelope;
	__u8 datagram[sizeof(known)];

	(void)state;
	for (size_t bit = 0; bit < sizeof(known) * 8; bit++) {
		memcpy(datagram, known, sizeof(known));
		datagram[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(envelope_open(key, datagram, sizeof(datagram), &envelope),
				 bit < 64 ? -EPROTO : -EBADMSG);
	}
	envelope_key_free(key);
}

static void refuses_cut(void **state)
{
	struct envelope_key *key = key_of(SECRET);
	struct envelope envelope;

	(void)state;
	for (size_t bytes = 0; bytes < sizeof(known); bytes++)
		assert_int_equal(envelope_open(key, known, bytes, &envelope),
				 bytes < ENVELOPE_HEADER_BYTES ? -EPROTO : -EBADMSG);
	envelope_key_free(key);
}

static void refuses_another_key(void **state)
{
	struct envelope_key *key = key_of("0123456789abcdeg");
	struct envelope envelope;

	(void)state;
	assert_int_equal(envelope_open(key, known, sizeof(known), &envelope), -EBADMSG);
	envelope_key_free(key);
}

static void bounds(void **state)
{
	static char text[ENVELOPE_TEXT_MAX + 1];
	static __u8 datagram[ENVELOPE_BYTES_MAX];
	struct envelope_key *key = key_of(SECRET);
	struct envelope envelope = {.sequence = 1, .text = text, .text_bytes = sizeof(text)};
	char secret[ENVELOPE_KEY_BYTES_MAX + 1] = "";

	(void)state;
	assert_int_equal(envelope_seal(key, &envelope, datagram), -EMSGSIZE);
	envelope.text_bytes--;
	assert_int_equal(envelope_seal(key, &envelope, datagram), 65507);
	assert_int_equal(envelope_open(key, datagram, sizeof(datagram), &envelope), 0);
	assert_int_equal(envelope.text_bytes, 65443);
	envelope.text_bytes = 0;
	assert_int_equal(envelope_seal(key, &envelope, datagram), 64);
	assert_int_equal(envelope_open(key, datagram, 64, &envelope), 0);
	envelope_key_free(key);

	assert_null(envelope_key_new(secret, 15));
	assert_null(envelope_key_new(secret, sizeof(secret)));
	envelope_key_free(envelope_key_new(secret, 1024));
}

static void key_files(void **state)
{
	(void)state;
	assert_int_equal(envelope_secret_bytes("secret", 6), 6);
	assert_int_equal(envelope_secret_bytes("secret\n", 7), 6);
	assert_int_equal(envelope_secret_bytes("secret\r\n\n", 9), 6);
	assert_int_equal(envelope_secret_bytes("sec\nret \n", 9), 8);
	assert_int_equal(envelope_secret_bytes("\n", 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seals),
		cmocka_unit_test(opens),
		cmocka_unit_test(refuses_changed),
		cmocka_unit_test(refuses_cut),
		cmocka_unit_test(refuses_another_key),
		cmocka_unit_test(bounds),
		cmocka_unit_test(key_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
