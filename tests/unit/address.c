/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/address.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct address untouched = {.word = {0x11111111, 0x22222222, 0x33333333, 0x44444444}};

static const struct {
	const char *text;
	const char *formatted;
	bool ipv4;
	uint8_t bytes[16];
} addresses[] = {
	{"192.0.2.1", "192.0.2.1", true, {[10] = 0xff, 0xff, 192, 0, 2, 1}},
	{"0.0.0.0", "0.0.0.0", true, {[10] = 0xff, 0xff}},
	{"255.255.255.255", "255.255.255.255", true, {[10] = 0xff, 0xff, 255, 255, 255, 255}},
	{"::ffff:192.0.2.1", "192.0.2.1", true, {[10] = 0xff, 0xff, 192, 0, 2, 1}},
	{"::ffff:c000:201", "192.0.2.1", true, {[10] = 0xff, 0xff, 192, 0, 2, 1}},
	{"::", "::", false, {0}},
	{"::1", "::1", false, {[15] = 1}},
	{"fe80::1:80", "fe80::1:80", false, {0xfe, 0x80, [13] = 1, 0, 0x80}},
	{"2001:DB8:0:0:1:0:0:1",
	 "2001:db8::1:0:0:1",
	 false,
	 {0x20, 0x01, 0x0d, 0xb8, [9] = 1, [15] = 1}},
	{"2001:db8:0:1:1:1:1:1",
	 "2001:db8:0:1:1:1:1:1",
	 false,
	 {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}},
	{"64:ff9b::192.0.2.33",
	 "64:ff9b::c000:221",
	 false,
	 {0, 0x64, 0xff, 0x9b, [12] = 192, 0, 2, 33}},
	{"::ffff:0:192.0.2.1", "::ffff:0:c000:201", false, {[8] = 0xff, 0xff, [12] = 192, 0, 2, 1}},
	{"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.254",
	 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
	 false,
	 {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xfe}},
};

static void good_addresses(void **state)
{
	char text[ADDRESS_TEXT_BYTES];
	struct address address;
	__u16 port;

	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		address = untouched;
		if (address_parse(addresses[i].text, &address))
			fail_msg("%s refused", addresses[i].text);
		if (memcmp(&address, addresses[i].bytes, sizeof(address)))
			fail_msg("%s: wrong bytes", addresses[i].text);
		if (address_is_ipv4(&address) != addresses[i].ipv4)
			fail_msg("%s: wrong family", addresses[i].text);
		assert_ptr_equal(address_format(&address, text), text);
		assert_string_equal(text, addresses[i].formatted);

		/* All of them are also an address with a port left out. */
		port = 7;
		address = untouched;
		if (address_parse_port(addresses[i].text, &address, &port))
			fail_msg("%s refused where a port may follow", addresses[i].text);
		assert_memory_equal(&address, addresses[i].bytes, sizeof(address));
		assert_int_equal(port, 0);
	}
}

/* clang-format off */
static const char *const bad_addresses[] = {
	"", " ", "localhost", "1", "1.2.3", "1.2.3.", ".1.2.3", "1.2.3.4.5", "1.2.3.256",
	"1.2.3.-4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "1.2.3.4/24", "01.2.3.4", "0x1.2.3.4",
	"1.2.3.4:80", "1,2,3,4", "[1.2.3.4]", ":", ":::", "::1::", "1::2::3", "12345::", "g::",
	"::1%lo", "[::1]", "::1/128", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
	":1:2:3:4:5:6:7", "::1.2.3", "::1.2.3.256", "::ffff:1.2.3.4:80",
	"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
};
/* clang-format on */

static void refused_addresses(void **state)
{
	struct address address = untouched;

	(void)state;
	for (size_t i = 0; i < COUNT(bad_addresses); i++) {
		if (address_parse(bad_addresses[i], &address) != -EINVAL)
			fail_msg("\"%s\" accepted", bad_addresses[i]);
		if (!address_equal(&address, &untouched))
			fail_msg("\"%s\" changed the address", bad_addresses[i]);
	}
}

static const struct {
	const char *text;
	const char *address;
	__u16 port;
	const char *formatted;
} with_port[] = {
	{"192.0.2.1:80", "192.0.2.1", 80, "192.0.2.1:80"},
	{"192.0.2.1:1", "192.0.2.1", 1, "192.0.2.1:1"},
	{"192.0.2.1:65535", "192.0.2.1", 65535, "192.0.2.1:65535"},
	{"192.0.2.1", "192.0.2.1", 0, "192.0.2.1"},
	{"[2001:db8::1]:443", "2001:db8::1", 443, "[2001:db8::1]:443"},
	{"[2001:db8::1]", "2001:db8::1", 0, "2001:db8::1"},
	{"[::]:1", "::", 1, "[::]:1"},
	{"2001:db8::1:443", "2001:db8::1:443", 0, "2001:db8::1:443"},
	{"[::ffff:192.0.2.1]:80", "192.0.2.1", 80, "192.0.2.1:80"},
	{"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.254]:65535",
	 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 65535,
	 "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535"},
};

static void good_ports(void **state)
{
	char text[ADDRESS_TEXT_BYTES];
	struct address address, expected;
	__u16 port;

	(void)state;
	for (size_t i = 0; i < COUNT(with_port); i++) {
		port = 7;
		if (address_parse_port(with_port[i].text, &address, &port))
			fail_msg("%s refused", with_port[i].text);
		assert_int_equal(address_parse(with_port[i].address, &expected), 0);
		if (!address_equal(&address, &expected) || port != with_port[i].port)
			fail_msg("%s: wrong address, or port %u", with_port[i].text, port);
		assert_ptr_equal(address_format_port(&address, port, text), text);
		assert_string_equal(text, with_port[i].formatted);
	}
}

/* clang-format off */
static const char *const bad_ports[] = {
	"", ":", ":80", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:080", "192.0.2.1:65536",
	"192.0.2.1:4294967376", "192.0.2.1:99999", "192.0.2.1:-1", "192.0.2.1:+80",
	"192.0.2.1: 80", "192.0.2.1:80 ", "192.0.2.1:http", "192.0.2.1:80:80", "192.0.2.1:0x50",
	"[192.0.2.1]:80", "[192.0.2.1]", "[]", "[]:80", "[::1", "::1]:80", "[::1]80", "[::1]880", "[::1]:",
	"[::1]:0", "[::1]:65536", "[::1]:80:80", "[[::1]]:80", "[::1]x:80", "[::1]]:80",
	"[::1%lo]:80", "example.com:80", "192.0.2.256:80",
	"[00000000000000000000000000000000000000000000000000000000000000000::1]:80",
	"0000000000000000000000000000000000000000000000000000000000000.0.0.1:80",
	"[0000:0000:0000:0000:0000:0000:255.255.255.2550]:80",
};
/* clang-format on */

static void refused_ports(void **state)
{
	struct address address = untouched;
	__u16 port = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(bad_ports); i++) {
		if (address_parse_port(bad_ports[i], &address, &port) != -EINVAL)
			fail_msg("\"%s\" accepted", bad_ports[i]);
		if (!address_equal(&address, &untouched) || port != 7)
			fail_msg("\"%s\" changed the address or the port", bad_ports[i]);
	}
}

static void equality_takes_all_bytes(void **state)
{
	struct address other;

	(void)state;
	assert_true(address_equal(&untouched, &untouched));
	for (size_t i = 0; i < sizeof(other); i++) {
		other = untouched;
		((uint8_t *)&other)[i] ^= 1;
		if (address_equal(&other, &untouched))
			fail_msg("byte %zu is not compared", i);
	}
}

/* Whatever 16 bytes are, what is written of them reads back as the same, port or not. */
static void format_and_parse_agree(void **state)
{
	char text[ADDRESS_TEXT_BYTES];
	struct address address, again;
	__u16 port, port_again;

	(void)state;
	srandom(1);
	for (int round = 0; round < 20000; round++) {
		/* Many zero bytes, so that runs of zeros and IPv4 come up. */
		for (size_t i = 0; i < sizeof(address); i++)
			((uint8_t *)&address)[i] = random() % 3 ? 0 : random();
		if (random() % 4 == 0)
			memcpy(&address, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
		port = random() % 4 ? random() : 0;

		address_format_port(&address, port, text);
		if (address_parse_port(text, &again, &port_again) ||
		    !address_equal(&address, &again) || port != port_again)
			fail_msg("round %d: %s does not read back", round, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_addresses),
		cmocka_unit_test(refused_addresses),
		cmocka_unit_test(good_ports),
		cmocka_unit_test(refused_ports),
		cmocka_unit_test(equality_takes_all_bytes),
		cmocka_unit_test(format_and_parse_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
