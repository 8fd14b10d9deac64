/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>

#include "config_refusal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char full[] =
	"load:\n"
	"  flows_per_cpu: 2048\n"
	"  backends_max: 65535\n"
	"  slots_max: 8192\n"
	"  seed: 18446744073709551615\n"
	"  tunnel_source_ipv4: 10.9.0.0/16\n"
	"  tunnel_source_ipv6: fd00:0:0:1::/64\n"
	"region: cn-shanghai-1\n"
	"services:\n"
	"  - name: web\n"
	"    vip: 192.0.2.1\n"
	"    port: 80\n"
	"    proto: tcp\n"
	"    forward: ipip\n"
	"    slots: 65536\n"
	"    local_count: false\n"
	"    backends:\n"
	"      - name: web-1\n"
	"        address: 10.0.0.1\n"
	"        port: 8080\n"
	"        node: edge 1\n"
	"        region: cn-beijing-2\n"
	"        weight: 65535\n"
	"        state: drain\n"
	"      - {name: web-0, address: \"2001:db8::7\", weight: 0, state: down}\n"
	"  - name: dns # every default\n"
	"    vip: 2001:db8::53\n"
	"    port: any\n"
	"    proto: udp\n"
	"    backends:\n"
	"      - name: dns-1\n"
	"        address: 10.0.0.1\n";

static void parse_good(const char *text, struct config *config)
{
	struct text_error error;

	if (parse(text, strlen(text), config, &error))
		fail_msg("%s\nline %d: %s", text, error.line, error.what);
}

static void assert_address(const struct address *address, const char *expected)
{
	char text[ADDRESS_TEXT_BYTES];

	assert_string_equal(address_format(address, text), expected);
}

static void defaults(void **state)
{
	static const char *const empty[] = {
		"",
		"\n",
		"# nothing\n",
		"---\n",
		"{}\n",
		"~\n",
		"services: []\n",
		"services:\n",
		"load:\n",
		"load: {}\n",
		"\xef\xbb\xbf",
		"services: ~\n",
		"region: \"\"\n",
	};

	(void)state;
	for (size_t i = 0; i <= COUNT(empty); i++) {
		struct config config;

		if (i == COUNT(empty))
			config_default(&config);
		else
			parse_good(empty[i], &config);
		assert_int_equal(config.load.flows_per_cpu, 1000000);
		assert_int_equal(config.load.backends_max, 4096);
		assert_int_equal(config.load.slots_max, 1048576);
		assert_true(config.load.seed == 126909663503205);
		assert_address(&config.load.tunnel_source_ipv4, "::");
		assert_int_equal(config.load.tunnel_source_ipv4_vary, 0);
		assert_address(&config.load.tunnel_source_ipv6, "::");
		assert_int_equal(config.load.tunnel_source_ipv6_vary, 0);
		assert_string_equal(config.region, "");
		assert_int_equal(config.model.backends_max, 4096);
		assert_int_equal(config.model.slots_max, 1048576);
		assert_int_equal(config.model.service_count, 0);
		assert_int_equal(config.model.backend_count, 0);
		config_free(&config);
	}
}

static void no_text_at_all(void **state)
{
	struct text_error error;
	struct config config;

	(void)state;
	assert_int_equal(config_parse(NULL, 0, &config, &error), 0);
	assert_int_equal(config.load.backends_max, 4096);
	config_free(&config);
}

static void every_load_field(void **state)
{
	struct config config;

	(void)state;
	parse_good(full, &config);
	assert_int_equal(config.load.flows_per_cpu, 2048);
	assert_int_equal(config.load.backends_max, 65535);
	assert_int_equal(config.load.slots_max, 8192);
	assert_true(config.load.seed == 18446744073709551615ULL);
	assert_address(&config.load.tunnel_source_ipv4, "10.9.0.0");
	assert_int_equal(ntohl(config.load.tunnel_source_ipv4_vary), 0x0000ffff);
	assert_address(&config.load.tunnel_source_ipv6, "fd00:0:0:1::");
	assert_int_equal(ntohl(config.load.tunnel_source_ipv6_vary), 0xffffffff);
	assert_string_equal(config.region, "cn-shanghai-1");
	assert_int_equal(config.model.backends_max, 65535);
	assert_int_equal(config.model.slots_max, 8192);
	config_free(&config);
}

static void every_service_field(void **state)
{
	const struct model_service *web, *dns;
	struct config config;

	(void)state;
	parse_good(full, &config);
	assert_int_equal(config.model.service_count, 2);
	web = model_service_find(&config.model, "web");
	dns = model_service_find(&config.model, "dns");
	assert_int_equal(web->id, 1);
	assert_address(&web->vip, "192.0.2.1");
	assert_int_equal(web->port, 80);
	assert_int_equal(web->protocol, IPPROTO_TCP);
	assert_int_equal(web->forward, FORWARD_IPIP);
	assert_int_equal(web->slot_count, 65536);
	assert_int_equal(web->flags, 0);
	assert_int_equal(dns->id, 2);
	assert_address(&dns->vip, "2001:db8::53");
	assert_int_equal(dns->port, 0);
	assert_int_equal(dns->protocol, IPPROTO_UDP);
	assert_int_equal(dns->forward, FORWARD_DSR);
	assert_int_equal(dns->slot_count, 0);
	assert_int_equal(dns->flags, SERVICE_LOCAL_COUNT);
	config_free(&config);
}

static void every_backend_field(void **state)
{
	const struct model_backend *backend;
	struct config config;

	(void)state;
	parse_good(full, &config);
	assert_int_equal(config.model.backend_count, 3);
	backend = model_backend_find(&config.model, 1, "web-1");
	assert_int_equal(backend->id, 1);
	assert_address(&backend->address, "10.0.0.1");
	assert_int_equal(backend->port, 8080);
	assert_string_equal(backend->node, "edge 1");
	assert_string_equal(backend->region, "cn-beijing-2");
	assert_int_equal(backend->base_weight, 65535);
	assert_int_equal(backend->weight_milli, 65535000);
	assert_int_equal(backend->state, BACKEND_DRAIN);

	backend = model_backend_find(&config.model, 1, "web-0");
	assert_address(&backend->address, "2001:db8::7");
	assert_int_equal(backend->base_weight, 0);
	assert_int_equal(backend->state, BACKEND_DOWN);

	backend = model_backend_find(&config.model, 2, "dns-1");
	assert_int_equal(backend->id, 3);
	assert_int_equal(backend->port, 0);
	assert_string_equal(backend->node, "dns-1");
	assert_string_equal(backend->region, "");
	assert_int_equal(backend->base_weight, 100);
	assert_int_equal(backend->weight_milli, 100000);
	assert_string_equal(backend->reason, "base weight");
	assert_int_equal(backend->state, BACKEND_UP);
	config_free(&config);
}

static void port_0_is_any(void **state)
{
	struct config config;

	(void)state;
	parse_good("services: [{name: a, vip: 192.0.2.1, port: 0, proto: tcp, backends: ~}]\n",
		   &config);
	assert_int_equal(config.model.services[0].port, 0);
	config_free(&config);
}

static void tunnel_sources(void **state)
{
	static const struct {
		const char *key;
		const char *prefix;
		const char *base;
		__u32 vary;
	} cases[] = {
		{"ipv4", "10.0.0.0/8", "10.0.0.0", 0x00ffffff},
		{"ipv4", "10.0.0.0/24", "10.0.0.0", 0x000000ff},
		{"ipv4", "10.0.0.128/25", "10.0.0.128", 0x0000007f},
		{"ipv4", "10.0.0.7/32", "10.0.0.7", 0},
		{"ipv4", "10.0.0.7", "10.0.0.7", 0},
		{"ipv6", "fd00::/8", "fd00::", 0xffffffff},
		{"ipv6", "fd00:0:0:1::/64", "fd00:0:0:1::", 0xffffffff},
		{"ipv6", "fd00::1:0:0/95", NULL, 0},
		{"ipv6", "fd00::2:0:0/95", "fd00::2:0:0", 0xffffffff},
		{"ipv6", "fd00::1:0:0/96", "fd00::1:0:0", 0xffffffff},
		{"ipv6", "fd00::/97", "fd00::", 0x7fffffff},
		{"ipv6", "fd00::/120", "fd00::", 0x000000ff},
		{"ipv6", "fd00::5/128", "fd00::5", 0},
		{"ipv6", "fd00::5", "fd00::5", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool ipv4 = !strcmp(cases[i].key, "ipv4");
		char text[96], base[ADDRESS_TEXT_BYTES];
		struct text_error error;
		struct config config;
		__be32 vary;
		int err;

		snprintf(text, sizeof(text), "load: {tunnel_source_%s: \"%s\"}\n", cases[i].key,
			 cases[i].prefix);
		err = parse(text, strlen(text), &config, &error);
		if (!cases[i].base) {
			assert_int_equal(err, -EINVAL);
			continue;
		}
		if (err)
			fail_msg("%s: %s", cases[i].prefix, error.what);
		vary = ipv4 ? config.load.tunnel_source_ipv4_vary
			    : config.load.tunnel_source_ipv6_vary;
		address_format(ipv4 ? &config.load.tunnel_source_ipv4
				    : &config.load.tunnel_source_ipv6,
			       base);
		if (strcmp(base, cases[i].base) || ntohl(vary) != cases[i].vary)
			fail_msg("%s: %s varies by %#x, expected %s, %#x", cases[i].prefix, base,
				 ntohl(vary), cases[i].base, cases[i].vary);
		config_free(&config);
	}
}

static void load_refusals(void **state)
{
	static const struct refusal cases[] = {
		{"load:\n  flows_per_cpu: many\n", 2,
		 "load.flows_per_cpu: got \"many\", expected a whole number from 1024 to "
		 "268435456"},
		{"load:\n  flows_per_cpu: 1023\n", 2,
		 "load.flows_per_cpu: got \"1023\", expected a whole number from 1024 to "
		 "268435456"},
		{"load: {backends_max: 65536}\n", 1,
		 "load.backends_max: got \"65536\", expected a whole number from 2 to 65535"},
		{"load: {backends_max: 1}\n", 1,
		 "load.backends_max: got \"1\", expected a whole number from 2 to 65535"},
		{"load: {slots_max: 4095}\n", 1,
		 "load.slots_max: got \"4095\", expected a whole number from 4096 to 268435456"},
		{"load:\n  slots_max:\n", 2,
		 "load.slots_max: got \"\", expected a whole number from 4096 to 268435456"},
		{"load:\n  seed: -1\n", 2,
		 "load.seed: got \"-1\", expected a whole number from 0 to 18446744073709551615"},
		{"load:\n  seed: 18446744073709551616\n", 2,
		 "load.seed: got \"18446744073709551616\", expected a whole number from 0 to "
		 "18446744073709551615"},
		{"load:\n  seed: 0x10\n", 2,
		 "load.seed: got \"0x10\", expected a whole number from 0 to "
		 "18446744073709551615"},
		{"load:\n  seed: 1\n  tunnel_source_ipv4: fd00::/64\n", 3,
		 "load.tunnel_source_ipv4: got \"fd00::/64\", expected a unicast IPv4 prefix, /8 "
		 "to "
		 "/32, such as 10.0.0.0/24"},
		{"load: {tunnel_source_ipv4: 10.0.0.0/33}\n", 1,
		 "load.tunnel_source_ipv4: got \"10.0.0.0/33\", expected a unicast IPv4 prefix, /8 "
		 "to /32, such as 10.0.0.0/24"},
		{"load: {tunnel_source_ipv4: 10.0.0.0/7}\n", 1,
		 "load.tunnel_source_ipv4: got \"10.0.0.0/7\", expected a unicast IPv4 prefix, /8 "
		 "to "
		 "/32, such as 10.0.0.0/24"},
		{"load: {tunnel_source_ipv4: 10.0.0.0/}\n", 1,
		 "load.tunnel_source_ipv4: got \"10.0.0.0/\", expected a unicast IPv4 prefix, /8 "
		 "to "
		 "/32, such as 10.0.0.0/24"},
		{"load: {tunnel_source_ipv4: 224.0.0.0/8}\n", 1,
		 "load.tunnel_source_ipv4: got \"224.0.0.0/8\", expected a unicast IPv4 prefix, /8 "
		 "to /32, such as 10.0.0.0/24"},
		{"load: {tunnel_source_ipv4: 10.0.0.1/24}\n", 1,
		 "load.tunnel_source_ipv4: got \"10.0.0.1/24\", expected host bits that are 0"},
		{"load: {tunnel_source_ipv6: \"fd00::1:0:0/64\"}\n", 1,
		 "load.tunnel_source_ipv6: got \"fd00::1:0:0/64\", expected host bits that are 0"},
		{"load: {tunnel_source_ipv6: 10.0.0.0/24}\n", 1,
		 "load.tunnel_source_ipv6: got \"10.0.0.0/24\", expected a unicast IPv6 prefix, /8 "
		 "to /128, such as fd00::/64"},
		{"load: {}\nregion: a region of more than thirty-one bytes\n", 2,
		 "region: got \"a region of more than thirty-one bytes\", expected up to 31 bytes, "
		 "no "
		 "control characters"},
		{"load: {seed: 1}\nregion: \"a\\nb\"\n", 2,
		 "region: got \"a?b\", expected up to 31 bytes, no control characters"},
	};

	(void)state;
	check_refusals(cases, COUNT(cases));
}

static void service_refusals(void **state)
{
	static const struct refusal cases[] = {
		{"services:\n  - {name: a,\n     vip: example.com,\n     port: 1, proto: tcp}\n", 3,
		 "services[0].vip: got \"example.com\", expected an IPv4 or IPv6 address"},
		{"services:\n  - {name: a, vip: 192.0.2.1/32, port: 1, proto: tcp}\n", 2,
		 "services[0].vip: got \"192.0.2.1/32\", expected an IPv4 or IPv6 address"},
		{"services:\n  - {name: a, vip: 127.0.0.1, port: 1, proto: tcp}\n", 2,
		 "services[0].vip: 127.0.0.1 is a loopback address and cannot be a VIP"},
		{"services:\n  - name: a\n    vip: 192.0.2.1\n    port: http\n    proto: tcp\n", 4,
		 "services[0].port: got \"http\", expected a port from 1 to 65535, or any"},
		{"services:\n  - {name: a, vip: 192.0.2.1, port: 65536, proto: tcp}\n", 2,
		 "services[0].port: got \"65536\", expected a port from 1 to 65535, or any"},
		{"services:\n  - {name: a, vip: 192.0.2.1, port: 080, proto: tcp}\n", 2,
		 "services[0].port: got \"080\", expected a port from 1 to 65535, or any"},
		{"services:\n  - {name: a, vip: 192.0.2.1, port: 80x, proto: tcp}\n", 2,
		 "services[0].port: got \"80x\", expected a port from 1 to 65535, or any"},
		{"services:\n  - {name: a, vip: 192.0.2.1, port: 80, proto: icmp}\n", 2,
		 "services[0].proto: got \"icmp\", expected tcp or udp"},
		{ONE_SERVICE "    forward: nat\n", 6,
		 "services[0].forward: got \"nat\", expected dsr, ipip or gue"},
		{ONE_SERVICE "    slots: 5000\n", 6,
		 "services[0].slots: 5000 is no number of slots: a power of two from 4096 to "
		 "1048576, or 0 to go by the number of backends"},
		{ONE_SERVICE "    local_count: maybe\n", 6,
		 "services[0].local_count: got \"maybe\", expected true or false"},
		{"services:\n  - vip: 192.0.2.1\n    port: 1\n    proto: tcp\n    name: a b\n", 5,
		 "services[0].name: \"a b\" is no name: 1 to 63 letters, digits and . _ - :, a "
		 "letter or digit first"},
		{ONE_SERVICE "\n  - vip: 192.0.2.2\n    port: 80\n    proto: tcp\n    name: web\n",
		 10, "services[1].name: service \"web\" already exists"},
		{ONE_SERVICE "  - name: b\n    vip: 192.0.2.1\n    port: 80\n    proto: tcp\n", 7,
		 "services[1].vip: service \"web\" already has 192.0.2.1:80 tcp"},
	};

	(void)state;
	check_refusals(cases, COUNT(cases));
}

#define BACKENDS ONE_SERVICE "    backends:\n      - {name: a, address: 10.0.0.1}\n"

static void backend_refusals(void **state)
{
	static const struct refusal cases[] = {
		{BACKENDS "      - {name: b,\n         address: 10.0.0}\n", 9,
		 "services[0].backends[1].address: got \"10.0.0\", expected an IPv4 or IPv6 "
		 "address"},
		{BACKENDS "      - {name: b, address: 224.0.0.1}\n", 8,
		 "services[0].backends[1].address: 224.0.0.1 is a multicast address and cannot be "
		 "a "
		 "backend"},
		{BACKENDS "      - name: b\n        address: 10.0.0.1\n", 9,
		 "services[0].backends[1].address: backend \"a\" of service \"web\" already has "
		 "10.0.0.1:80"},
		{BACKENDS "      - address: 10.0.0.2\n        name: a\n", 9,
		 "services[0].backends[1].name: service \"web\" already has a backend \"a\""},
		{BACKENDS "      - {name: '', address: 10.0.0.2}\n", 8,
		 "services[0].backends[1].name: \"\" is no name: 1 to 63 letters, digits and . _ - "
		 ":, a letter or digit first"},
		{BACKENDS "        weight: 1\n", 8,
		 "not YAML: while parsing a block collection, did not find expected '-' indicator"},
		{BACKENDS "      - {name: b, address: 10.0.0.2, weight: 65536}\n", 8,
		 "services[0].backends[1].weight: got \"65536\", expected a whole number from 0 to "
		 "65535"},
		{BACKENDS "      - {name: b, address: 10.0.0.2, weight: 1.5}\n", 8,
		 "services[0].backends[1].weight: got \"1.5\", expected a whole number from 0 to "
		 "65535"},
		{BACKENDS "      - {name: b, address: 10.0.0.2, port: any}\n", 8,
		 "services[0].backends[1].port: got \"any\", expected a whole number from 0 to "
		 "65535"},
		{BACKENDS "      - {name: b, address: 10.0.0.2, state: gone}\n", 8,
		 "services[0].backends[1].state: got \"gone\", expected up, drain or down"},
		{BACKENDS "      - name: b\n        address: 10.0.0.2\n        node:\n", 10,
		 "services[0].backends[1].node: \"\" is no node: 1 to 63 bytes, no control "
		 "characters"},
		{BACKENDS "      - name: b\n        address: 10.0.0.2\n        region: \"\\t\"\n",
		 10,
		 "services[0].backends[1].region: \"?\" is no region: up to 31 bytes, no control "
		 "characters"},
		{"load: {backends_max: 2}\n" BACKENDS "      - {name: b, address: 10.0.0.2}\n", 9,
		 "services[0].backends[1]: no room for backend \"b\": all 1 ids are taken, 0 of "
		 "them "
		 "by backends deleted less than 60 s ago"},
	};

	(void)state;
	check_refusals(cases, COUNT(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(no_text_at_all),
		cmocka_unit_test(every_load_field),
		cmocka_unit_test(every_service_field),
		cmocka_unit_test(every_backend_field),
		cmocka_unit_test(port_0_is_any),
		cmocka_unit_test(tunnel_sources),
		cmocka_unit_test(load_refusals),
		cmocka_unit_test(service_refusals),
		cmocka_unit_test(backend_refusals),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
