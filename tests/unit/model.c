/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "model_example.h"

#define SECOND_NS 1000000000ULL

static void test_service_add(void **state)
{
	struct model model = {.backends_max = 10};
	struct service_request request = service_request("web", "2001:db8::1", 443);
	const struct model_service *service;
	struct text_error error;

	(void)state;
	request.protocol = IPPROTO_UDP;
	request.forward = FORWARD_IPIP;
	request.slot_count = 65536;
	request.local_count = true;
	assert_int_equal(model_service_add(&model, &request, &error), 0);
	add_service(&model, "dns", "192.0.2.1", 53);
	add_service(&model, "zone", "192.0.2.2", 53);

	assert_int_equal(model.service_count, 3);
	assert_string_equal(model.services[0].name, "dns");
	assert_string_equal(model.services[1].name, "web");
	assert_string_equal(model.services[2].name, "zone");

	service = model_service_find(&model, "web");
	assert_ptr_equal(service, &model.services[1]);
	assert_ptr_equal(model_service_by_id(&model, 1), service);
	assert_int_equal(service->id, 1);
	assert_true(address_equal(&service->vip, &request.vip));
	assert_int_equal(service->port, 443);
	assert_int_equal(service->protocol, IPPROTO_UDP);
	assert_int_equal(service->forward, FORWARD_IPIP);
	assert_int_equal(service->flags, SERVICE_LOCAL_COUNT);
	assert_int_equal(service->slot_count, 65536);
	assert_int_equal(service->slots.count, 0);
	assert_int_equal(model.services[0].flags, 0);
	assert_int_equal(model.services[0].id, 2);
	assert_null(model_service_find(&model, "we"));
	assert_null(model_service_by_id(&model, 4));
	model_free(&model);
	assert_int_equal(model.service_count, 0);
}

static void test_service_del(void **state)
{
	struct model model = example();
	struct text_error error;

	(void)state;
	add_backend(&model, "all", "all-1", "10.0.0.1");
	assert_int_equal(model_service_find(&model, "web")->id, 1);
	assert_int_equal(model_service_del(&model, "web", 5 * SECOND_NS, &error), 0);
	assert_null(model_service_find(&model, "web"));
	assert_int_equal(model.service_count, 1);
	assert_string_equal(model.services[0].name, "all");

	assert_int_equal(model.backend_count, 3);
	assert_string_equal(model.backends[0].name, "all-1");
	assert_int_equal(model.backends[0].state, BACKEND_UP);
	for (size_t i = 1; i < 3; i++) {
		assert_int_equal(model.backends[i].state, BACKEND_GONE);
		assert_int_equal(model.backends[i].service, 1);
		assert_int_equal(model.backends[i].gone_until_ns, 65 * SECOND_NS);
		assert_int_equal(model.backends[i].weight_milli, 0);
	}

	/* The name is free at once, the id is not. */
	add_service(&model, "web", "192.0.2.1", 80);
	assert_int_equal(model_service_find(&model, "web")->id, 3);
	model_expire(&model, 65 * SECOND_NS);
	assert_int_equal(model.backend_count, 1);
	add_service(&model, "next", "192.0.2.1", 81);
	assert_int_equal(model_service_find(&model, "next")->id, 1);
	model_free(&model);
}

static void test_service_ids_rest(void **state)
{
	struct model model = {.backends_max = 10};
	struct text_error error;

	(void)state;
	add_service(&model, "a", "192.0.2.1", 1);
	add_service(&model, "b", "192.0.2.1", 2);
	add_service(&model, "c", "192.0.2.1", 3);
	/* No backend remembers b: the lowest free id is given at once. */
	assert_int_equal(model_service_del(&model, "b", 0, &error), 0);
	add_service(&model, "d", "192.0.2.1", 4);
	assert_int_equal(model_service_find(&model, "d")->id, 2);
	model_free(&model);
}

static void test_backend_add(void **state)
{
	struct model model = example();
	struct backend_request request = {
		.name = "far",
		.address = address("2001:db8::5"),
		.node = "edge 7",
		.region = "cn-shanghai-1",
		.base_weight = 65535,
		.state = BACKEND_DRAIN,
	};
	const struct model_backend *backend;
	struct text_error error;

	(void)state;
	/* An IPv4 VIP with an IPv6 backend: DSR rewrites only MAC addresses. */
	assert_int_equal(model_backend_add(&model, "web", &request, &error), 0);
	backend = model_backend_find(&model, 1, "far");
	assert_non_null(backend);
	assert_int_equal(backend->id, 3);
	assert_int_equal(backend->service, 1);
	assert_true(address_equal(&backend->address, &request.address));
	assert_int_equal(backend->port, 0);
	assert_string_equal(backend->node, "edge 7");
	assert_string_equal(backend->region, "cn-shanghai-1");
	assert_int_equal(backend->base_weight, 65535);
	assert_int_equal(backend->weight_milli, 65535000);
	assert_string_equal(backend->reason, "base weight");
	assert_int_equal(backend->state, BACKEND_DRAIN);
	assert_int_equal(backend->table_weight, 0);
	assert_int_equal(backend->bias, 0);

	backend = model_backend_find(&model, 1, "web-2");
	assert_string_equal(backend->node, "web-2");
	assert_string_equal(backend->region, "");
	assert_int_equal(backend->port, 8080);
	assert_null(model_backend_find(&model, 2, "web-2"));
	assert_null(model_backend_find(&model, 1, "web-3"));
	model_free(&model);
}

static void test_order(void **state)
{
	static const struct {
		const char *name;
		__u16 service;
		__u16 id;
	} expected[] = {
		{"b", 1, 5}, {"d", 1, 1}, {"a", 2, 4}, {"c", 1, 2}, {"c", 1, 6}, {"a", 2, 3},
	};
	struct model model = {.backends_max = 100};

	(void)state;
	add_service(&model, "first", "192.0.2.1", 1);
	add_service(&model, "alpha", "192.0.2.1", 2);
	add_backend(&model, "first", "d", "10.0.0.1");
	add_backend(&model, "first", "c", "10.0.0.2");
	add_backend(&model, "alpha", "a", "10.0.0.3");
	del_backend(&model, "first", "c", 0);
	del_backend(&model, "alpha", "a", 0);
	add_backend(&model, "alpha", "a", "10.0.0.3");
	add_backend(&model, "first", "b", "10.0.0.4");
	add_backend(&model, "first", "c", "10.0.0.2");
	del_backend(&model, "first", "c", 0);

	for (int round = 0; round < 2; round++) {
		assert_int_equal(model.backend_count, 6);
		for (size_t i = 0; i < 6; i++) {
			assert_string_equal(model.backends[i].name, expected[i].name);
			assert_int_equal(model.backends[i].service, expected[i].service);
			assert_int_equal(model.backends[i].id, expected[i].id);
		}
		/* From any order the same. */
		for (size_t i = 0; i < 3; i++) {
			struct model_backend backend = model.backends[i];

			model.backends[i] = model.backends[5 - i];
			model.backends[5 - i] = backend;
		}
		model_sort(&model);
	}
	model_free(&model);
}

static void test_backend_ids(void **state)
{
	struct model model = {.backends_max = 5};
	struct backend_request more = backend_request("more", "10.0.0.9");
	struct text_error error = {.line = 7};
	struct model before;
	int err;

	(void)state;
	add_service(&model, "s", "192.0.2.1", 80);
	assert_int_equal(add_backend(&model, "s", "a", "10.0.0.1"), 1);
	assert_int_equal(add_backend(&model, "s", "b", "10.0.0.2"), 2);
	del_backend(&model, "s", "b", 10 * SECOND_NS);
	/* 2 rests, and 1 stays unused while there are higher ones. */
	assert_int_equal(add_backend(&model, "s", "c", "10.0.0.3"), 3);
	del_backend(&model, "s", "a", 20 * SECOND_NS);
	model_expire(&model, 80 * SECOND_NS);
	assert_int_equal(model.backend_count, 1);
	assert_int_equal(add_backend(&model, "s", "d", "10.0.0.4"), 4);
	assert_int_equal(add_backend(&model, "s", "e", "10.0.0.5"), 1);
	del_backend(&model, "s", "e", 90 * SECOND_NS);
	assert_int_equal(add_backend(&model, "s", "f", "10.0.0.6"), 2);

	before = copy_of(&model);
	err = model_backend_add(&model, "s", &more, &error);
	check_refusal("backends full", &before, &model, err, -ENOSPC, &error, "",
		      "no room for backend \"more\": all 4 ids are taken, 1 of them by backends "
		      "deleted less than 60 s ago");
	model_expire(&model, 150 * SECOND_NS);
	assert_int_equal(add_backend(&model, "s", "more", "10.0.0.9"), 1);
	model_free(&model);
	model_free(&before);
}

static void test_backend_del(void **state)
{
	struct model model = example();
	struct text_error error;
	const struct model_backend *gone;

	(void)state;
	model_backend_find(&model, 1, "web-1")->table_weight = 100;
	model_backend_find(&model, 1, "web-1")->bias = 1234;
	del_backend(&model, "web", "web-1", 7);
	assert_null(model_backend_find(&model, 1, "web-1"));
	assert_int_equal(model.backend_count, 2);
	gone = &model.backends[1];
	assert_string_equal(gone->name, "web-1");
	assert_int_equal(gone->id, 1);
	assert_int_equal(gone->state, BACKEND_GONE);
	assert_int_equal(gone->gone_until_ns, 60 * SECOND_NS + 7);
	assert_int_equal(gone->weight_milli, 0);
	assert_int_equal(gone->bias, 0);
	assert_int_equal(gone->table_weight, 100);
	assert_string_equal(gone->reason, "deleted");

	assert_int_equal(model_backend_del(&model, "web", "web-1", 8, &error), -ENOENT);
	/* Its name and its address are free. */
	assert_int_equal(add_backend(&model, "web", "web-1", "10.0.0.1"), 3);
	model_free(&model);
}

static void test_backend_set(void **state)
{
	struct model model = example();
	struct model_backend *backend = model_backend_find(&model, 1, "web-1");
	enum backend_state down = BACKEND_DOWN, up = BACKEND_UP;
	struct text_error error;
	__u16 weight = 7, zero = 0;

	(void)state;
	backend->weight_milli = 50123;
	backend->table_weight = 100;
	snprintf(backend->reason, sizeof(backend->reason), "cpu 71 %% >= 65 %%: x0.7");

	assert_int_equal(model_backend_set(&model, "web", "web-1", NULL, &down, &error), 0);
	assert_int_equal(backend->state, BACKEND_DOWN);
	assert_int_equal(backend->weight_milli, 50123);
	assert_string_equal(backend->reason, "cpu 71 % >= 65 %: x0.7");

	assert_int_equal(model_backend_set(&model, "web", "web-1", &weight, NULL, &error), 0);
	assert_int_equal(backend->state, BACKEND_DOWN);
	assert_int_equal(backend->base_weight, 7);
	assert_int_equal(backend->weight_milli, 7000);
	assert_int_equal(backend->table_weight, 100);
	assert_string_equal(backend->reason, "base weight");

	assert_int_equal(model_backend_set(&model, "web", "web-1", &zero, &up, &error), 0);
	assert_int_equal(backend->state, BACKEND_UP);
	assert_int_equal(backend->base_weight, 0);
	assert_int_equal(backend->weight_milli, 0);
	model_free(&model);
}

static void test_expire(void **state)
{
	struct model model = example();
	struct model_service *service;

	(void)state;
	del_backend(&model, "web", "web-1", 10 * SECOND_NS);
	del_backend(&model, "web", "web-2", 11 * SECOND_NS);
	model_expire(&model, 70 * SECOND_NS - 1);
	assert_int_equal(model.backend_count, 2);
	model_expire(&model, 70 * SECOND_NS);
	assert_int_equal(model.backend_count, 1);
	assert_string_equal(model.backends[0].name, "web-2");

	service = model_service_find(&model, "web");
	service->slots = (struct slot_range){8192, 4096};
	service->old_slots = (struct slot_range){4096, 4096};
	service->old_until_ns = 100 * SECOND_NS;
	model_expire(&model, 100 * SECOND_NS - 1);
	assert_int_equal(service->old_slots.count, 4096);
	model_expire(&model, 100 * SECOND_NS);
	assert_int_equal(service->old_slots.base, 0);
	assert_int_equal(service->old_slots.count, 0);
	assert_int_equal(service->old_until_ns, 0);
	assert_int_equal(service->slots.base, 8192);
	assert_int_equal(model.backend_count, 0);
	assert_int_equal(model.service_count, 2);
	model_free(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_service_add),
		cmocka_unit_test(test_service_del),
		cmocka_unit_test(test_service_ids_rest),
		cmocka_unit_test(test_backend_add),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_backend_ids),
		cmocka_unit_test(test_backend_del),
		cmocka_unit_test(test_backend_set),
		cmocka_unit_test(test_expire),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
