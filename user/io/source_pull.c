/* SPDX-License-Identifier: GPL-2.0-only */
#include "source_pull.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../core/pulled.h"
#include "http_get.h"
#include "phase.h"

#define BODY_BYTES_MAX (64 << 10)

struct node {
	struct source_pull *pull;
	char name[NAME_BYTES];
	struct address address;
	struct event *timer;
	struct http_get *get; /* under way; NULL: none */
};

struct source_pull {
	struct event_base *base;
	struct config_sources config;
	struct intake *intake;
	struct node *nodes;
	size_t count;
};

static void take(struct node *node, const char *body, size_t body_bytes)
{
	struct intake *intake = node->pull->intake;
	struct text_error error;
	char *report;

	if (pulled_report(body, body_bytes, node->name, &report, &error)) {
		intake_refuse(intake, SOURCE_PULL, &intake->counters[SOURCE_PULL].malformed,
			      node->name, error.what);
		return;
	}
	intake_text(intake, SOURCE_PULL, node->name, report, strlen(report), &error);
	free(report);
}

static void on_answer(void *context, int status, const char *why, const char *body,
		      size_t body_bytes)
{
	struct node *node = context;
	struct intake *intake = node->pull->intake;

	node->get = NULL;
	if (status == 200)
		take(node, body, body_bytes);
	else
		intake_refuse(intake, SOURCE_PULL, &intake->counters[SOURCE_PULL].failed,
			      node->name, status ? "its status is not 200" : why);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct node *node = context;
	const struct config_sources *config = &node->pull->config;
	struct timeval interval = timeval_of_ms(config->pull_ms);
	const struct http_get_request request = {
		.address = node->address,
		.port = config->pull_port,
		.path = config->pull_path,
		.timeout_ms = config->pull_timeout_ms,
		.body_bytes_max = BODY_BYTES_MAX,
		.on_answer = on_answer,
		.context = node,
	};

	(void)fd;
	(void)what;
	event_add(node->timer, &interval);
	if (!node->get)
		node->get = http_get_start(node->pull->base, &request);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->name, ((const struct node *)b)->name);
}

/* Each node once, however many backends live there. */
static void list_nodes(struct source_pull *pull, const struct model *model)
{
	size_t all = 0;

	for (size_t i = 0; i < model->backend_count; i++) {
		const struct model_backend *backend = &model->backends[i];

		if (backend->state == BACKEND_GONE)
			break; /* so are all behind it */
		strcpy(pull->nodes[all].name, backend->node);
		pull->nodes[all++].address = backend->address;
	}
	qsort(pull->nodes, all, sizeof(*pull->nodes), by_name);
	for (size_t i = 0; i < all; i++) {
		if (!pull->count || strcmp(pull->nodes[i].name, pull->nodes[pull->count - 1].name))
			pull->nodes[pull->count++] = pull->nodes[i];
	}
}

static int start(struct source_pull *pull)
{
	for (size_t i = 0; i < pull->count; i++) {
		struct timeval first = phase_of(i + 1, pull->config.pull_ms);
		struct node *node = &pull->nodes[i];

		node->pull = pull;
		node->timer = evtimer_new(pull->base, on_timer, node);
		if (!node->timer || event_add(node->timer, &first))
			return -ENOMEM;
	}
	return 0;
}

struct source_pull *source_pull_open(struct event_base *base, const struct config_sources *config,
				     const struct model *model, struct intake *intake,
				     struct text_error *error)
{
	struct source_pull *pull = calloc(1, sizeof(*pull));

	if (pull) {
		pull->base = base;
		pull->config = *config;
		pull->intake = intake;
		pull->nodes = calloc(model->backend_count + 1, sizeof(*pull->nodes));
		if (pull->nodes) {
			list_nodes(pull, model);
			if (!start(pull))
				return pull;
		}
		source_pull_close(pull);
	}
	text_refuse(error, -ENOMEM, NULL, "out of memory");
	return NULL;
}

void source_pull_close(struct source_pull *pull)
{
	if (!pull)
		return;
	for (size_t i = 0; i < pull->count; i++) {
		if (pull->nodes[i].timer)
			event_free(pull->nodes[i].timer);
		http_get_cancel(pull->nodes[i].get);
	}
	free(pull->nodes);
	free(pull);
}
