/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>

#include "model_example.h"
#include "user/core/vip.h"

struct expected {
	const char *vip;
	__u8 protocols;
	__u16 tcp_port;
	__u16 udp_port;
};

static void add(struct model *model, const char *vip, __u8 protocol, __u16 port)
{
	struct service_request request = service_request(NULL, vip, port);
	struct text_error error;
	char name[16];

	snprintf(name, sizeof(name), "s%zu", model->service_count);
	request.name = name;
	request.protocol = protocol;
	if (model_service_add(model, &request, &error))
		fail_msg("%s: %s", name, error.what);
}

static void check(const struct model *model, const struct expected *expected, size_t count)
{
	struct vip_entry entries[16] = {};

	assert_int_equal(vip_entries(model, entries), count);
	for (size_t i = 0; i < count; i++) {
		struct address vip = address(expected[i].vip);

		assert_memory_equal(entries[i].key.vip, vip.word, 16);
		assert_int_equal(entries[i].value.protocols, expected[i].protocols);
		assert_int_equal(ntohs(entries[i].value.tcp_port), expected[i].tcp_port);
		assert_int_equal(ntohs(entries[i].value.udp_port), expected[i].udp_port);
		assert_int_equal(entries[i].value.spare, 0);
	}
}

static void nothing(void **state)
{
	const struct model model = {};

	(void)state;
	check(&model, NULL, 0);
}

/* 256 is lower than 1023, but not in the byte order of the network read by a little-endian. */
static void lowest_port_wins(void **state)
{
	static const struct expected expected[] = {{"192.0.2.1", VIP_TCP | VIP_UDP, 256, 443}};
	struct model model = {.backends_max = 10};

	(void)state;
	add(&model, "192.0.2.1", IPPROTO_TCP, 1023);
	add(&model, "192.0.2.1", IPPROTO_UDP, 4433);
	add(&model, "192.0.2.1", IPPROTO_TCP, 256);
	add(&model, "192.0.2.1", IPPROTO_UDP, 443);
	add(&model, "192.0.2.1", IPPROTO_TCP, 8080);
	check(&model, expected, 1);
	model_free(&model);
}

static void every_port_is_the_lowest(void **state)
{
	static const struct expected expected[] = {{"192.0.2.1", VIP_TCP | VIP_UDP, 80, 0}};
	struct model model = {.backends_max = 10};

	(void)state;
	add(&model, "192.0.2.1", IPPROTO_UDP, 53);
	add(&model, "192.0.2.1", IPPROTO_UDP, 0);
	add(&model, "192.0.2.1", IPPROTO_TCP, 80);
	check(&model, expected, 1);
	model_free(&model);
}

static void by_key(void **state)
{
	static const struct expected expected[] = {
		{"192.0.2.1", VIP_UDP, 0, 53},
		{"192.0.2.2", VIP_TCP, 80, 0},
		{"198.51.100.1", VIP_TCP, 0, 0},
		{"2001:db8::1", VIP_TCP | VIP_UDP, 80, 53},
	};
	struct model model = {.backends_max = 10};

	(void)state;
	add(&model, "2001:db8::1", IPPROTO_TCP, 80);
	add(&model, "192.0.2.2", IPPROTO_TCP, 80);
	add(&model, "2001:db8::1", IPPROTO_UDP, 53);
	add(&model, "192.0.2.1", IPPROTO_UDP, 53);
	add(&model, "198.51.100.1", IPPROTO_TCP, 0);
	check(&model, expected, 4);
	model_free(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(lowest_port_wins),
		cmocka_unit_test(every_port_is_the_lowest),
		cmocka_unit_test(by_key),
	};

	return cmocka_run_group_tests_name("vip", tests, NULL, NULL);
}
