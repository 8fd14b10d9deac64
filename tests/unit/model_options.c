/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "model_example.h"

static const struct quic_server_id id_1 = {.byte = {0xa1}, .count = 1};
static const struct quic_server_id id_2 = {.byte = {0xa1, 0xb2}, .count = 2};

static struct service_request request_of(const struct model *model, const char *name)
{
	return model_service_request(model_service_find(model, name));
}

/* example(), with 192.0.2.1:443/udp "quic" of 2-byte ids: "q1" has a1b2, "q2" has none. */
static struct model quic_example(void)
{
	struct model model = example();
	struct service_request request = service_request("quic", "192.0.2.1", 443);
	struct text_error error;

	request.protocol = IPPROTO_UDP;
	request.server_id_bytes = 2;
	assert_int_equal(model_service_add(&model, &request, &error), 0);
	add_backend(&model, "quic", "q1", "10.0.0.1");
	add_backend(&model, "quic", "q2", "10.0.0.2");
	assert_int_equal(model_backend_set_server_id(&model, "quic", "q1", &id_2, &error), 0);
	return model;
}

static void test_refusals(void **state)
{
	static const struct {
		const char *label, *service;
		__u16 mss_bytes;
		__u32 idle_ms;
		__u8 server_id_bytes;
		int err;
		const char *field, *fragment;
	} cases[] = {
		{"MSS of UDP", "quic", 1400, 0, 2, -EINVAL, "mss", "only a TCP service has an MSS"},
		{"MSS too small", "web", 535, 0, 0, -EINVAL, "mss",
		 "535 bytes are no MSS: at least 536, which every host must take, at most 65495"},
		{"MSS too large", "web", 65496, 0, 0, -EINVAL, "mss", "65496 bytes are no MSS"},
		{"idle TCP", "web", 0, 60000, 0, -EINVAL, "idle",
		 "only a UDP service has an idle time"},
		{"idle too short", "quic", 0, 999, 2, -EINVAL, "idle",
		 "999 ms are no idle time: 1 to 86400 s"},
		{"idle too long", "quic", 0, 86400001, 2, -EINVAL, "idle", "86400001 ms"},
		{"server ids of TCP", "web", 0, 0, 8, -EINVAL, "quic_server_id_bytes",
		 "only a UDP service has QUIC server ids"},
		{"long server ids", "quic", 0, 0, 16, -EINVAL, "quic_server_id_bytes",
		 "a QUIC server id has 1 to 15 bytes, not 16"},
		{"another length than a backend's", "quic", 0, 0, 8, -EEXIST,
		 "quic_server_id_bytes",
		 "backend \"q1\" of service \"quic\" has a 2-byte server id; set that"},
		{"no server ids but a backend's", "quic", 0, 0, 0, -EEXIST, "quic_server_id_bytes",
		 "has a 2-byte server id; set that to none first"},
	};
	struct model model = quic_example(), before = copy_of(&model);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct service_request request = request_of(&model, cases[i].service);
		struct text_error error = {.line = 7};
		int err;

		request.forward = FORWARD_GUE; /* must not be taken either */
		request.mss_bytes = cases[i].mss_bytes;
		request.idle_ms = cases[i].idle_ms;
		request.server_id_bytes = cases[i].server_id_bytes;
		err = model_service_set(&model, &request, &error);
		check_refusal(cases[i].label, &before, &model, err, cases[i].err, &error,
			      cases[i].field, cases[i].fragment);
		if (cases[i].err == -EEXIST)
			continue;
		request.name = "new";
		request.port = 4433;
		err = model_service_add(&model, &request, &error);
		check_refusal(cases[i].label, &before, &model, err, cases[i].err, &error,
			      cases[i].field, cases[i].fragment);
	}
	model_free(&model);
	model_free(&before);
}

static void test_bounds(void **state)
{
	static const __u16 mss[] = {0, 536, 1460, 65495};
	static const __u32 idle_ms[] = {1000, 86400000};
	struct model model = quic_example();
	struct service_request web = request_of(&model, "web"), quic = request_of(&model, "quic");
	struct text_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(mss) / sizeof(mss[0]); i++) {
		web.mss_bytes = mss[i];
		assert_int_equal(model_service_set(&model, &web, &error), 0);
		assert_int_equal(model_service_find(&model, "web")->mss_bytes, mss[i]);
	}
	for (size_t i = 0; i < sizeof(idle_ms) / sizeof(idle_ms[0]); i++) {
		quic.idle_ms = idle_ms[i];
		assert_int_equal(model_service_set(&model, &quic, &error), 0);
		assert_int_equal(model_service_find(&model, "quic")->idle_ms, idle_ms[i]);
	}
	model_free(&model);
}

static void test_defaults(void **state)
{
	struct model model = quic_example();
	const struct model_service *web = model_service_find(&model, "web");
	const struct model_service *quic = model_service_find(&model, "quic");

	(void)state;
	assert_int_equal(web->idle_ms, 0);
	assert_int_equal(web->mss_bytes, 0);
	assert_int_equal(web->server_id_bytes, 0);
	assert_int_equal(quic->idle_ms, 60000);
	assert_int_equal(quic->server_id_bytes, 2);
	model_free(&model);
}

static void test_set(void **state)
{
	struct model model = example(), before = copy_of(&model);
	struct model_service *web = model_service_find(&model, "web");
	struct service_request request = request_of(&model, "web");
	struct text_error error;

	(void)state;
	/* What a service is by now changes nothing. */
	assert_int_equal(model_service_set(&model, &request, &error), 0);
	assert_true(same(&model, &before));

	request.forward = FORWARD_GUE;
	request.slot_count = 8192;
	request.local_count = true;
	request.mss_bytes = 1400;
	assert_int_equal(model_service_set(&model, &request, &error), 0);
	assert_int_equal(web->forward, FORWARD_GUE);
	assert_int_equal(web->slot_count, 8192);
	assert_int_equal(web->flags, SERVICE_LOCAL_COUNT);
	assert_int_equal(web->mss_bytes, 1400);
	assert_int_equal(web->id, 1);
	assert_int_equal(web->port, 80);

	request.name = "nope";
	assert_int_equal(model_service_set(&model, &request, &error), -ENOENT);
	model_free(&model);
	model_free(&before);
}

static void test_server_id_refusals(void **state)
{
	struct model model = quic_example(), before = copy_of(&model);
	struct backend_request request = backend_request("q3", "10.0.0.3");
	struct text_error error = {.line = 7};
	int err;

	(void)state;
	err = model_backend_set_server_id(&model, "web", "web-1", &id_2, &error);
	check_refusal("not by ids", &before, &model, err, -EINVAL, &error, "server_id",
		      "service \"web\" does not route by QUIC server ids");
	err = model_backend_set_server_id(&model, "quic", "q2", &id_1, &error);
	check_refusal("length", &before, &model, err, -EINVAL, &error, "server_id",
		      "a1 is no 2-byte server id, which is what service \"quic\" routes by");
	err = model_backend_set_server_id(&model, "quic", "q2", &id_2, &error);
	check_refusal("taken", &before, &model, err, -EEXIST, &error, "server_id",
		      "backend \"q1\" of service \"quic\" already has server id a1b2");
	err = model_backend_set_server_id(&model, "quic", "q9", &id_2, &error);
	check_refusal("unknown", &before, &model, err, -ENOENT, &error, "name",
		      "no backend \"q9\"");
	request.server_id = id_2;
	err = model_backend_add(&model, "quic", &request, &error);
	check_refusal("taken, new", &before, &model, err, -EEXIST, &error, "server_id",
		      "already has server id a1b2");
	model_free(&model);
	model_free(&before);
}

static void test_server_ids(void **state)
{
	static const struct quic_server_id none = {};
	struct model model = quic_example();
	struct text_error error;

	(void)state;
	/* Its own again, then of one that is gone, then of one that let go of it. */
	assert_int_equal(model_backend_set_server_id(&model, "quic", "q1", &id_2, &error), 0);
	del_backend(&model, "quic", "q1", 0);
	assert_int_equal(model_backend_set_server_id(&model, "quic", "q2", &id_2, &error), 0);
	add_backend(&model, "quic", "q3", "10.0.0.3");
	assert_int_equal(model_backend_set_server_id(&model, "quic", "q3", &id_2, &error), -EEXIST);
	assert_int_equal(model_backend_set_server_id(&model, "quic", "q2", &none, &error), 0);
	assert_int_equal(model_backend_find(&model, 3, "q2")->server_id.count, 0);
	assert_int_equal(model_backend_set_server_id(&model, "quic", "q3", &id_2, &error), 0);
	assert_memory_equal(model_backend_find(&model, 3, "q3")->server_id.byte, "\xa1\xb2", 2);
	model_free(&model);
}

static void test_priority(void **state)
{
	struct service_request request = service_request("mail", "192.0.2.3", 25);
	struct model model = example(), before = copy_of(&model);
	struct text_error error;
	__u8 priority = 1;

	(void)state;
	request.priority = 3;
	check_refusal("P3", &before, &model, model_service_add(&model, &request, &error), -EINVAL,
		      &error, "priority", "priority 3 is not known");
	request.priority = 2;
	assert_int_equal(model_service_add(&model, &request, &error), 0);
	assert_int_equal(model_service_find(&model, "mail")->priority, 2);
	assert_int_equal(model_service_find(&model, "web")->priority, 0);
	request = model_service_request(model_service_find(&model, "mail"));
	assert_int_equal(request.priority, 2);
	request.priority = 1;
	assert_int_equal(model_service_set(&model, &request, &error), 0);
	assert_int_equal(model_service_find(&model, "mail")->priority, 1);

	assert_string_equal(priority_name(0), "P0");
	assert_string_equal(priority_name(2), "P2");
	assert_int_equal(priority_parse("P3", &priority), -EINVAL);
	assert_int_equal(priority_parse("p1", &priority), -EINVAL);
	assert_int_equal(priority, 1);
	assert_int_equal(priority_parse("P2", &priority), 0);
	assert_int_equal(priority, 2);
	model_free(&before);
	model_free(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),           cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_defaults),           cmocka_unit_test(test_set),
		cmocka_unit_test(test_server_id_refusals), cmocka_unit_test(test_server_ids),
		cmocka_unit_test(test_priority),
	};

	return cmocka_run_group_tests_name("model_options", tests, NULL, NULL);
}
