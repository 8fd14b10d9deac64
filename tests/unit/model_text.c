/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "model_example.h"

static void test_names(void **state)
{
	static const struct {
		const char *name;
		bool valid;
	} cases[] = {
		{"web", true},
		{"9", true},
		{"Web_1.example:443-b", true},
		{"a23456789012345678901234567890123456789012345678901234567890123", true},
		{"a234567890123456789012345678901234567890123456789012345678901234", false},
		{"", false},
		{"-web", false},
		{".web", false},
		{"_web", false},
		{":web", false},
		{"web 1", false},
		{"web/1", false},
		{"web\n", false},
		{"caf\xc3\xa9", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (model_name_valid(cases[i].name) != cases[i].valid)
			fail_msg("\"%s\": expected %d", cases[i].name, cases[i].valid);
	}
}

static void test_nodes_and_regions(void **state)
{
	(void)state;
	assert_true(model_node_valid("edge 1/rack \xe4\xb8\x8a"));
	assert_false(model_node_valid(""));
	assert_false(model_node_valid("edge\t1"));
	assert_true(model_node_valid(
		"123456789012345678901234567890123456789012345678901234567890123"));
	assert_false(model_node_valid(
		"1234567890123456789012345678901234567890123456789012345678901234"));
	assert_true(model_region_valid(""));
	assert_true(model_region_valid("1234567890123456789012345678901"));
	assert_false(model_region_valid("12345678901234567890123456789012"));
	assert_false(model_region_valid("cn\x7f"));
}

static void test_words(void **state)
{
	enum backend_state backend_state = BACKEND_FREE;
	enum forward_mode forward = FORWARD_DSR;
	__u8 protocol = 0;

	(void)state;
	assert_int_equal(protocol_parse("tcp", &protocol), 0);
	assert_int_equal(protocol, 6);
	assert_int_equal(protocol_parse("udp", &protocol), 0);
	assert_int_equal(protocol, 17);
	assert_int_equal(protocol_parse("TCP", &protocol), -EINVAL);
	assert_int_equal(protocol_parse("", &protocol), -EINVAL);
	assert_int_equal(protocol, 17);
	assert_string_equal(protocol_name(6), "tcp");
	assert_string_equal(protocol_name(17), "udp");
	assert_string_equal(protocol_name(47), "unknown");

	assert_int_equal(forward_parse("ipip", &forward), 0);
	assert_int_equal(forward, FORWARD_IPIP);
	assert_int_equal(forward_parse("dsr", &forward), 0);
	assert_int_equal(forward, FORWARD_DSR);
	assert_int_equal(forward_parse("gre", &forward), -EINVAL);
	assert_string_equal(forward_name(FORWARD_DSR), "dsr");
	assert_string_equal(forward_name(FORWARD_IPIP), "ipip");

	assert_int_equal(backend_state_parse("up", &backend_state), 0);
	assert_int_equal(backend_state, BACKEND_UP);
	assert_int_equal(backend_state_parse("drain", &backend_state), 0);
	assert_int_equal(backend_state, BACKEND_DRAIN);
	assert_int_equal(backend_state_parse("down", &backend_state), 0);
	assert_int_equal(backend_state, BACKEND_DOWN);
	assert_int_equal(backend_state_parse("gone", &backend_state), -EINVAL);
	assert_int_equal(backend_state_parse("free", &backend_state), -EINVAL);
	assert_string_equal(backend_state_name(BACKEND_UP), "up");
	assert_string_equal(backend_state_name(BACKEND_DRAIN), "drain");
	assert_string_equal(backend_state_name(BACKEND_DOWN), "down");
	assert_string_equal(backend_state_name(BACKEND_GONE), "gone");

	assert_string_equal(next_hop_state_name(NEXT_HOP_UNKNOWN), "unknown");
	assert_string_equal(next_hop_state_name(NEXT_HOP_RESOLVED), "resolved");
	assert_string_equal(next_hop_state_name(NEXT_HOP_NO_ROUTE), "no route");
	assert_string_equal(next_hop_state_name(NEXT_HOP_NO_NEIGHBOUR), "no neighbour");
	assert_string_equal(next_hop_state_name(NEXT_HOP_NOT_ETHERNET), "not ethernet");
	assert_string_equal(next_hop_state_name(NEXT_HOP_LOCAL), "local");
}

static void test_unusable_addresses(void **state)
{
	static const struct {
		const char *text;
		const char *unusable;
	} cases[] = {
		{"192.0.2.1", NULL},
		{"223.255.255.255", NULL},
		{"126.255.255.255", NULL},
		{"128.0.0.1", NULL},
		{"fd00::1", NULL},
		{"fe80::1", NULL},
		{"::2", NULL},
		{"0.0.0.0", "unspecified"},
		{"::", "unspecified"},
		{"127.0.0.1", "loopback"},
		{"127.255.0.9", "loopback"},
		{"::1", "loopback"},
		{"224.0.0.1", "multicast"},
		{"239.255.255.255", "multicast"},
		{"ff02::1", "multicast"},
		{"255.255.255.255", "broadcast"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct address parsed = address(cases[i].text);
		const char *unusable = model_address_unusable(&parsed);

		if (!cases[i].unusable != !unusable ||
		    (unusable && !strstr(unusable, cases[i].unusable)))
			fail_msg("%s: %s, expected %s", cases[i].text,
				 unusable ? unusable : "usable",
				 cases[i].unusable ? cases[i].unusable : "usable");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_nodes_and_regions),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_unusable_addresses),
	};

	return cmocka_run_group_tests_name("model_text", tests, NULL, NULL);
}
