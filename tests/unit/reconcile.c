/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "model_example.h"
#include "user/core/reconcile.h"

#define NOW_NS 5000000000ULL

static void take_over(struct model *model, const struct model *wanted)
{
	struct text_error error;

	if (reconcile(model, wanted, NOW_NS, &error))
		fail_msg("%s", error.what);
}

static struct model_backend *backend(const struct model *model, const char *service,
				     const char *name)
{
	return model_backend_find(model, model_service_find(model, service)->id, name);
}

/* As a model looks that has been planned and followed reports for a while. */
static struct model live_example(void)
{
	struct model model = example();

	for (size_t i = 0; i < model.service_count; i++)
		model.services[i].slots = (struct slot_range){4096 * (i + 1), 4096};
	for (size_t i = 0; i < model.backend_count; i++) {
		model.backends[i].table_weight = 100;
		model.backends[i].bias = 65000 + i;
		model.backends[i].weight_milli = 70000 + i;
		model.backends[i].next_hop.state = NEXT_HOP_RESOLVED;
		strcpy(model.backends[i].reason, "cpu 71% >= 65: x0.7");
	}
	return model;
}

static size_t live_count(const struct model *model)
{
	size_t count = 0;

	for (size_t i = 0; i < model->backend_count; i++)
		count += model->backends[i].state != BACKEND_GONE;
	return count;
}

static void test_from_empty(void **state)
{
	struct model model = {.backends_max = 100, .slots_max = 1 << 20};
	struct model wanted = example();
	struct text_error error;
	enum backend_state drain = BACKEND_DRAIN;
	__u16 weight = 7;

	(void)state;
	wanted.services[1].forward = FORWARD_IPIP;
	wanted.services[1].slot_count = 65536;
	wanted.services[1].flags = SERVICE_LOCAL_COUNT;
	strcpy(wanted.backends[1].node, "node-2");
	strcpy(wanted.backends[1].region, "north");
	assert_int_equal(model_backend_set(&wanted, "web", "web-2", &weight, &drain, &error), 0);
	take_over(&model, &wanted);

	assert_int_equal(model.service_count, 2);
	assert_string_equal(model.services[0].name, "all");
	assert_string_equal(model.services[1].name, "web");
	assert_true(address_equal(&model.services[1].vip, &wanted.services[1].vip));
	assert_int_equal(model.services[1].port, 80);
	assert_int_equal(model.services[1].protocol, IPPROTO_TCP);
	assert_int_equal(model.services[1].forward, FORWARD_IPIP);
	assert_int_equal(model.services[1].slot_count, 65536);
	assert_int_equal(model.services[1].flags, SERVICE_LOCAL_COUNT);
	assert_int_equal(model.services[0].flags, 0);
	assert_int_equal(model.backend_count, 2);
	assert_string_equal(backend(&model, "web", "web-1")->node, "web-1");
	assert_int_equal(backend(&model, "web", "web-1")->state, BACKEND_UP);
	assert_string_equal(backend(&model, "web", "web-2")->node, "node-2");
	assert_string_equal(backend(&model, "web", "web-2")->region, "north");
	assert_int_equal(backend(&model, "web", "web-2")->port, 8080);
	assert_int_equal(backend(&model, "web", "web-2")->base_weight, 7);
	assert_int_equal(backend(&model, "web", "web-2")->weight_milli, 7000);
	assert_int_equal(backend(&model, "web", "web-2")->state, BACKEND_DRAIN);
	model_free(&model);
	model_free(&wanted);
}

/* Ids, slots, weights, biases, next hops, reasons. */
static void test_the_same_changes_nothing(void **state)
{
	struct model model = live_example();
	struct model before = copy_of(&model);
	struct model wanted = example();

	(void)state;
	take_over(&model, &wanted);
	assert_true(same(&model, &before));
	take_over(&model, &wanted);
	assert_true(same(&model, &before));
	model_free(&model);
	model_free(&before);
	model_free(&wanted);
}

/* The ids of the two sides have nothing to do with each other. */
static void test_ids_are_each_sides_own(void **state)
{
	struct model model = live_example();
	struct model before = copy_of(&model);
	struct model wanted = {.backends_max = 100, .slots_max = 1 << 20};
	struct backend_request second = backend_request("web-2", "10.0.0.2");
	struct text_error error;

	(void)state;
	add_service(&wanted, "all", "192.0.2.1", 0);
	add_service(&wanted, "web", "192.0.2.1", 80);
	second.port = 8080;
	assert_int_equal(model_backend_add(&wanted, "web", &second, &error), 0);
	add_backend(&wanted, "web", "web-1", "10.0.0.1");
	assert_int_not_equal(model_service_find(&wanted, "web")->id,
			     model_service_find(&model, "web")->id);
	take_over(&model, &wanted);
	assert_true(same(&model, &before));
	model_free(&model);
	model_free(&before);
	model_free(&wanted);
}

static void test_added_and_removed(void **state)
{
	struct model model = live_example();
	struct model wanted = example();
	struct text_error error;

	(void)state;
	del_backend(&wanted, "web", "web-1", 0);
	add_backend(&wanted, "web", "web-3", "10.0.0.3");
	assert_int_equal(model_service_del(&wanted, "all", 0, &error), 0);
	add_service(&wanted, "dns", "192.0.2.1", 53);
	add_backend(&wanted, "dns", "dns-1", "10.0.0.1");
	take_over(&model, &wanted);

	assert_int_equal(model.service_count, 2);
	assert_null(model_service_find(&model, "all"));
	assert_int_equal(model_service_find(&model, "dns")->slots.count, 0);
	assert_int_equal(model_service_find(&model, "web")->id, 1);
	assert_int_equal(live_count(&model), 3);
	assert_null(backend(&model, "web", "web-1"));
	assert_int_equal(backend(&model, "web", "web-2")->id, 2);
	assert_int_equal(backend(&model, "web", "web-2")->weight_milli, 70001);
	assert_int_equal(backend(&model, "web", "web-3")->id, 3);
	assert_int_equal(backend(&model, "dns", "dns-1")->id, 4);
	assert_int_equal(model.backend_count, 4);
	assert_int_equal(model.backends[3].id, 1);
	assert_int_equal(model.backends[3].state, BACKEND_GONE);
	assert_int_equal(model.backends[3].gone_until_ns, NOW_NS + 60000000000ULL);
	model_free(&model);
	model_free(&wanted);
}

static void test_all_removed(void **state)
{
	struct model model = live_example();
	struct model wanted = {.backends_max = 100};

	(void)state;
	for (int i = 10; i < 30; i++) {
		char name[16], target[16];

		snprintf(name, sizeof(name), "all-%d", i);
		snprintf(target, sizeof(target), "10.0.1.%d", i);
		add_backend(&model, "all", name, target);
		if (i % 3 == 0)
			continue;
		if (!model_service_find(&wanted, "all"))
			add_service(&wanted, "all", "192.0.2.1", 0);
		add_backend(&wanted, "all", name, target);
	}
	take_over(&model, &wanted);
	assert_int_equal(model.service_count, 1);
	assert_int_equal(live_count(&model), wanted.backend_count);
	for (size_t i = 0; i < wanted.backend_count; i++)
		assert_string_equal(model.backends[i].name, wanted.backends[i].name);

	model_free(&wanted);
	take_over(&model, &wanted);
	assert_int_equal(model.service_count, 0);
	assert_int_equal(live_count(&model), 0);
	assert_int_equal(model.backend_count, 22);
	model_free(&model);
}

/* Another address or port under a name is another backend: the old id goes to rest. */
static void test_backend_moves(void **state)
{
	struct model model = live_example();
	struct model wanted = example();

	(void)state;
	wanted.backends[0].address = address("10.0.0.9");
	wanted.backends[1].port = 8081;
	take_over(&model, &wanted);
	assert_int_equal(model.backend_count, 4);
	assert_int_equal(backend(&model, "web", "web-1")->id, 3);
	assert_true(address_equal(&backend(&model, "web", "web-1")->address,
				  &wanted.backends[0].address));
	assert_int_equal(backend(&model, "web", "web-1")->table_weight, 0);
	assert_int_equal(backend(&model, "web", "web-1")->weight_milli, 100000);
	assert_int_equal(backend(&model, "web", "web-2")->id, 4);
	assert_int_equal(backend(&model, "web", "web-2")->port, 8081);
	assert_int_equal(model.backends[2].id, 1);
	assert_int_equal(model.backends[3].id, 2);
	assert_int_equal(model.backends[3].state, BACKEND_GONE);
	assert_int_equal(model_service_find(&model, "web")->slots.base, 8192);
	model_free(&model);
	model_free(&wanted);
}

/* Two backends that take each other's address: neither may stand in the other's way. */
static void test_addresses_swapped(void **state)
{
	struct model model = live_example();
	struct model wanted = example();
	struct address first = wanted.backends[0].address;

	(void)state;
	wanted.backends[0].address = wanted.backends[1].address;
	wanted.backends[0].port = 8080;
	wanted.backends[1].address = first;
	wanted.backends[1].port = 0;
	take_over(&model, &wanted);
	assert_int_equal(live_count(&model), 2);
	assert_true(address_equal(&backend(&model, "web", "web-2")->address, &first));
	model_free(&model);
	model_free(&wanted);
}

/* Another VIP, port or protocol under a name is another service, with other backends. */
static void test_service_moves(void **state)
{
	static const struct {
		const char *name, *vip;
		__u16 port;
		__u8 protocol;
	} cases[] = {
		{"vip", "192.0.2.9", 80, IPPROTO_TCP},
		{"port", "192.0.2.1", 81, IPPROTO_TCP},
		{"protocol", "192.0.2.1", 80, IPPROTO_UDP},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct model model = live_example();
		struct model wanted = example();
		struct model_service *web = model_service_find(&wanted, "web");

		web->vip = address(cases[i].vip);
		web->port = cases[i].port;
		web->protocol = cases[i].protocol;
		take_over(&model, &wanted);
		web = model_service_find(&model, "web");
		if (web->id != 3 || web->slots.count || live_count(&model) != 2 ||
		    model.backend_count != 4)
			fail_msg("%s: id %u, %zu live of %zu", cases[i].name, web->id,
				 live_count(&model), model.backend_count);
		assert_int_equal(web->port, cases[i].port);
		assert_int_equal(web->protocol, cases[i].protocol);
		assert_int_equal(backend(&model, "web", "web-1")->id, 3);
		assert_int_equal(backend(&model, "web", "web-1")->service, 3);
		assert_int_equal(model.backends[2].service, 1);
		assert_int_equal(model.backends[2].state, BACKEND_GONE);
		assert_int_equal(model_service_find(&model, "all")->slots.base, 4096);
		model_free(&model);
		model_free(&wanted);
	}
}

static void test_edits(void **state)
{
	struct model model = live_example();
	struct model wanted = example();
	const struct model_service *web;

	(void)state;
	wanted.services[1].forward = FORWARD_IPIP;
	wanted.services[1].slot_count = 8192;
	wanted.services[1].flags = SERVICE_LOCAL_COUNT;
	wanted.services[1].mss_bytes = 1400;
	wanted.backends[0].base_weight = 300;
	wanted.backends[0].weight_milli = 300000;
	wanted.backends[1].state = BACKEND_DOWN;
	strcpy(wanted.backends[1].node, "node-2");
	strcpy(wanted.backends[1].region, "north");
	take_over(&model, &wanted);

	web = model_service_find(&model, "web");
	assert_int_equal(web->id, 1);
	assert_int_equal(web->forward, FORWARD_IPIP);
	assert_int_equal(web->slot_count, 8192);
	assert_int_equal(web->flags, SERVICE_LOCAL_COUNT);
	assert_int_equal(web->mss_bytes, 1400);
	assert_int_equal(web->slots.base, 8192);
	assert_int_equal(model.backend_count, 2);
	assert_int_equal(model.backends[0].id, 1);
	assert_int_equal(model.backends[0].base_weight, 300);
	assert_int_equal(model.backends[0].weight_milli, 300000);
	assert_true(model.backends[0].base_changed);
	assert_string_equal(model.backends[0].reason, "base weight");
	assert_int_equal(model.backends[1].id, 2);
	assert_int_equal(model.backends[1].state, BACKEND_DOWN);
	assert_int_equal(model.backends[1].weight_milli, 70001);
	assert_false(model.backends[1].base_changed);
	assert_string_equal(model.backends[1].node, "node-2");
	assert_string_equal(model.backends[1].region, "north");
	model_free(&model);
	model_free(&wanted);
}

static struct quic_server_id id(__u8 first, __u8 count)
{
	return (struct quic_server_id){.byte = {first}, .count = count};
}

/* 192.0.2.1:443/udp "quic" with "q1" and "q2", whose ids have @count bytes and begin so. */
static struct model quic_example(__u8 count, __u8 first, __u8 second)
{
	struct model model = {.backends_max = 100, .slots_max = 1 << 20};
	struct service_request request = service_request("quic", "192.0.2.1", 443);
	struct backend_request q1 = backend_request("q1", "10.0.0.1");
	struct backend_request q2 = backend_request("q2", "10.0.0.2");
	struct text_error error;

	request.protocol = IPPROTO_UDP;
	request.server_id_bytes = count;
	q1.server_id = id(first, count);
	q2.server_id = id(second, count);
	assert_int_equal(model_service_add(&model, &request, &error), 0);
	assert_int_equal(model_backend_add(&model, "quic", &q1, &error), 0);
	assert_int_equal(model_backend_add(&model, "quic", &q2, &error), 0);
	return model;
}

/* Swapped, of another length, taken away altogether: the backends stay. */
static void test_server_ids(void **state)
{
	static const struct {
		const char *label;
		__u8 count, first, second;
	} cases[] = {
		{"the same", 2, 1, 2},
		{"swapped", 2, 2, 1},
		{"longer", 8, 1, 2},
		{"none", 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct model model = quic_example(2, 1, 2);
		struct model wanted = quic_example(cases[i].count, cases[i].first, cases[i].second);
		const struct quic_server_id q1 = id(cases[i].first, cases[i].count);
		const struct quic_server_id q2 = id(cases[i].second, cases[i].count);

		take_over(&model, &wanted);
		if (model.backend_count != 2 || backend(&model, "quic", "q2")->id != 2 ||
		    model.services[0].server_id_bytes != cases[i].count ||
		    !server_id_equal(&backend(&model, "quic", "q1")->server_id, &q1) ||
		    !server_id_equal(&backend(&model, "quic", "q2")->server_id, &q2))
			fail_msg("%s", cases[i].label);
		model_free(&model);
		model_free(&wanted);
	}
}

static void test_errors_pass_through(void **state)
{
	struct model model = {.backends_max = 2, .slots_max = 1 << 20};
	struct model wanted = example();
	struct text_error error = {};

	(void)state;
	assert_int_equal(reconcile(&model, &wanted, NOW_NS, &error), -ENOSPC);
	assert_non_null(strstr(error.what, "no room for backend \"web-2\""));
	model_free(&model);

	model = example();
	strcpy(wanted.services[0].name, "not a name");
	assert_int_equal(reconcile(&model, &wanted, NOW_NS, &error), -EINVAL);
	assert_string_equal(error.field, "name");
	model_free(&model);
	model_free(&wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_empty),
		cmocka_unit_test(test_the_same_changes_nothing),
		cmocka_unit_test(test_ids_are_each_sides_own),
		cmocka_unit_test(test_added_and_removed),
		cmocka_unit_test(test_all_removed),
		cmocka_unit_test(test_backend_moves),
		cmocka_unit_test(test_addresses_swapped),
		cmocka_unit_test(test_service_moves),
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_server_ids),
		cmocka_unit_test(test_errors_pass_through),
	};

	return cmocka_run_group_tests_name("reconcile", tests, NULL, NULL);
}
