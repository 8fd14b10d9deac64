/* SPDX-License-Identifier: GPL-2.0-only */
/* One GET, within a time. */
#ifndef SLUICE_IO_HTTP_GET_H
#define SLUICE_IO_HTTP_GET_H

#include <event2/event.h>
#include <openssl/ssl.h>

#include "../core/address.h"

struct http_get_request {
	struct address address;
	__u16 port;
	SSL_CTX *tls;     /* NULL: plain */
	bool verify;      /* the certificate, against the host */
	const char *host; /* "": the address */
	const char *path;
	unsigned int timeout_ms; /* for all of it */
	size_t body_bytes_max;
	/*
	 * Called once, unless cancelled. @status is 0 when there was no answer, and @why says what
	 * happened instead. The handle is gone when it returns.
	 */
	void (*on_answer)(void *context, int status, const char *why, const char *body,
			  size_t body_bytes);
	void *context;
};

struct http_get;

/* NULL: no memory; on_answer() is not called then. */
struct http_get *http_get_start(struct event_base *base, const struct http_get_request *request);
void http_get_cancel(struct http_get *get);

#endif
