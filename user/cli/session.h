/* SPDX-License-Identifier: GPL-2.0-only */
/* A command's view of the state: read once, changed in memory, published whole or not at all. */
#ifndef SLUICE_CLI_SESSION_H
#define SLUICE_CLI_SESSION_H

#include "cli.h"

struct session {
	struct maps maps;
	struct model model;
};

/* Whether a load balancer is loaded there; a node's program alone is none. */
bool session_is_loaded(const struct cli *cli);

/* Open and read. Returns CLI_OK, or CLI_FAILED after the user has been told why. */
int session_open(const struct cli *cli, bool write, struct session *session);
void session_close(struct session *session);

/*
 * Ask the kernel for the way to every backend, or to those of one service, or to one backend
 * (NULL: all), and warn of those that have none.
 */
int session_resolve(struct session *session, const struct model_service *service,
		    const struct model_backend *backend);

/* Warn of a backend with another port than its service, which no packet arrives at. */
void session_warn_port(const struct model *model, const struct model_backend *backend);

/* The same of all backends; the first few by name. */
void session_warn_ports(const struct model *model);

/* Publish. Returns CLI_OK, or CLI_FAILED after the user has been told why. */
int session_publish(struct session *session);

/* Look-ups that tell the user what does not exist. NULL then. */
struct model_service *session_service(struct session *session, const char *name);
struct model_backend *session_backend(struct session *session, const struct model_service *service,
				      const char *name);

/* For attach_program(): the load balancer's object, with @cli as the context. */
struct bpf_object *session_open_object(void *cli);

#endif
