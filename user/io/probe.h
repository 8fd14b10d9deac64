/* SPDX-License-Identifier: GPL-2.0-only */
/* One health check of one backend: a TCP connection, or a GET. */
#ifndef SLUICE_IO_PROBE_H
#define SLUICE_IO_PROBE_H

#include <event2/event.h>
#include <openssl/ssl.h>

#include "../core/config_daemon.h"

/* Called once, unless cancelled; the handle is gone when it returns. */
typedef void probe_result(void *context, bool success, const char *why);

struct probe;

/* NULL: no memory or sockets; nothing is called then. */
struct probe *probe_start(struct event_base *base, SSL_CTX *tls, const struct config_health *health,
			  enum config_check check, const struct address *address, __u16 port,
			  probe_result *on_result, void *context);
void probe_cancel(struct probe *probe);

#endif
