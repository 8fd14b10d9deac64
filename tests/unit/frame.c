/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames for people: bytes as they are on a wire, written out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "user/core/frame.h"

/* clang-format off */
#define MACS	 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2
#define TAG(id)	 0x81, 0, 0, id
#define TYPE4	 8, 0
#define TYPE6	 0x86, 0xdd
#define IPV4_TO	 198, 51, 100, 7, 192, 0, 2, 1
#define PREFIX6	 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define IPV6(next) 0x60, 0, 0, 0, 0, 12, next, 64, PREFIX6, 7, PREFIX6, 1
#define PORTS	 0xc0, 0, 0, 80 /* 49152 to 80 */
/* clang-format on */

/* "SOURCE > DESTINATION PROTOCOL", with ports where they are known; "-": not IP. */
static const char *say(const void *frame, size_t bytes)
{
	static char text[160];
	char from[ADDRESS_TEXT_BYTES], to[ADDRESS_TEXT_BYTES];
	struct frame_flow flow;

	if (!frame_read(frame, bytes, &flow))
		return "-";
	snprintf(text, sizeof(text), "%s > %s %u",
		 address_format_port(&flow.source, flow.source_port, from),
		 address_format_port(&flow.destination, flow.destination_port, to), flow.protocol);
	return text;
}

static void test_ipv4(void **state)
{
	const __u8 plain[] = {MACS, TYPE4, 0x45, 0, 0, 24, 0,       0,
			      0x40, 0,     64,   6, 0, 0,  IPV4_TO, PORTS};
	const __u8 options[] = {MACS, TYPE4, 0x46, 0, 0,       28, 0, 0, 0, 0,
				64,   17,    0,    0, IPV4_TO, 1,  1, 1, 0, PORTS};
	const __u8 later[] = {MACS, TYPE4, 0x45, 0, 0, 24, 0,       0,
			      0x20, 1,     64,   6, 0, 0,  IPV4_TO, PORTS};
	const __u8 ping[] = {MACS, TYPE4, 0x45, 0, 0,       24, 0, 0, 0, 0,
			     64,   1,     0,    0, IPV4_TO, 8,  0, 0, 0};

	(void)state;
	assert_string_equal(say(plain, sizeof(plain)), "198.51.100.7:49152 > 192.0.2.1:80 6");
	assert_string_equal(say(options, sizeof(options)), "198.51.100.7:49152 > 192.0.2.1:80 17");
	assert_string_equal(say(later, sizeof(later)), "198.51.100.7 > 192.0.2.1 6");
	assert_string_equal(say(ping, sizeof(ping)), "198.51.100.7 > 192.0.2.1 1");
}

static void test_ipv6(void **state)
{
	const __u8 plain[] = {MACS, TYPE6, IPV6(6), PORTS};
	const __u8 extended[] = {MACS, TYPE6, IPV6(60), 17, 0, 1, 4, 0, 0, 0, 0, PORTS};
	const __u8 later[] = {MACS, TYPE6, IPV6(44), 17, 0, 0, 8, 0, 0, 0, 1, PORTS};

	(void)state;
	assert_string_equal(say(plain, sizeof(plain)), "[2001:db8::7]:49152 > [2001:db8::1]:80 6");
	assert_string_equal(say(extended, sizeof(extended)),
			    "[2001:db8::7]:49152 > [2001:db8::1]:80 17");
	assert_string_equal(say(later, sizeof(later)), "2001:db8::7 > 2001:db8::1 17");
}

static void test_tags(void **state)
{
	const __u8 two[] = {MACS, TAG(5), TAG(6), TYPE6, IPV6(6), PORTS};
	const __u8 three[] = {MACS, TAG(5), TAG(6), TAG(7), TYPE6, IPV6(6), PORTS};

	(void)state;
	assert_string_equal(say(two, sizeof(two)), "[2001:db8::7]:49152 > [2001:db8::1]:80 6");
	assert_string_equal(say(three, sizeof(three)), "-");
}

/* Whatever is missing, nothing behind the end is read: the sanitizer and valgrind look, too. */
static void test_cut_short(void **state)
{
	const __u8 whole[] = {MACS, TAG(5), TYPE4, 0x45, 0, 0, 24,      0,    0,
			      0x40, 0,      64,    6,    0, 0, IPV4_TO, PORTS};
	const __u8 arp[] = {MACS, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1};

	(void)state;
	for (size_t bytes = 0; bytes < 38; bytes++)
		assert_string_equal(say(whole, bytes), "-");
	for (size_t bytes = 38; bytes < sizeof(whole); bytes++)
		assert_string_equal(say(whole, bytes), "198.51.100.7 > 192.0.2.1 6");
	assert_string_equal(say(arp, sizeof(arp)), "-");
}

static void test_made(void **state)
{
	const __u8 tcp[] = {0, 0,     0,    0,       0,     0,    0, 0, 0,    0, 0,
			    0, TYPE4, 0x45, 0,       0,     40,   0, 0, 0x40, 0, 64,
			    6, 0x4e,  0x94, IPV4_TO, PORTS, 0,    0, 0, 0,    0, 0,
			    0, 0,     0x50, 2,       0xff,  0xff, 0, 0, 0,    0};
	struct frame_flow flow = {.source_port = 49152, .destination_port = 80, .protocol = 6};
	__u8 frame[FRAME_MADE_BYTES];

	(void)state;
	address_parse("198.51.100.7", &flow.source);
	address_parse("192.0.2.1", &flow.destination);
	assert_int_equal(frame_make(&flow, frame), sizeof(tcp));
	assert_memory_equal(frame, tcp, sizeof(tcp));
	flow.protocol = 17;
	assert_int_equal(frame_make(&flow, frame), 14 + 20 + 8);
	assert_string_equal(say(frame, 42), "198.51.100.7:49152 > 192.0.2.1:80 17");
	address_parse("2001:db8::7", &flow.source);
	address_parse("2001:db8::1", &flow.destination);
	assert_int_equal(frame_make(&flow, frame), 14 + 40 + 8);
	assert_string_equal(say(frame, 62), "[2001:db8::7]:49152 > [2001:db8::1]:80 17");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4), cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_tags), cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
