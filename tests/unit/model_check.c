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

static void test_service_refusals(void **state)
{
	static const struct {
		const char *label;
		const char *name;
		const char *vip;
		__u16 port;
		__u8 protocol;
		int forward;
		__u32 slot_count;
		int err;
		const char *field;
		const char *fragment;
	} cases[] = {
		{"no name", NULL, "192.0.2.9", 80, 6, 0, 0, -EINVAL, "name", "\"\" is no name"},
		{"bad name", "a b", "192.0.2.9", 80, 6, 0, 0, -EINVAL, "name",
		 "\"a b\" is no name"},
		{"bytes in name", "a\n\033[2J\xff", "192.0.2.9", 80, 6, 0, 0, -EINVAL, "name",
		 "\"a??[2J?\" is no name"},
		{"name taken", "web", "192.0.2.9", 80, 6, 0, 0, -EEXIST, "name",
		 "service \"web\" already exists"},
		{"unspecified", "x", "::", 80, 6, 0, 0, -EINVAL, "vip",
		 ":: is the unspecified address and cannot be a VIP"},
		{"loopback", "x", "127.0.0.1", 80, 6, 0, 0, -EINVAL, "vip", "127.0.0.1 is a loop"},
		{"multicast", "x", "ff02::1", 80, 6, 0, 0, -EINVAL, "vip", "a multicast address"},
		{"protocol", "x", "192.0.2.9", 80, 1, 0, 0, -EINVAL, "proto", "protocol 1"},
		{"forward", "x", "192.0.2.9", 80, 6, 7, 0, -EINVAL, "forward", "mode 7"},
		{"slots no power of two", "x", "192.0.2.9", 80, 6, 0, 5000, -EINVAL, "slots",
		 "5000 is no number of slots"},
		{"slots too few", "x", "192.0.2.9", 80, 6, 0, 2048, -EINVAL, "slots", "from 4096"},
		{"slots too many", "x", "192.0.2.9", 80, 6, 0, 2097152, -EINVAL, "slots",
		 "to 1048576"},
		{"VIP and port taken", "x", "192.0.2.1", 80, 6, 0, 0, -EEXIST, "vip",
		 "service \"web\" already has 192.0.2.1:80 tcp"},
		{"VIP and every port taken", "x", "192.0.2.1", 0, 6, 0, 0, -EEXIST, "vip",
		 "service \"all\" already has 192.0.2.1, every port, tcp"},
	};
	struct model model = example(), before = copy_of(&model);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct service_request request =
			service_request(cases[i].name, cases[i].vip, cases[i].port);
		struct text_error error = {.line = 7};
		int err;

		request.protocol = cases[i].protocol;
		request.forward = cases[i].forward;
		request.slot_count = cases[i].slot_count;
		err = model_service_add(&model, &request, &error);
		check_refusal(cases[i].label, &before, &model, err, cases[i].err, &error,
			      cases[i].field, cases[i].fragment);
	}
	model_free(&model);
	model_free(&before);
}

static void test_service_neighbours(void **state)
{
	struct model model = {.backends_max = 10};
	struct service_request udp = service_request("udp", "192.0.2.1", 80);
	struct text_error error;

	(void)state;
	add_service(&model, "exact", "192.0.2.1", 80);
	add_service(&model, "every", "192.0.2.1", 0);
	add_service(&model, "tls", "192.0.2.1", 443);
	add_service(&model, "other", "192.0.2.2", 80);
	udp.protocol = IPPROTO_UDP;
	assert_int_equal(model_service_add(&model, &udp, &error), 0);
	assert_int_equal(model.service_count, 5);
	model_free(&model);
}

static void test_service_slot_counts(void **state)
{
	static const __u32 good[] = {0, 4096, 8192, 1048576};
	struct model model = {.backends_max = 10};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct service_request request = service_request("x", "192.0.2.1", 1);
		struct text_error error;

		request.slot_count = good[i];
		if (model_service_add(&model, &request, &error))
			fail_msg("%u slots: %s", good[i], error.what);
		assert_int_equal(model_service_del(&model, "x", 0, &error), 0);
	}
	model_free(&model);
}

static void test_services_full(void **state)
{
	struct service_request more = service_request("more", "192.0.2.2", 80);
	struct model model = {.backends_max = 10}, before;
	struct text_error error = {.line = 7};
	char name[16];
	int err;

	(void)state;
	for (int i = 1; i <= 1023; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		add_service(&model, name, "192.0.2.1", i);
		assert_int_equal(model_service_find(&model, name)->id, i);
	}
	before = copy_of(&model);
	err = model_service_add(&model, &more, &error);
	check_refusal("services full", &before, &model, err, -ENOSPC, &error, "",
		      "no room for service \"more\": all 1023 ids are taken, by 1023 services");
	model_free(&before);

	assert_int_equal(model_service_del(&model, "s700", 0, &error), 0);
	add_service(&model, "more", "192.0.2.2", 80);
	assert_int_equal(model_service_find(&model, "more")->id, 700);
	model_free(&model);
}

static void test_backend_refusals(void **state)
{
	static const struct {
		const char *label;
		const char *service;
		const char *name;
		const char *target;
		__u16 port;
		const char *node;
		const char *region;
		int state;
		int err;
		const char *field;
		const char *fragment;
	} cases[] = {
		{"no service", NULL, "x", "10.0.0.9", 0, NULL, NULL, BACKEND_UP, -ENOENT, "name",
		 "there is no service \"\""},
		{"unknown service", "nope", "x", "10.0.0.9", 0, NULL, NULL, BACKEND_UP, -ENOENT,
		 "name", "there is no service \"nope\""},
		{"no name", "web", NULL, "10.0.0.9", 0, NULL, NULL, BACKEND_UP, -EINVAL, "name",
		 "is no name"},
		{"bad name", "web", "-x", "10.0.0.9", 0, NULL, NULL, BACKEND_UP, -EINVAL, "name",
		 "\"-x\" is no name"},
		{"name taken", "web", "web-1", "10.0.0.9", 0, NULL, NULL, BACKEND_UP, -EEXIST,
		 "name", "service \"web\" already has a backend \"web-1\""},
		{"unspecified", "web", "x", "0.0.0.0", 0, NULL, NULL, BACKEND_UP, -EINVAL,
		 "address", "0.0.0.0 is the unspecified address and cannot be a backend"},
		{"loopback", "web", "x", "::1", 0, NULL, NULL, BACKEND_UP, -EINVAL, "address",
		 "::1 is a loopback address"},
		{"multicast", "web", "x", "224.0.0.5", 0, NULL, NULL, BACKEND_UP, -EINVAL,
		 "address", "224.0.0.5 is a multicast address"},
		{"address taken", "web", "x", "10.0.0.1", 0, NULL, NULL, BACKEND_UP, -EEXIST,
		 "address", "backend \"web-1\" of service \"web\" already has 10.0.0.1:80"},
		{"address taken, port written out", "web", "x", "10.0.0.1", 80, NULL, NULL,
		 BACKEND_UP, -EEXIST, "address", "already has 10.0.0.1:80"},
		{"address and port taken", "web", "x", "10.0.0.2", 8080, NULL, NULL, BACKEND_UP,
		 -EEXIST, "address", "already has 10.0.0.2:8080"},
		{"empty node", "web", "x", "10.0.0.9", 0, "", NULL, BACKEND_UP, -EINVAL, "node",
		 "\"\" is no node"},
		{"long region", "web", "x", "10.0.0.9", 0, NULL,
		 "a region of more than thirty-one bytes", BACKEND_UP, -EINVAL, "region",
		 "up to 31 bytes"},
		{"state gone", "web", "x", "10.0.0.9", 0, NULL, NULL, BACKEND_GONE, -EINVAL,
		 "state", "cannot be set to state \"gone\""},
		{"state free", "web", "x", "10.0.0.9", 0, NULL, NULL, BACKEND_FREE, -EINVAL,
		 "state", "cannot be set to state \"free\""},
	};
	struct model model = example(), before = copy_of(&model);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct backend_request request = backend_request(cases[i].name, cases[i].target);
		struct text_error error = {.line = 7};
		int err;

		request.port = cases[i].port;
		request.node = cases[i].node;
		request.region = cases[i].region;
		request.state = cases[i].state;
		err = model_backend_add(&model, cases[i].service, &request, &error);
		check_refusal(cases[i].label, &before, &model, err, cases[i].err, &error,
			      cases[i].field, cases[i].fragment);
	}
	model_free(&model);
	model_free(&before);
}

static void test_backend_neighbours(void **state)
{
	struct model model = example();
	struct backend_request other_port = backend_request("web-3", "10.0.0.1");
	struct text_error error;

	(void)state;
	other_port.port = 81;
	assert_int_equal(model_backend_add(&model, "web", &other_port, &error), 0);
	/* The same name and address in another service are another backend. */
	add_backend(&model, "all", "web-1", "10.0.0.1");
	assert_int_equal(model.backend_count, 4);
	model_free(&model);
}

static void test_backend_id_limits(void **state)
{
	struct backend_request request = backend_request("x", "10.0.0.9");
	struct model model = {.backends_max = 0};
	struct text_error error;

	(void)state;
	add_service(&model, "s", "192.0.2.1", 80);
	assert_int_equal(model_backend_add(&model, "s", &request, &error), -ENOSPC);
	model.backends_max = 1;
	assert_int_equal(model_backend_add(&model, "s", &request, &error), -ENOSPC);
	model.backends_max = 2;
	assert_int_equal(add_backend(&model, "s", "a", "10.0.0.1"), 1);

	/* 0xffff is no candidate, so it is no id either. */
	model.backends_max = 70000;
	model.backends[0].id = 65533;
	assert_int_equal(add_backend(&model, "s", "b", "10.0.0.2"), 65534);
	assert_int_equal(add_backend(&model, "s", "c", "10.0.0.3"), 1);
	model_free(&model);
}

static void test_unknown(void **state)
{
	struct model model = example(), before = copy_of(&model);
	struct text_error error = {.line = 7};
	__u16 weight = 1;
	int err;

	(void)state;
	err = model_service_del(&model, "nope", 0, &error);
	check_refusal("service del", &before, &model, err, -ENOENT, &error, "name",
		      "there is no service \"nope\"");
	err = model_backend_del(&model, "nope", "web-1", 0, &error);
	check_refusal("backend del, service", &before, &model, err, -ENOENT, &error, "name",
		      "there is no service \"nope\"");
	err = model_backend_del(&model, "web", "nope", 0, &error);
	check_refusal("backend del", &before, &model, err, -ENOENT, &error, "name",
		      "service \"web\" has no backend \"nope\"");
	err = model_backend_set(&model, "all", "web-1", &weight, NULL, &error);
	check_refusal("backend set", &before, &model, err, -ENOENT, &error, "name",
		      "service \"all\" has no backend \"web-1\"");
	model_free(&model);
	model_free(&before);
}

static void test_set_refusal(void **state)
{
	struct model model = example(), before = copy_of(&model);
	enum backend_state gone = BACKEND_GONE;
	struct text_error error = {.line = 7};
	__u16 weight = 7;
	int err;

	(void)state;
	err = model_backend_set(&model, "web", "web-1", &weight, &gone, &error);
	check_refusal("state gone", &before, &model, err, -EINVAL, &error, "state",
		      "cannot be set to state \"gone\"");
	model_free(&model);
	model_free(&before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_service_refusals),
		cmocka_unit_test(test_service_neighbours),
		cmocka_unit_test(test_service_slot_counts),
		cmocka_unit_test(test_services_full),
		cmocka_unit_test(test_backend_refusals),
		cmocka_unit_test(test_backend_neighbours),
		cmocka_unit_test(test_backend_id_limits),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_set_refusal),
	};

	return cmocka_run_group_tests_name("model_check", tests, NULL, NULL);
}
