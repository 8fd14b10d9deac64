/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What only the daemon wants to know, in the same configuration. Everything is optional.
 *
 *	control:
 *	  load: true                # load where nothing is loaded; false: somebody else does
 *	  attach: [eth0]            # devices that the daemon attaches to when it starts, up to 16
 *	  publish_ms: 1000          # 50 to 60000; weights move at most that often, failures at once
 *	sources:                    # of reports; those that are not named here are off, but unix
 *	  udp: 0.0.0.0:9601         # datagrams as envelope.h has them; wants key_file
 *	  key_file: /etc/sluice/report.key
 *	  clock_skew_ms: 10000      # 100 to 3600000: how far the clock of a sender may be off
 *	  unix: /run/sluice/report.sock  # one text a datagram, or off; that path by default, its
 *	                            # directory is named like the pins'
 *	  http: 127.0.0.1:9602      # POST /v1/reports
 *	  http_key_file: /etc/sluice/http.key  # "Authorization: Bearer KEY" is then needed
 *	  file: /var/lib/sluice/reports.json   # read when somebody has written it or moved it there
 *	  pull_ms: 2000             # 100 to 3600000: ask every node that often; 0, the default: never
 *	  pull_timeout_ms: 1000     # 10 to 60000
 *	  pull_port: 80
 *	  pull_path: /health?metrics=cpu,mem
 *	health:                     # of backends; a service may have a part of the same name
 *	  check: tcp                # or http, https, none. By default tcp for TCP, none for UDP
 *	  interval_ms: 2000         # 50 to 3600000
 *	  timeout_ms: 1000          # 10 to 60000
 *	  fall: 3                   # 1 to 100 failures in a row take a backend down
 *	  rise: 2                   # 1 to 100 successes in a row bring it back
 *	  port: 8080                # by default or 0: the backend's
 *	  path: /healthz            # of http and https; / by default
 *	  host: www.example.org     # the Host field and TLS server name; the address by default
 *	  status: 200-399           # or one number
 *	  verify: true              # https: the certificate must be good; by default it need not
 *	  passive: true             # TCP: SYNs that clients repeat, none answered, are a failure
 *	weights:
 *	  policy: adaptive          # or decay, edge, probe, score; a service may name its own
 *	  slow_start_ms: 30000      # 0 to 3600000, until a backend that is new has all its weight
 *	  constants: [edge.cpu_shut_percent=90, decay.calm_alpha=0.6]  # see loop_constants.h, shed.h
 */
#ifndef SLUICE_CORE_CONFIG_DAEMON_H
#define SLUICE_CORE_CONFIG_DAEMON_H

#include <stdbool.h>
#include <stddef.h>

#include "../../maps/service.h"
#include "address.h"
#include "config_read.h"
#include "loop.h"
#include "shed.h"
#include "weight.h"

#define CONFIG_DEVICES_MAX  16
#define CONFIG_DEVICE_BYTES 16

struct endpoint {
	struct address address;
	__u16 port; /* host order; 0: off */
};

struct config_control {
	bool load;
	char devices[CONFIG_DEVICES_MAX][CONFIG_DEVICE_BYTES];
	size_t device_count;
	unsigned int publish_ms;
};

struct config_sources {
	struct endpoint udp;
	struct endpoint http;
	unsigned int clock_skew_ms;
	unsigned int pull_ms; /* 0: off */
	unsigned int pull_timeout_ms;
	unsigned int pull_port;
	char key_file[CONFIG_PATH_BYTES];
	char http_key_file[CONFIG_PATH_BYTES];
	char unix_path[CONFIG_PATH_BYTES]; /* "": the default; "off" */
	char file[CONFIG_PATH_BYTES];
	char pull_path[CONFIG_PATH_BYTES];
};

enum config_check {
	CHECK_DEFAULT, /* tcp for TCP, none for UDP */
	CHECK_NONE,
	CHECK_TCP,
	CHECK_HTTP,
	CHECK_HTTPS,
};

struct config_health {
	enum config_check check;
	unsigned int interval_ms;
	unsigned int timeout_ms;
	unsigned int fall;
	unsigned int rise;
	unsigned int port; /* 0: the backend's */
	unsigned int status_min;
	unsigned int status_max;
	bool verify;
	bool passive;
	char path[CONFIG_PATH_BYTES];
	char host[CONFIG_PATH_BYTES]; /* "": the address */
};

/* What a service has of its own. */
struct config_service {
	char name[NAME_BYTES];
	enum weight_policy policy;
	struct config_health health;
};

struct config_daemon {
	struct config_control control;
	struct config_sources sources;
	struct config_health health;
	enum weight_policy policy;
	unsigned int slow_start_ms;
	struct loop_config loop;
	struct shed_config shed;
	struct config_service *services;
	size_t service_count;
};

struct config_text;

void config_daemon_default(struct config_daemon *daemon);

/*
 * Fill in @daemon, which has its defaults, from @in. Returns 0 with @daemon to be freed by
 * config_daemon_free(), -EINVAL once a value was refused, or -ENOMEM.
 */
int config_daemon_read(struct reader *reader, const struct config_text *in,
		       struct config_daemon *daemon);
void config_daemon_free(struct config_daemon *daemon);

/* What holds for a service: its own part, or what the configuration says for all. */
const struct config_health *config_health_of(const struct config_daemon *daemon,
					     const char *service);
enum weight_policy config_policy_of(const struct config_daemon *daemon, const char *service);

#endif
