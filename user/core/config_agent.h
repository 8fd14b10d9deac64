/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a node's agent wants to know, in the same configuration. It also takes the top's region as
 * the node's, and of the services name, vip, port and proto. Everything is optional.
 *
 *	agent:
 *	  node: edge-1              # as backends name it; by default the host's name
 *	  interval_ms: 2000         # 100 to 60000 between two reports
 *	  balancers:                # up to 16; UDP ports as sources: udp has them, or unix sockets
 *	    - 10.0.0.1:9601
 *	    - "[fd00::1]:9601"
 *	    - /run/sluice/report.sock
 *	  key_file: /etc/sluice/report.key  # wanted for UDP
 *	  measure: [eth0]           # devices that the services' packets pass, up to 16
 *	  workers: 8                # 1 to 1000000 requests that the node can work on at once
 *	  application_file: /run/app/load.json  # the application's own numbers: application.h
 *	  application_max_age_ms: 10000  # 100 to 3600000: no longer believed after that
 *	  cgroup: /sys/fs/cgroup    # its limits hold for the node, if it has some; by default this
 */
#ifndef SLUICE_CORE_CONFIG_AGENT_H
#define SLUICE_CORE_CONFIG_AGENT_H

#include <stddef.h>

#include "../../maps/service.h"
#include "config_daemon.h"

#define CONFIG_BALANCERS_MAX 16

struct config_balancer {
	struct endpoint udp; /* port 0: a unix socket */
	char path[CONFIG_PATH_BYTES];
};

struct config_agent {
	char node[NAME_BYTES]; /* "": the host's name */
	unsigned int interval_ms;
	struct config_balancer balancers[CONFIG_BALANCERS_MAX];
	size_t balancer_count;
	char key_file[CONFIG_PATH_BYTES];
	char devices[CONFIG_DEVICES_MAX][CONFIG_DEVICE_BYTES];
	size_t device_count;
	unsigned int workers;                     /* 0: not known */
	char application_file[CONFIG_PATH_BYTES]; /* "": none */
	unsigned int application_max_age_ms;
	char cgroup[CONFIG_PATH_BYTES];
};

void config_agent_default(struct config_agent *agent);

/* Returns false once a value was refused. */
bool config_agent_read(struct reader *reader, const struct config_text *in,
		       struct config_agent *agent);

#endif
