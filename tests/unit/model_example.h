/* SPDX-License-Identifier: GPL-2.0-only */
/* A small model to try the verbs on, and what a refusal must look like. After cmocka.h. */
#ifndef SLUICE_TESTS_UNIT_MODEL_EXAMPLE_H
#define SLUICE_TESTS_UNIT_MODEL_EXAMPLE_H

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/model.h"

static inline struct address address(const char *text)
{
	struct address parsed;

	assert_int_equal(address_parse(text, &parsed), 0);
	return parsed;
}

static inline struct service_request service_request(const char *name, const char *vip, __u16 port)
{
	return (struct service_request){
		.name = name,
		.vip = address(vip),
		.port = port,
		.protocol = IPPROTO_TCP,
		.forward = FORWARD_DSR,
	};
}

static inline struct backend_request backend_request(const char *name, const char *target)
{
	return (struct backend_request){
		.name = name,
		.address = address(target),
		.base_weight = 100,
		.state = BACKEND_UP,
	};
}

static inline void add_service(struct model *model, const char *name, const char *vip, __u16 port)
{
	struct service_request request = service_request(name, vip, port);
	struct text_error error;
	int err = model_service_add(model, &request, &error);

	if (err)
		fail_msg("service %s: %s", name, error.what);
}

static inline __u16 add_backend(struct model *model, const char *service, const char *name,
				const char *target)
{
	struct backend_request request = backend_request(name, target);
	struct text_error error;
	int err = model_backend_add(model, service, &request, &error);

	if (err)
		fail_msg("backend %s: %s", name, error.what);
	return model_backend_find(model, model_service_find(model, service)->id, name)->id;
}

static inline void del_backend(struct model *model, const char *service, const char *name,
			       __u64 now_ns)
{
	struct text_error error;

	assert_int_equal(model_backend_del(model, service, name, now_ns, &error), 0);
}

/* 192.0.2.1:80/tcp "web" with 10.0.0.1 "web-1" and 10.0.0.2:8080 "web-2"; 192.0.2.1/tcp "all". */
static inline struct model example(void)
{
	struct model model = {.backends_max = 100, .slots_max = 1 << 20};
	struct backend_request second = backend_request("web-2", "10.0.0.2");
	struct text_error error;

	add_service(&model, "web", "192.0.2.1", 80);
	add_service(&model, "all", "192.0.2.1", 0);
	add_backend(&model, "web", "web-1", "10.0.0.1");
	second.port = 8080;
	assert_int_equal(model_backend_add(&model, "web", &second, &error), 0);
	return model;
}

/* A copy to be compared with what a refused verb leaves. */
static inline struct model copy_of(const struct model *model)
{
	struct model copy = *model;

	copy.services = malloc(model->service_count * sizeof(*model->services) + 1);
	copy.backends = malloc(model->backend_count * sizeof(*model->backends) + 1);
	assert_non_null(copy.services);
	assert_non_null(copy.backends);
	if (model->service_count)
		memcpy(copy.services, model->services,
		       model->service_count * sizeof(*model->services));
	if (model->backend_count)
		memcpy(copy.backends, model->backends,
		       model->backend_count * sizeof(*model->backends));
	return copy;
}

static inline bool same(const struct model *a, const struct model *b)
{
	return a->service_count == b->service_count && a->backend_count == b->backend_count &&
	       (!a->service_count ||
		!memcmp(a->services, b->services, a->service_count * sizeof(*a->services))) &&
	       (!a->backend_count ||
		!memcmp(a->backends, b->backends, a->backend_count * sizeof(*a->backends)));
}

static inline void check_refusal(const char *label, const struct model *before,
				 const struct model *after, int err, int expected_err,
				 const struct text_error *error, const char *field,
				 const char *fragment)
{
	if (err != expected_err)
		fail_msg("%s: returned %d, expected %d", label, err, expected_err);
	if (!strstr(error->what, fragment))
		fail_msg("%s: \"%s\" lacks \"%s\"", label, error->what, fragment);
	if (strcmp(error->field ? error->field : "", field))
		fail_msg("%s: field %s, expected %s", label, error->field, field);
	if (error->line != 0)
		fail_msg("%s: line %d, expected 0", label, error->line);
	if (!same(before, after))
		fail_msg("%s: the model has changed", label);
}

#endif
