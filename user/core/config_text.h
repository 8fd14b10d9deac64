/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration as libcyaml loads it: the right keys in the right places, their values still
 * text. libcyaml's own scalars are too lenient to be of use here (1.3.1 reads any other word than
 * "false" and the like as true, 010 as 8, 80x as 80, and -1 as 2^64-1) and do not know the ranges.
 */
#ifndef SLUICE_CORE_CONFIG_TEXT_H
#define SLUICE_CORE_CONFIG_TEXT_H

#include <stddef.h>

#include "text_error.h"

/* NULL: not given. */
struct load_text {
	char *flows_per_cpu;
	char *backends_max;
	char *slots_max;
	char *seed;
	char *tunnel_source_ipv4;
	char *tunnel_source_ipv6;
	char *gue_port;
	char *icmp_rate;
};

struct control_text {
	char *load;
	char **attach;
	unsigned int attach_count;
	char *publish_ms;
};

struct sources_text {
	char *udp;
	char *key_file;
	char *clock_skew_ms;
	char *unix_path;
	char *http;
	char *http_key_file;
	char *file;
	char *pull_ms;
	char *pull_timeout_ms;
	char *pull_port;
	char *pull_path;
};

struct health_text {
	char *check;
	char *interval_ms;
	char *timeout_ms;
	char *fall;
	char *rise;
	char *port;
	char *path;
	char *host;
	char *status;
	char *verify;
	char *passive;
};

struct weights_text {
	char *policy;
	char *slow_start_ms;
	char **constants;
	unsigned int constants_count;
};

struct agent_text {
	char *node;
	char *interval_ms;
	char **balancers;
	unsigned int balancers_count;
	char *key_file;
	char **measure;
	unsigned int measure_count;
	char *workers;
	char *application_file;
	char *application_max_age_ms;
	char *cgroup;
};

struct backend_text {
	char *name;
	char *address;
	char *port;
	char *node;
	char *region;
	char *weight;
	char *state;
	char *server_id;
};

struct service_text {
	char *name;
	char *vip;
	char *port;
	char *proto;
	char *forward;
	char *slots;
	char *local_count;
	char *mss;
	char *idle;
	char *quic_server_id_bytes;
	char *priority;
	char *policy;
	struct health_text *health;
	struct backend_text *backends;
	unsigned int backends_count;
};

struct rule_text {
	char *action;
	char *source;
	char *feed;
	char *service;
	char *destination;
	char *port;
	char *proto;
	char *packets;
	char *new_flows;
	char *source_packets;
	char *source_new_flows;
	char *source_bits_ipv4;
	char *source_bits_ipv6;
	char *burst_ms;
	char *comment;
};

struct policy_text {
	char *all_traffic;
	struct rule_text *rules;
	unsigned int rules_count;
};

struct config_text {
	struct agent_text *agent;
	struct load_text *load;
	struct control_text *control;
	struct sources_text *sources;
	struct health_text *health;
	struct weights_text *weights;
	struct policy_text *policy;
	char *region;
	struct service_text *services;
	unsigned int services_count;
};

/*
 * Returns 0 with *@config to be freed by config_text_free() (NULL for an empty text), -EINVAL with
 * the line and a sentence in @error, or -ENOMEM.
 */
int config_text_load(const char *text, size_t text_bytes, struct config_text **config,
		     struct text_error *error);
void config_text_free(struct config_text *config);

/* Refuse with "@path: sentence" and the line of @path; "" is the whole text. Returns -EINVAL. */
__attribute__((format(printf, 5, 6))) int config_text_refuse(const char *text, size_t text_bytes,
							     const char *path,
							     struct text_error *error,
							     const char *format, ...);

#endif
