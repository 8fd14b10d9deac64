/* SPDX-License-Identifier: GPL-2.0-only */
#include "http_get.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <openssl/err.h>

struct http_get {
	struct http_get_request request;
	struct evhttp_connection *connection;
	struct bufferevent *transport; /* the connection's */
	struct event *end;             /* the time is over, or the answer is there */
	int status;
	const char *why; /* NULL: nothing has happened yet */
	char reason[160];
	struct evbuffer *body;
};

void http_get_cancel(struct http_get *get)
{
	if (!get)
		return;
	if (get->connection)
		evhttp_connection_free(get->connection);
	if (get->end)
		event_free(get->end);
	if (get->body)
		evbuffer_free(get->body);
	free(get);
}

/* Not from within the library's own callbacks, which cannot bear that their connection goes away. */
static void on_end(evutil_socket_t fd, short what, void *context)
{
	struct http_get *get = context;
	size_t bytes = evbuffer_get_length(get->body);

	(void)fd;
	(void)what;
	get->request.on_answer(get->request.context, get->status,
			       get->why ? get->why : "no answer in time",
			       (const char *)evbuffer_pullup(get->body, -1), bytes);
	http_get_cancel(get);
}

static const char *reason_of(enum evhttp_request_error error)
{
	switch (error) {
	case EVREQ_HTTP_TIMEOUT:
		return "no answer in time";
	case EVREQ_HTTP_EOF:
		return "the connection was closed before the answer";
	case EVREQ_HTTP_INVALID_HEADER:
		return "the answer is not HTTP";
	case EVREQ_HTTP_DATA_TOO_LONG:
		return "the answer is too long";
	default:
		return "the connection broke";
	}
}

static void on_error(enum evhttp_request_error error, void *context)
{
	struct http_get *get = context;

	get->why = reason_of(error);
}

/* TLS knows better than "the connection was closed". */
static void explain_tls(struct http_get *get)
{
	unsigned long code = bufferevent_get_openssl_error(get->transport);
	const char *words = code ? ERR_reason_error_string(code) : NULL;

	if (!words)
		return;
	snprintf(get->reason, sizeof(get->reason), "TLS: %s", words);
	get->why = get->reason;
}

static void on_done(struct evhttp_request *request, void *context)
{
	struct http_get *get = context;

	if (request && evhttp_request_get_response_code(request)) {
		get->status = evhttp_request_get_response_code(request);
		get->why = "answered";
		evbuffer_add_buffer(get->body, evhttp_request_get_input_buffer(request));
	} else {
		/* Of a connection that did not come about the library says no more. */
		if (!get->why)
			get->why = "cannot connect";
		if (get->request.tls)
			explain_tls(get);
	}
	event_active(get->end, EV_TIMEOUT, 0);
}

static struct bufferevent *transport_new(struct event_base *base,
					 const struct http_get_request *request, const char *host)
{
	struct address ignored;
	bool named = address_parse(host, &ignored) != 0;
	SSL *tls;

	if (!request->tls)
		return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	tls = SSL_new(request->tls);
	if (!tls)
		return NULL;
	if (named)
		SSL_set_tlsext_host_name(tls, host);
	if (request->verify) {
		SSL_set_verify(tls, SSL_VERIFY_PEER, NULL);
		if (named)
			SSL_set1_host(tls, host);
		else
			X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host);
	}
	return bufferevent_openssl_socket_new(base, -1, tls, BUFFEREVENT_SSL_CONNECTING,
					      BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
}

static bool send_request(struct http_get *get)
{
	struct evhttp_request *request = evhttp_request_new(on_done, get);
	const char *host = get->request.host;
	char text[ADDRESS_TEXT_BYTES];
	struct evkeyvalq *headers;

	if (!request)
		return false;
	evhttp_request_set_error_cb(request, on_error);
	headers = evhttp_request_get_output_headers(request);
	if (!host || !*host)
		host = address_format_port(&get->request.address, get->request.port, text);
	evhttp_add_header(headers, "Host", host);
	evhttp_add_header(headers, "User-Agent", "sluice/" SLUICE_VERSION);
	evhttp_add_header(headers, "Connection", "close");
	/* On failure the request is freed, and on_done() may or may not have been called. */
	evhttp_make_request(get->connection, request, EVHTTP_REQ_GET, get->request.path);
	return true;
}

struct http_get *http_get_start(struct event_base *base, const struct http_get_request *request)
{
	struct timeval timeout = {request->timeout_ms / 1000, request->timeout_ms % 1000 * 1000};
	struct http_get *get = calloc(1, sizeof(*get));
	char text[ADDRESS_TEXT_BYTES];
	const char *host;

	if (!get)
		return NULL;
	get->request = *request;
	get->body = evbuffer_new();
	get->end = event_new(base, -1, 0, on_end, get);
	address_format(&request->address, text);
	host = request->host && *request->host ? request->host : text;
	get->transport = transport_new(base, request, host);
	if (get->transport) {
		get->connection = evhttp_connection_base_bufferevent_new(base, NULL, get->transport,
									 text, request->port);
		if (!get->connection)
			bufferevent_free(get->transport);
	}
	if (!get->body || !get->end || !get->connection || event_add(get->end, &timeout))
		goto fail;
	evhttp_connection_set_max_body_size(get->connection, request->body_bytes_max);
	if (send_request(get))
		return get;
fail:
	http_get_cancel(get);
	return NULL;
}
