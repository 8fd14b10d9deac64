/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config_refusal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct config parse_good(const char *text)
{
	struct text_error error;
	struct config config;

	if (parse(text, strlen(text), &config, &error))
		fail_msg("%s\nline %d: %s", text, error.line, error.what);
	return config;
}

static void defaults(void **state)
{
	static const char *const empty[] = {"", "agent:\n", "agent: {}\n",
					    "agent:\n  balancers:\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(empty); i++) {
		struct config config = parse_good(empty[i]);
		const struct config_agent *agent = &config.agent;

		assert_string_equal(agent->node, "");
		assert_int_equal(agent->interval_ms, 2000);
		assert_int_equal(agent->balancer_count, 0);
		assert_string_equal(agent->key_file, "");
		assert_int_equal(agent->device_count, 0);
		assert_int_equal(agent->workers, 0);
		assert_string_equal(agent->application_file, "");
		assert_int_equal(agent->application_max_age_ms, 10000);
		assert_string_equal(agent->cgroup, "/sys/fs/cgroup");
		config_free(&config);
	}
}

static void every_field(void **state)
{
	struct config config = parse_good(ONE_SERVICE "region: cn-beijing-1\n"
						      "agent:\n"
						      "  node: edge 1\n"
						      "  interval_ms: 100\n"
						      "  balancers:\n"
						      "    - 10.0.0.1:9601\n"
						      "    - \"[fd00::1]:65535\"\n"
						      "    - /run/sluice/report.sock\n"
						      "  key_file: /etc/sluice/report.key\n"
						      "  measure: [eth0, eth1.7]\n"
						      "  workers: 8\n"
						      "  application_file: /run/app.json\n"
						      "  application_max_age_ms: 3600000\n"
						      "  cgroup: /sys/fs/cgroup/a.slice\n");
	const struct config_agent *agent = &config.agent;
	char text[ADDRESS_TEXT_BYTES];

	(void)state;
	assert_string_equal(config.region, "cn-beijing-1");
	assert_int_equal(config.model.service_count, 1);
	assert_string_equal(agent->node, "edge 1");
	assert_int_equal(agent->interval_ms, 100);
	assert_int_equal(agent->balancer_count, 3);
	assert_string_equal(address_format(&agent->balancers[0].udp.address, text), "10.0.0.1");
	assert_int_equal(agent->balancers[0].udp.port, 9601);
	assert_string_equal(address_format(&agent->balancers[1].udp.address, text), "fd00::1");
	assert_int_equal(agent->balancers[1].udp.port, 65535);
	assert_int_equal(agent->balancers[2].udp.port, 0);
	assert_string_equal(agent->balancers[2].path, "/run/sluice/report.sock");
	assert_string_equal(agent->key_file, "/etc/sluice/report.key");
	assert_int_equal(agent->device_count, 2);
	assert_string_equal(agent->devices[1], "eth1.7");
	assert_int_equal(agent->workers, 8);
	assert_string_equal(agent->application_file, "/run/app.json");
	assert_int_equal(agent->application_max_age_ms, 3600000);
	assert_string_equal(agent->cgroup, "/sys/fs/cgroup/a.slice");
	config_free(&config);
}

#define SEVENTEEN "[a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a]"

static const struct refusal refusals[] = {
	{"agent: 7\n", 1, "agent: got a single value, expected a map"},
	{"agent:\n  nodes: x\n", 2,
	 "agent: got the unknown key \"nodes\", expected one of node, interval_ms, balancers, "
	 "key_file, measure, workers, application_file, application_max_age_ms, cgroup"},
	{"agent:\n  node: \"\"\n", 2,
	 "agent.node: got \"\", expected 1 to 63 bytes, no control characters"},
	{"agent:\n  node: \"a\\eb\"\n", 2,
	 "agent.node: got \"a?b\", expected 1 to 63 bytes, no control characters"},
	{"agent:\n  node: n\n  interval_ms: 99\n", 3,
	 "agent.interval_ms: got \"99\", expected a whole number from 100 to 60000"},
	{"agent:\n  balancers: 10.0.0.1:9601\n", 2,
	 "agent.balancers: got a single value, expected a list"},
	{"agent:\n  balancers: [/a, 10.0.0.1]\n", 2,
	 "agent.balancers[1]: got \"10.0.0.1\", expected ADDRESS:PORT, [IPV6-ADDRESS]:PORT or the "
	 "path of a unix socket"},
	{"agent:\n  balancers: [lb.example.org:9601]\n", 2,
	 "agent.balancers[0]: got \"lb.example.org:9601\", expected ADDRESS:PORT, "
	 "[IPV6-ADDRESS]:PORT or the path of a unix socket"},
	{"agent:\n  balancers: [10.0.0.1:9601]\n", 2, "agent.balancers: UDP wants a key_file"},
	{"agent:\n  balancers: " SEVENTEEN "\n", 2, "agent.balancers: got more than 16"},
	{"agent:\n  measure: " SEVENTEEN "\n", 2, "agent.measure: got more than 16 devices"},
	{"agent:\n  measure: [interface0000000]\n", 2,
	 "agent.measure[0]: got \"interface0000000\", expected up to 15 printable characters"},
	{"agent:\n  key_file: report.key\n", 2,
	 "agent.key_file: got \"report.key\", expected a path that begins with /"},
	{"agent:\n  workers: 0\n", 2,
	 "agent.workers: got \"0\", expected a whole number from 1 to 1000000"},
	{"agent:\n  application_max_age_ms: -1\n", 2,
	 "agent.application_max_age_ms: got \"-1\", expected a whole number from 100 to 3600000"},
	{"agent:\n  cgroup: x\n", 2, "agent.cgroup: got \"x\", expected a path that begins with /"},
};

static void refused(void **state)
{
	(void)state;
	check_refusals(refusals, COUNT(refusals));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_field),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
