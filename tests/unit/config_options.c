/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config_refusal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define QUIC                            \
	"services:\n"                   \
	"  - name: quic\n"              \
	"    vip: 192.0.2.1\n"          \
	"    port: 443\n"               \
	"    proto: udp\n"              \
	"    quic_server_id_bytes: 2\n" \
	"    backends:\n"               \
	"      - name: q1\n"            \
	"        address: 10.0.0.1\n"   \
	"        server_id: a1b2\n"

static void parse_good(const char *text, struct config *config)
{
	struct text_error error;

	if (parse(text, strlen(text), config, &error))
		fail_msg("%s\nline %d: %s", text, error.line, error.what);
}

static void load_options(void **state)
{
	struct config config;

	(void)state;
	parse_good("", &config);
	assert_int_equal(config.load.gue_port, 19523);
	assert_int_equal(config.load.icmp_rate, 1000);
	config_free(&config);
	parse_good("load: {gue_port: 6080, icmp_rate: 0}\n", &config);
	assert_int_equal(config.load.gue_port, 6080);
	assert_int_equal(config.load.icmp_rate, 0);
	config_free(&config);
}

static void tcp_options(void **state)
{
	const struct model_service *web;
	struct config config;

	(void)state;
	parse_good(ONE_SERVICE "    forward: gue\n    mss: 1400\n", &config);
	web = &config.model.services[0];
	assert_int_equal(web->forward, FORWARD_GUE);
	assert_int_equal(web->mss_bytes, 1400);
	assert_int_equal(web->idle_ms, 0);
	assert_int_equal(web->server_id_bytes, 0);
	config_free(&config);
}

static void udp_options(void **state)
{
	const struct model_backend *backend;
	struct config config;

	(void)state;
	parse_good(QUIC "      - {name: q2, address: 10.0.0.2}\n    idle: 30\n", &config);
	assert_int_equal(config.model.services[0].idle_ms, 30000);
	assert_int_equal(config.model.services[0].server_id_bytes, 2);
	backend = model_backend_find(&config.model, 1, "q1");
	assert_int_equal(backend->server_id.count, 2);
	assert_memory_equal(backend->server_id.byte, "\xa1\xb2\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
	assert_int_equal(model_backend_find(&config.model, 1, "q2")->server_id.count, 0);
	config_free(&config);

	parse_good(QUIC, &config);
	assert_int_equal(config.model.services[0].idle_ms, 60000);
	config_free(&config);
}

static void refusals(void **state)
{
	static const struct refusal cases[] = {
		{"load:\n  gue_port: 0\n", 2,
		 "load.gue_port: got \"0\", expected a whole number from 1 to 65535"},
		{"load:\n  gue_port: 1\n  icmp_rate: 100000001\n", 3,
		 "load.icmp_rate: got \"100000001\", expected a whole number from 0 to 100000000"},
		{ONE_SERVICE "    mss: 535\n", 6,
		 "services[0].mss: 535 bytes are no MSS: at least 536, which every host must take, "
		 "at most 65495, which is all that a packet holds, or 0 to leave it alone"},
		{ONE_SERVICE "    mss: 65496\n", 6,
		 "services[0].mss: got \"65496\", expected a whole number from 0 to 65495"},
		{ONE_SERVICE "    idle: 60\n", 6,
		 "services[0].idle: only a UDP service has an idle time; TCP says when a flow "
		 "ends"},
		{ONE_SERVICE "    quic_server_id_bytes: 8\n", 6,
		 "services[0].quic_server_id_bytes: only a UDP service has QUIC server ids"},
		{QUIC "    idle: 0\n", 11,
		 "services[0].idle: got \"0\", expected a whole number from 1 to 86400"},
		{QUIC "    mss: 1400\n", 11, "services[0].mss: only a TCP service has an MSS"},
		{QUIC "      - name: q2\n        address: 10.0.0.2\n        server_id: a1b2\n", 13,
		 "services[0].backends[1].server_id: backend \"q1\" of service \"quic\" already "
		 "has "
		 "server id a1b2"},
		{QUIC "      - name: q2\n        address: 10.0.0.2\n        server_id: a1b2c3\n",
		 13,
		 "services[0].backends[1].server_id: a1b2c3 is no 2-byte server id, which is what "
		 "service \"quic\" routes by"},
		{QUIC "      - name: q2\n        address: 10.0.0.2\n        server_id: 0xa1\n", 13,
		 "services[0].backends[1].server_id: got \"0xa1\", expected 1 to 15 bytes as pairs "
		 "of hexadecimal digits, or none"},
		{ONE_SERVICE "    backends:\n      - name: b\n        address: 10.0.0.2\n"
			     "        server_id: a1\n",
		 9,
		 "services[0].backends[0].server_id: service \"web\" does not route by QUIC server "
		 "ids: it has no quic-server-id-bytes"},
	};

	(void)state;
	check_refusals(cases, COUNT(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load_options),
		cmocka_unit_test(tcp_options),
		cmocka_unit_test(udp_options),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests_name("config_options", tests, NULL, NULL);
}
