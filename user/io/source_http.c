/* SPDX-License-Identifier: GPL-2.0-only */
#include "source_http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <openssl/crypto.h>

#include "../core/envelope.h"
#include "endpoint.h"
#include "file.h"

#define BODY_BYTES_MAX   (16 << 20)
#define HEADER_BYTES_MAX 16384
#define IDLE_S           30
#define BACKLOG          128

static const char bearer[] = "Bearer ";

struct source_http {
	struct evhttp *server;
	struct intake *intake;
	char *secret; /* NULL: anybody may */
	size_t secret_bytes;
};

static void answer(struct evhttp_request *request, int status, const char *reason, json_t *body)
{
	struct evbuffer *buffer = evbuffer_new();
	char *text = json_dumps(body, JSON_COMPACT);

	if (buffer && text)
		evbuffer_add_printf(buffer, "%s\n", text);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
			  "application/json");
	evhttp_send_reply(request, status, reason, buffer);
	if (buffer)
		evbuffer_free(buffer);
	free(text);
	json_decref(body);
}

static bool authorized(const struct source_http *http, struct evhttp_request *request)
{
	const char *given =
		evhttp_find_header(evhttp_request_get_input_headers(request), "Authorization");

	if (!http->secret)
		return true;
	if (!given || strncasecmp(given, bearer, strlen(bearer)))
		return false;
	given += strlen(bearer);
	return strlen(given) == http->secret_bytes &&
	       !CRYPTO_memcmp(given, http->secret, http->secret_bytes);
}

static const char *peer_of(struct evhttp_request *request)
{
	char *address = "";
	ev_uint16_t port;

	evhttp_connection_get_peer(evhttp_request_get_connection(request), &address, &port);
	return address;
}

static void on_reports(struct evhttp_request *request, void *context)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(request);
	struct source_http *http = context;
	struct text_error error;
	const char *text;
	int count;

	if (evhttp_request_get_command(request) != EVHTTP_REQ_POST) {
		evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "POST");
		answer(request, 405, "Method Not Allowed", json_pack("{s:s}", "error", "POST it"));
		return;
	}
	if (!authorized(http, request)) {
		intake_refuse(http->intake, SOURCE_HTTP,
			      &http->intake->counters[SOURCE_HTTP].forged, peer_of(request),
			      "without the key");
		evhttp_add_header(evhttp_request_get_output_headers(request), "WWW-Authenticate",
				  "Bearer");
		answer(request, 401, "Unauthorized",
		       json_pack("{s:s}", "error", "expected Authorization: Bearer KEY"));
		return;
	}
	text = (const char *)evbuffer_pullup(body, -1); /* NULL: there is none */
	count = intake_text(http->intake, SOURCE_HTTP, peer_of(request), text ? text : "",
			    evbuffer_get_length(body), &error);
	if (count < 0)
		answer(request, 400, "Bad Request", json_pack("{s:s}", "error", error.what));
	else
		answer(request, 200, "OK", json_pack("{s:i}", "accepted", count));
}

static void on_other(struct evhttp_request *request, void *context)
{
	(void)context;
	answer(request, 404, "Not Found", json_pack("{s:s}", "error", "there is only /v1/reports"));
}

static int listen_at(const struct endpoint *at)
{
	struct sockaddr_storage address;
	socklen_t bytes = endpoint_to_socket(&at->address, at->port, &address);
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int yes = 1, err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (!bind(fd, (struct sockaddr *)&address, bytes) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void forget_key(struct source_http *http)
{
	if (http->secret)
		explicit_bzero(http->secret, http->secret_bytes);
	free(http->secret);
	http->secret = NULL;
}

int source_http_read_key(struct source_http *http, const char *path, struct text_error *error)
{
	size_t bytes;
	char *text;

	if (!*path) {
		forget_key(http);
		return 0;
	}
	text = file_read(path, ENVELOPE_KEY_BYTES_MAX, &bytes, error);
	if (!text)
		return -EINVAL;
	bytes = envelope_secret_bytes(text, bytes);
	if (!bytes) {
		free(text);
		return text_refuse(error, -EINVAL, "http_key_file", "%s is empty", path);
	}
	forget_key(http);
	http->secret = text;
	http->secret_bytes = bytes;
	return 0;
}

static int start(struct source_http *http, struct event_base *base, const struct endpoint *at,
		 struct text_error *error)
{
	char text[ADDRESS_TEXT_BYTES];
	int fd;

	http->server = evhttp_new(base);
	if (!http->server)
		return -ENOMEM;
	evhttp_set_max_body_size(http->server, BODY_BYTES_MAX);
	evhttp_set_max_headers_size(http->server, HEADER_BYTES_MAX);
	evhttp_set_timeout(http->server, IDLE_S);
	evhttp_set_gencb(http->server, on_other, http);
	evhttp_set_cb(http->server, "/v1/reports", on_reports, http);
	fd = listen_at(at);
	if (fd >= 0 && evhttp_accept_socket(http->server, fd)) {
		close(fd);
		fd = -ENOMEM;
	}
	return fd >= 0 ? 0
		       : text_refuse(error, fd, "http", "cannot listen at %s: %s",
				     address_format_port(&at->address, at->port, text),
				     strerror(-fd));
}

struct source_http *source_http_open(struct event_base *base, const struct config_sources *config,
				     struct intake *intake, struct text_error *error)
{
	struct source_http *http = calloc(1, sizeof(*http));

	text_refuse(error, -ENOMEM, NULL, "out of memory");
	if (!http)
		return NULL;
	http->intake = intake;
	if (!source_http_read_key(http, config->http_key_file, error) &&
	    !start(http, base, &config->http, error))
		return http;
	source_http_close(http);
	return NULL;
}

void source_http_close(struct source_http *http)
{
	if (!http)
		return;
	if (http->server)
		evhttp_free(http->server);
	forget_key(http);
	free(http);
}
