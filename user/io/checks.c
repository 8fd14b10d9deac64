/* SPDX-License-Identifier: GPL-2.0-only */
#include "checks.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "phase.h"
#include "probe.h"

struct target {
	struct checks *checks;
	__u16 backend;
	struct address address;
	__u16 port;
	enum config_check check;
	struct config_health health;
	struct event *timer;
	struct probe *probe; /* under way; NULL: none */
	bool kept;
};

struct checks {
	struct event_base *base;
	SSL_CTX *tls;
	checks_result *on_result;
	void *context;
	struct target **targets; /* by backend id; NULL: not checked */
};

#define IDS 65536

struct checks *checks_new(struct event_base *base, checks_result *on_result, void *context)
{
	struct checks *checks = calloc(1, sizeof(*checks));

	if (!checks)
		return NULL;
	checks->base = base;
	checks->on_result = on_result;
	checks->context = context;
	checks->targets = calloc(IDS, sizeof(*checks->targets));
	checks->tls = SSL_CTX_new(TLS_client_method());
	if (checks->tls)
		SSL_CTX_set_default_verify_paths(checks->tls);
	if (checks->targets && checks->tls)
		return checks;
	checks_free(checks);
	return NULL;
}

static void target_free(struct target *target)
{
	if (!target)
		return;
	probe_cancel(target->probe);
	if (target->timer)
		event_free(target->timer);
	free(target);
}

void checks_free(struct checks *checks)
{
	if (!checks)
		return;
	for (size_t i = 0; checks->targets && i < IDS; i++)
		target_free(checks->targets[i]);
	free(checks->targets);
	SSL_CTX_free(checks->tls);
	free(checks);
}

static void on_probe(void *context, bool success, const char *why)
{
	struct target *target = context;
	struct checks *checks = target->checks;

	target->probe = NULL;
	checks->on_result(checks->context, target->backend,
			  target->check == CHECK_TCP ? HEALTH_TCP : HEALTH_HTTP, success, why);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct timeval interval;
	struct target *target = context;

	(void)fd;
	(void)what;
	interval = timeval_of_ms(target->health.interval_ms);
	event_add(target->timer, &interval);
	/* One that takes longer than the interval has its result first. */
	if (!target->probe)
		target->probe = probe_start(target->checks->base, target->checks->tls,
					    &target->health, target->check, &target->address,
					    target->port, on_probe, target);
}

enum config_check checks_kind(const struct config_health *health,
			      const struct model_service *service,
			      const struct model_backend *backend, __u16 *port)
{
	*port = health->port ? health->port : backend->port ? backend->port : service->port;
	if (health->check == CHECK_DEFAULT)
		return service->protocol == IPPROTO_TCP && *port ? CHECK_TCP : CHECK_NONE;
	return *port ? health->check : CHECK_NONE;
}

static bool same(const struct target *target, const struct target *wanted)
{
	return target && address_equal(&target->address, &wanted->address) &&
	       target->port == wanted->port && target->check == wanted->check &&
	       !memcmp(&target->health, &wanted->health, sizeof(wanted->health));
}

static int want(struct checks *checks, const struct target *wanted)
{
	struct target *target = checks->targets[wanted->backend];
	struct timeval first = phase_of(wanted->backend, wanted->health.interval_ms);

	if (same(target, wanted)) {
		target->kept = true;
		return 0;
	}
	target_free(target);
	checks->targets[wanted->backend] = NULL;
	target = malloc(sizeof(*target));
	if (!target)
		return -ENOMEM;
	*target = *wanted;
	target->kept = true;
	target->checks = checks;
	target->timer = evtimer_new(checks->base, on_timer, target);
	if (!target->timer || event_add(target->timer, &first)) {
		target_free(target);
		return -ENOMEM;
	}
	checks->targets[wanted->backend] = target;
	return 0;
}

static void forget_others(struct checks *checks)
{
	for (size_t i = 0; i < IDS; i++) {
		struct target *target = checks->targets[i];

		if (!target)
			continue;
		if (!target->kept) {
			target_free(target);
			checks->targets[i] = NULL;
		} else {
			target->kept = false;
		}
	}
}

int checks_reload(struct checks *checks, const struct config_daemon *config,
		  const struct model *model)
{
	int err = 0;

	for (size_t i = 0; i < model->backend_count; i++) {
		const struct model_backend *backend = &model->backends[i];
		const struct model_service *service = model_service_by_id(model, backend->service);
		struct target wanted = {.backend = backend->id, .address = backend->address};
		const struct config_health *health;

		if (backend->state == BACKEND_GONE)
			break; /* so are all behind it */
		health = config_health_of(config, service->name);
		wanted.check = checks_kind(health, service, backend, &wanted.port);
		if (wanted.check == CHECK_NONE)
			continue;
		wanted.health = *health;
		if (want(checks, &wanted))
			err = -ENOMEM;
	}
	forget_others(checks);
	return err;
}
