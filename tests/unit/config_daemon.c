/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "config_refusal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void parse_good(const char *text, struct config *config)
{
	struct text_error error;

	if (parse(text, strlen(text), config, &error))
		fail_msg("%s\nline %d: %s", text, error.line, error.what);
}

static void defaults(void **state)
{
	const struct config_health *health;
	struct config config;

	(void)state;
	parse_good("", &config);
	health = &config.daemon.health;
	assert_true(config.daemon.control.load);
	assert_int_equal(config.daemon.control.device_count, 0);
	assert_int_equal(config.daemon.control.publish_ms, 1000);
	assert_int_equal(config.daemon.sources.udp.port, 0);
	assert_int_equal(config.daemon.sources.http.port, 0);
	assert_int_equal(config.daemon.sources.clock_skew_ms, 10000);
	assert_int_equal(config.daemon.sources.pull_ms, 0);
	assert_string_equal(config.daemon.sources.pull_path, "/health?metrics=cpu,mem");
	assert_string_equal(config.daemon.sources.unix_path, "");
	assert_int_equal(health->check, CHECK_DEFAULT);
	assert_int_equal(health->interval_ms, 2000);
	assert_int_equal(health->timeout_ms, 1000);
	assert_int_equal(health->fall, 3);
	assert_int_equal(health->rise, 2);
	assert_int_equal(health->status_min, 200);
	assert_int_equal(health->status_max, 399);
	assert_false(health->verify);
	assert_int_equal(config.daemon.policy, WEIGHT_ADAPTIVE);
	config_free(&config);
}

static void everything(void **state)
{
	static const char text[] = "control: {load: false, attach: [eth0, eth1], publish_ms: 50}\n"
				   "sources:\n"
				   "  udp: '[::]:9601'\n"
				   "  key_file: /etc/key\n"
				   "  clock_skew_ms: 100\n"
				   "  unix: off\n"
				   "  http: 10.0.0.1:80\n"
				   "  http_key_file: /etc/http\n"
				   "  file: /var/reports\n"
				   "  pull_ms: 3600000\n"
				   "  pull_timeout_ms: 10\n"
				   "  pull_port: 8080\n"
				   "  pull_path: /h\n"
				   "weights: {policy: decay, slow_start_ms: 0,\n"
				   "  constants: [edge.cpu_shut_percent=90.5, "
				   "congestion.degrade_ms=4000,\n"
				   "  passive.syn_retransmit_percent=80, passive.flows_min=5,\n"
				   "  health.retry_ms=1000]}\n";
	const struct config_sources *sources;
	struct config config;

	(void)state;
	parse_good(text, &config);
	sources = &config.daemon.sources;
	assert_false(config.daemon.control.load);
	assert_int_equal(config.daemon.control.device_count, 2);
	assert_string_equal(config.daemon.control.devices[0], "eth0");
	assert_string_equal(config.daemon.control.devices[1], "eth1");
	assert_int_equal(config.daemon.control.publish_ms, 50);
	assert_int_equal(sources->udp.port, 9601);
	assert_int_equal(sources->udp.address.word[2], 0); /* IPv6 */
	assert_int_equal(sources->http.port, 80);
	assert_int_equal(sources->http.address.word[3], htonl(0x0a000001));
	assert_string_equal(sources->key_file, "/etc/key");
	assert_int_equal(sources->clock_skew_ms, 100);
	assert_string_equal(sources->unix_path, "off");
	assert_string_equal(sources->http_key_file, "/etc/http");
	assert_string_equal(sources->file, "/var/reports");
	assert_int_equal(sources->pull_ms, 3600000);
	assert_int_equal(sources->pull_timeout_ms, 10);
	assert_int_equal(sources->pull_port, 8080);
	assert_string_equal(sources->pull_path, "/h");
	assert_int_equal(config.daemon.policy, WEIGHT_DECAY);
	assert_int_equal(config.daemon.slow_start_ms, 0);
	assert_int_equal(config.daemon.loop.publish_interval_ms, 50);
	assert_true(config.daemon.loop.weight.edge.cpu_shut_percent == 90.5);
	assert_true(config.daemon.loop.weight.edge.cpu_busy_percent == 65);
	assert_int_equal(config.daemon.loop.congestion.degrade_ms, 4000);
	assert_true(config.daemon.loop.health.passive.syn_retransmit_percent == 80);
	assert_true(config.daemon.loop.health.passive.established_percent == 1);
	assert_int_equal(config.daemon.loop.health.passive.flows_min, 5);
	assert_int_equal(config.daemon.loop.health.retry_ms, 1000);
	config_free(&config);
}

/* A service has what is said for all, but for what it says itself; one that is not there has all. */
static void of_a_service(void **state)
{
	static const char text[] =
		"health: {check: http, path: /up, fall: 5, verify: true}\n"
		"weights: {policy: probe}\n" ONE_SERVICE "    policy: edge\n"
		"    health: {check: https, status: 204, host: a.example, passive: false}\n"
		"  - {name: dns, vip: 192.0.2.1, port: 53, proto: udp}\n";
	const struct config_health *health;
	struct config config;

	(void)state;
	parse_good(text, &config);
	health = config_health_of(&config.daemon, "web");
	assert_int_equal(health->check, CHECK_HTTPS);
	assert_string_equal(health->path, "/up");
	assert_string_equal(health->host, "a.example");
	assert_int_equal(health->fall, 5);
	assert_int_equal(health->status_min, 204);
	assert_int_equal(health->status_max, 204);
	assert_true(health->verify);
	assert_false(health->passive);
	assert_int_equal(config_policy_of(&config.daemon, "web"), WEIGHT_EDGE);

	for (int i = 0; i < 2; i++) {
		const char *name = i ? "dns" : "another";

		health = config_health_of(&config.daemon, name);
		assert_int_equal(health->check, CHECK_HTTP);
		assert_int_equal(health->status_max, 399);
		assert_true(health->passive);
		assert_int_equal(config_policy_of(&config.daemon, name), WEIGHT_PROBE);
	}
	config_free(&config);
}

static void refuses(void **state)
{
	static const struct refusal cases[] = {
		{"control: {publish_ms: 49}\n", 1,
		 "control.publish_ms: got \"49\", expected a whole number from 50 to 60000"},
		{"control:\n  attach: [eth0, a-device-that-is-too-long]\n", 2,
		 "control.attach[1]: got \"a-device-that-is-too-long\", expected up to 15 "
		 "printable "
		 "characters"},
		{"sources: {udp: '10.0.0.1:1'}\n", 1,
		 "sources.udp: wants a key_file: datagrams come from anywhere"},
		{"sources:\n  http: 10.0.0.1\n", 2,
		 "sources.http: got \"10.0.0.1\", expected ADDRESS:PORT or [IPV6-ADDRESS]:PORT"},
		{"sources: {file: reports}\n", 1,
		 "sources.file: got \"reports\", expected a path that begins with /"},
		{"sources: {unix: of}\n", 1,
		 "sources.unix: got \"of\", expected a path that begins with /"},
		{"sources: {pull_ms: 99}\n", 1,
		 "sources.pull_ms: got \"99\", expected a whole number from 100 to 3600000"},
		{"health: {check: ping}\n", 1,
		 "health.check: got \"ping\", expected tcp, http, https or none"},
		{"health: {fall: 0}\n", 1,
		 "health.fall: got \"0\", expected a whole number from 1 to 100"},
		{"health: {status: 399-200}\n", 1,
		 "health.status: got \"399-200\", expected a status from 100 to 599, or 200-399"},
		{"health: {status: 20}\n", 1,
		 "health.status: got \"20\", expected a status from 100 to 599, or 200-399"},
		{"health: {status: 200x}\n", 1,
		 "health.status: got \"200x\", expected a status from 100 to 599, or 200-399"},
		{"weights: {policy: best}\n", 1,
		 "weights.policy: got \"best\", expected adaptive, decay, edge, probe or score"},
		{"weights:\n  constants: [edge.floor=0.1, edge.top=1]\n", 2,
		 "weights.constants[1]: got \"edge.top=1\", expected NAME=NUMBER, such as "
		 "edge.cpu_shut_percent=85, of the policies' constants"},
		{"weights: {constants: [edge.floor=-1]}\n", 1,
		 "weights.constants[0]: got \"edge.floor=-1\", expected a number from 0 to "
		 "1000000000"},
		{"weights: {constants: [edge.floor=nan]}\n", 1,
		 "weights.constants[0]: got \"edge.floor=nan\", expected a number from 0 to "
		 "1000000000"},
		{"weights: {constants: [congestion.degrade_ms=1.5]}\n", 1,
		 "weights.constants[0]: got \"congestion.degrade_ms=1.5\", expected a whole "
		 "number from 0 to 1000000000"},
		{ONE_SERVICE "    policy: best\n", 6,
		 "services[0].policy: got \"best\", expected adaptive, decay, edge, probe or "
		 "score"},
		{ONE_SERVICE "    health: {rise: 101}\n", 6,
		 "services[0].health.rise: got \"101\", expected a whole number from 1 to 100"},
	};

	(void)state;
	check_refusals(cases, COUNT(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(everything),
		cmocka_unit_test(of_a_service),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
