/* SPDX-License-Identifier: GPL-2.0-only */
/* Texts that are no configuration: no YAML, or keys, lists and maps in the wrong places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config_refusal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void syntax(void **state)
{
	static const struct refusal cases[] = {
		{"services:\n\t- name: web\n", 2,
		 "not YAML: while scanning for the next token, found character that cannot start "
		 "any "
		 "token"},
		{"region: a\nservices: [\n", 2,
		 "not YAML: while parsing a flow node, did not find expected node content"},
		{"region: a\nservices: [", 2,
		 "not YAML: while parsing a flow node, did not find expected node content"},
		{"region: a\n}\n", 2,
		 "not YAML: while parsing a block mapping, did not find expected key"},
		{"\nregion: a: b\n", 2, "not YAML: mapping values are not allowed in this context"},
		{"region: \"abc\n", 1,
		 "not YAML: while scanning a quoted scalar, found unexpected end of stream"},
		{"load: {}\n# ok\nregion: \xff\xfe\n", 3, "not YAML: invalid leading UTF-8 octet"},
		{"region: a\x01\n", 1, "not YAML: control characters are not allowed"},
		{"%FOO\n---\n", 1,
		 "not YAML: while scanning a directive, found unknown directive name"},
	};

	(void)state;
	check_refusals(cases, COUNT(cases));
}

static void more_than_a_configuration_needs(void **state)
{
	static const struct refusal cases[] = {
		{"region: a\n---\nregion: b\n", 2, "a second document starts here, expected one"},
		{"region: &r a\nservices: *r\n", 2,
		 "aliases are not accepted, write the value out"},
		{"region: *nowhere\n", 1, "aliases are not accepted, write the value out"},
		{"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", 2,
		 "aliases are not accepted, write the value out"},
		{"region: a\n? [x]\n: b\n", 2, "got a list or a map as a key, expected a word"},
		{"{{a: b}: c}\n", 1, "got a list or a map as a key, expected a word"},
		{"load: {}\nregion: \"a\\0b\"\n", 2, "NUL characters are not accepted"},
		{"\"region\\0x\": b\n", 1, "NUL characters are not accepted"},
		{"region:\n  [[[[[[[[[[[[[[[[[[[[\n", 2, "this is nested too deeply"},
	};

	(void)state;
	check_refusals(cases, COUNT(cases));
}

static void unknown_keys(void **state)
{
	static const struct refusal cases[] = {
		{"\nregion: a\nbogus: 1\n", 3,
		 "got the unknown key \"bogus\", expected one of load, control, sources, agent, health, weights, policy, region, services"},
		{"<<: {region: a}\n", 1,
		 "got the unknown key \"<<\", expected one of load, control, sources, agent, health, weights, policy, region, services"},
		{"\"\": 1\n", 1,
		 "got the unknown key \"\", expected one of load, control, sources, agent, health, weights, policy, region, services"},
		{"Region: a\n", 1,
		 "got the unknown key \"Region\", expected one of load, control, sources, agent, health, weights, policy, region, services"},
		{"load:\n  seed: 1\n  flows: 2\n", 3,
		 "load: got the unknown key \"flows\", expected one of flows_per_cpu, "
		 "backends_max, "
		 "slots_max, seed, tunnel_source_ipv4, tunnel_source_ipv6, gue_port, icmp_rate"},
		{ONE_SERVICE "    some key:\n      - 1\n", 6,
		 "services[0]: got the unknown key \"some key\", expected one of name, vip, port, "
		 "proto, forward, slots, local_count, mss, idle, quic_server_id_bytes, priority, policy, health, backends"},
		{ONE_SERVICE "    services[0].vip: 1\n", 6,
		 "services[0]: got the unknown key \"services[0].vip\", expected one of name, vip, "
		 "port, proto, forward, slots, local_count, mss, idle, quic_server_id_bytes, "
		 "priority, policy, health, backends"},
		{ONE_SERVICE "    backends:\n"
			     "      - {name: a, address: 10.0.0.1}\n"
			     "      - name: b\n"
			     "        weigth: 3\n",
		 9,
		 "services[0].backends[1]: got the unknown key \"weigth\", expected one of name, "
		 "address, port, node, region, weight, state, server_id"},
		{"\"a\\e[2J: \xe4\xb8\x8a\": 1\n", 1,
		 "got the unknown key \"a?[2J: ???\", expected one of load, control, sources, agent, health, weights, policy, region, services"},
	};

	(void)state;
	check_refusals(cases, COUNT(cases));
}

static void keys_given_twice(void **state)
{
	static const struct refusal cases[] = {
		{"region: a\nload: {}\nregion: b\n", 3, "region: given twice"},
		{"load:\n  seed: 1\n  seed: 1\n", 3, "load.seed: given twice"},
		{ONE_SERVICE "    vip: 192.0.2.2\n", 6, "services[0].vip: given twice"},
		{ONE_SERVICE "services:\n  - name: b\n", 6, "services: given twice"},
		{ONE_SERVICE "    backends:\n"
			     "      - name: a\n"
			     "        name: b\n",
		 8, "services[0].backends[0].name: given twice"},
	};

	(void)state;
	check_refusals(cases, COUNT(cases));
}

static void missing_keys(void **state)
{
	static const struct refusal cases[] = {
		{"services:\n\n  - vip: 192.0.2.1\n    port: 80\n    proto: tcp\n", 3,
		 "services[0]: \"name\" is required"},
		{"services:\n  - name: web\n    port: 80\n    proto: tcp\n", 2,
		 "services[0]: \"vip\" is required"},
		{"services:\n  - name: web\n    vip: 192.0.2.1\n    proto: tcp\n", 2,
		 "services[0]: \"port\" is required"},
		{"services:\n  - name: web\n    vip: 192.0.2.1\n    port: 80\n", 2,
		 "services[0]: \"proto\" is required"},
		{ONE_SERVICE "  - {}\n", 6, "services[1]: \"name\" is required"},
		{ONE_SERVICE "    backends:\n      - address: 10.0.0.1\n", 7,
		 "services[0].backends[0]: \"name\" is required"},
		{ONE_SERVICE "    backends:\n      - name: a\n        weight: 1\n", 7,
		 "services[0].backends[0]: \"address\" is required"},
	};

	(void)state;
	check_refusals(cases, COUNT(cases));
}

static void wrong_shapes(void **state)
{
	static const struct refusal cases[] = {
		{"\n- region: a\n", 2, "got a list, expected a map"},
		{"hello\n", 1, "got a single value, expected a map"},
		{"region: [a]\n", 1, "region: got a list, expected a single value"},
		{"region:\n  a: b\n", 2, "region: got a map, expected a single value"},
		{"load: 7\n", 1, "load: got a single value, expected a map"},
		{"load:\n  - seed: 7\n", 2, "load: got a list, expected a map"},
		{"services: web\n", 1, "services: got a single value, expected a list"},
		{"services:\n  name: web\n", 2, "services: got a map, expected a list"},
		{"services:\n  - web\n", 2, "services[0]: got a single value, expected a map"},
		{"services: [[]]\n", 1, "services[0]: got a list, expected a map"},
		{"services:\n  - name: web\n    port:\n      - 80\n", 4,
		 "services[0].port: got a list, expected a single value"},
		{ONE_SERVICE "    backends: {}\n", 6,
		 "services[0].backends: got a map, expected a list"},
		{ONE_SERVICE "    backends:\n      - {name: a, address: 10.0.0.1}\n      - b\n", 8,
		 "services[0].backends[1]: got a single value, expected a map"},
	};

	(void)state;
	check_refusals(cases, COUNT(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syntax),       cmocka_unit_test(more_than_a_configuration_needs),
		cmocka_unit_test(unknown_keys), cmocka_unit_test(keys_given_twice),
		cmocka_unit_test(missing_keys), cmocka_unit_test(wrong_shapes),
	};

	return cmocka_run_group_tests_name("config_text", tests, NULL, NULL);
}
