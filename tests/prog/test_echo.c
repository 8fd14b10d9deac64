/* SPDX-License-Identifier: GPL-2.0-only */
/* Echo requests to a VIP are answered: every size, every byte, every checksum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "icmp.h"
#include "world.h"

#define PING_BYTES_MAX 1472 /* 1500 of IPv4 */

static void every_size(void **state)
{
	struct frame in, expected;
	char name[64];

	(void)state;
	for (size_t i = 0; i < 2 * 3; i++) {
		const struct family *family = &families[i / 3];
		struct ping ping = {.id = 0x4711, .number = 1};

		for (; ping.payload_bytes <= PING_BYTES_MAX; ping.payload_bytes++) {
			echo_build(&in, family, &ping, false);
			echo_build(&expected, family, &ping, true);
			frame_tag(&in, i % 3);
			frame_tag(&expected, i % 3);
			snprintf(name, sizeof(name), "%s, %zu tags, %u bytes", family->name, i % 3,
				 ping.payload_bytes);
			assert_answer(name, &in, &expected);
		}
	}
}

/* Several buffers a frame: the linear part holds about 3,500 bytes. */
static void jumbo(void **state)
{
	static const __u16 sizes[] = {3400, 3477, 3478, 3479, 3480, 3500, 4055,
				      4096, 7572, 7573, 8000, 8001, 8972, 9001};
	char name[64];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
			struct ping ping = {0x4711, j, sizes[j]};

			snprintf(name, sizeof(name), "%s, %u bytes", families[i].name, sizes[j]);
			assert_answered(name, &families[i], &ping);
		}
	}
}

/* The identifier takes the checksum through every value that it can have. */
static void every_checksum(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (__u32 id = 0; id <= 0xffff; id++)
			assert_answered("identifier", &families[i], &(struct ping){id, 0x0102, 3});
}

/* The two zeros of ones' complement. */
static void checksum_zeros(void **state)
{
	static const __u16 sizes[] = {0, 1, 2, 3, 503, 504, 505, 508, 509, 1016, 1471, 1472};
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		/* A reply of nothing but zeros: 0x0000 would not give 0xffff when summed up. */
		echo_build(&frame, IPV4, &(struct ping){0, 0, sizes[i]}, false);
		memset(frame.bytes + AT_IPV4_L4 + 8, 0, sizes[i]);
		write16(&frame, AT_IPV4_L4 + 2, 0xf7ff);
		assert_int_equal(world_send(&frame), XDP_TX);
		assert_int_equal(read16(&frame, AT_IPV4_L4 + 2), 0xffff);
	}

	echo_build(&frame, IPV4, &(struct ping){0xffff, 0, 0}, false);
	assert_int_equal(read16(&frame, AT_IPV4_L4 + 2), 0xf7ff);
	assert_int_equal(world_send(&frame), XDP_TX);
	assert_int_equal(read16(&frame, AT_IPV4_L4 + 2), 0x0000);

	echo_build(&frame, IPV4, &(struct ping){0xf7ff, 0, 0}, false);
	assert_int_equal(read16(&frame, AT_IPV4_L4 + 2), 0x0000);
	write16(&frame, AT_IPV4_L4 + 2, 0xffff); /* as right as 0x0000 */
	assert_int_equal(world_send(&frame), XDP_TX);
	assert_int_equal(read16(&frame, AT_IPV4_L4 + 2), 0x0800);
}

/* What is wrong stays wrong: an answer would vouch for data that were never sent. */
static void wrong_checksum(void **state)
{
	static const __u16 sizes[] = {0, 1, 56, 503, 504, 505, 1472, 8001};
	char name[64];

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		const struct family *family = &families[i % 2];
		struct ping ping = {0x4711, 1, sizes[i / 2]};
		__u32 at = icmp_at(family);
		struct frame frame;

		for (__u32 bit = 0; bit < 16; bit++) {
			echo_build(&frame, family, &ping, false);
			write16(&frame, at + 2, read16(&frame, at + 2) ^ 1 << bit);
			snprintf(name, sizeof(name), "%s, %u bytes, checksum's bit %u",
				 family->name, ping.payload_bytes, bit);
			assert_left_to_stack(name, &frame);
		}
		echo_build(&frame, family, &ping, false);
		frame.bytes[frame.length_bytes - 1] ^= 0x10;
		assert_left_to_stack("the last byte is another", &frame);
	}
}

/* Ethernet pads to 60 bytes; the padding is not in the sum. */
static void padding(void **state)
{
	struct ping ping = {0x4711, 1, 0};
	struct frame in, expected;

	(void)state;
	echo_build(&in, IPV4, &ping, false);
	echo_build(&expected, IPV4, &ping, true);
	memset(in.bytes + in.length_bytes, 0xee, 18);
	memset(expected.bytes + expected.length_bytes, 0xee, 18);
	in.length_bytes += 18;
	expected.length_bytes += 18;
	assert_answer("a short request and 18 bytes of padding", &in, &expected);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_size, budget_fill),
		cmocka_unit_test_setup(jumbo, budget_fill),
		cmocka_unit_test_setup(every_checksum, budget_fill),
		cmocka_unit_test_setup(checksum_zeros, budget_fill),
		cmocka_unit_test_setup(wrong_checksum, budget_fill),
		cmocka_unit_test_setup(padding, budget_fill),
	};

	return cmocka_run_group_tests_name("echo", tests, echo_open, world_close);
}
