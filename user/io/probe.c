/* SPDX-License-Identifier: GPL-2.0-only */
#include "probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "endpoint.h"
#include "http_get.h"

/* Of the answer only the status counts, but it must have an end. */
#define BODY_BYTES_MAX (1 << 20)

struct probe {
	probe_result *on_result;
	void *context;
	unsigned int status_min;
	unsigned int status_max;
	struct http_get *get; /* or a connection: */
	int fd;
	int refused; /* errno of a connection that could not even begin, such as to no route */
	struct event *event;
};

void probe_cancel(struct probe *probe)
{
	if (!probe)
		return;
	http_get_cancel(probe->get);
	if (probe->event)
		event_free(probe->event);
	if (probe->fd >= 0)
		close(probe->fd);
	free(probe);
}

static void finish(struct probe *probe, bool success, const char *why)
{
	probe->on_result(probe->context, success, why);
	probe_cancel(probe);
}

static void on_answer(void *context, int status, const char *why, const char *body,
		      size_t body_bytes)
{
	struct probe *probe = context;
	char words[32];

	(void)body;
	(void)body_bytes;
	probe->get = NULL;
	snprintf(words, sizeof(words), "status %d", status);
	finish(probe,
	       status && (unsigned int)status >= probe->status_min &&
		       (unsigned int)status <= probe->status_max,
	       status ? words : why);
}

static void on_connected(evutil_socket_t fd, short what, void *context)
{
	struct probe *probe = context;
	int err = probe->refused ? probe->refused : ETIMEDOUT;
	socklen_t bytes = sizeof(err);

	if (what & EV_WRITE && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &bytes))
		err = errno;
	finish(probe, !err, err ? strerror(err) : "connected");
}

static bool start_connection(struct probe *probe, struct event_base *base,
			     const struct address *address, __u16 port, unsigned int timeout_ms)
{
	/* Closed by a reset: thousands of these would leave as many sockets in TIME-WAIT. */
	struct linger abort = {.l_onoff = 1};
	struct timeval timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
	struct sockaddr_storage socket_address;
	socklen_t bytes = endpoint_to_socket(address, port, &socket_address);

	probe->fd = socket(socket_address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe->fd < 0)
		return false;
	setsockopt(probe->fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	probe->event = event_new(base, probe->fd, EV_WRITE, on_connected, probe);
	if (!probe->event || event_add(probe->event, &timeout))
		return false;
	if (connect(probe->fd, (struct sockaddr *)&socket_address, bytes) && errno != EINPROGRESS) {
		probe->refused = errno;
		event_active(probe->event, EV_TIMEOUT, 0);
	}
	return true;
}

struct probe *probe_start(struct event_base *base, SSL_CTX *tls, const struct config_health *health,
			  enum config_check check, const struct address *address, __u16 port,
			  probe_result *on_result, void *context)
{
	struct http_get_request request = {
		.address = *address,
		.port = port,
		.tls = check == CHECK_HTTPS ? tls : NULL,
		.verify = health->verify,
		.host = health->host,
		.path = health->path,
		.timeout_ms = health->timeout_ms,
		.body_bytes_max = BODY_BYTES_MAX,
		.on_answer = on_answer,
	};
	struct probe *probe = calloc(1, sizeof(*probe));
	bool started;

	if (!probe)
		return NULL;
	probe->on_result = on_result;
	probe->context = context;
	probe->status_min = health->status_min;
	probe->status_max = health->status_max;
	probe->fd = -1;
	request.context = probe;
	if (check == CHECK_TCP)
		started = start_connection(probe, base, address, port, health->timeout_ms);
	else
		started = (probe->get = http_get_start(base, &request)) != NULL;
	if (started)
		return probe;
	probe_cancel(probe);
	return NULL;
}
