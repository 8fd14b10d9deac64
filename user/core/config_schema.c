/* SPDX-License-Identifier: GPL-2.0-only */
#include "config_schema.h"

#include <stdbool.h>
#include <string.h>

#include "config_text.h"

/* A macro, since only that is a constant to initialise with. */
#define TEXT(key, flags, type, member) \
	CYAML_FIELD_STRING_PTR(key, flags, type, member, 0, CYAML_UNLIMITED)

/* A list or map without anything in it ("backends:" and a line end) is as good as none. */
#define EMPTY_IS_NONE (CYAML_FLAG_POINTER_NULL_STR | CYAML_FLAG_OPTIONAL)

static const cyaml_schema_field_t load_fields[] = {
	TEXT("flows_per_cpu", CYAML_FLAG_OPTIONAL, struct load_text, flows_per_cpu),
	TEXT("backends_max", CYAML_FLAG_OPTIONAL, struct load_text, backends_max),
	TEXT("slots_max", CYAML_FLAG_OPTIONAL, struct load_text, slots_max),
	TEXT("seed", CYAML_FLAG_OPTIONAL, struct load_text, seed),
	TEXT("tunnel_source_ipv4", CYAML_FLAG_OPTIONAL, struct load_text, tunnel_source_ipv4),
	TEXT("tunnel_source_ipv6", CYAML_FLAG_OPTIONAL, struct load_text, tunnel_source_ipv6),
	TEXT("gue_port", CYAML_FLAG_OPTIONAL, struct load_text, gue_port),
	TEXT("icmp_rate", CYAML_FLAG_OPTIONAL, struct load_text, icmp_rate),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t word_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t control_fields[] = {
	TEXT("load", CYAML_FLAG_OPTIONAL, struct control_text, load),
	CYAML_FIELD_SEQUENCE("attach", EMPTY_IS_NONE, struct control_text, attach, &word_schema, 0,
			     CYAML_UNLIMITED),
	TEXT("publish_ms", CYAML_FLAG_OPTIONAL, struct control_text, publish_ms),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t sources_fields[] = {
	TEXT("udp", CYAML_FLAG_OPTIONAL, struct sources_text, udp),
	TEXT("key_file", CYAML_FLAG_OPTIONAL, struct sources_text, key_file),
	TEXT("clock_skew_ms", CYAML_FLAG_OPTIONAL, struct sources_text, clock_skew_ms),
	TEXT("unix", CYAML_FLAG_OPTIONAL, struct sources_text, unix_path),
	TEXT("http", CYAML_FLAG_OPTIONAL, struct sources_text, http),
	TEXT("http_key_file", CYAML_FLAG_OPTIONAL, struct sources_text, http_key_file),
	TEXT("file", CYAML_FLAG_OPTIONAL, struct sources_text, file),
	TEXT("pull_ms", CYAML_FLAG_OPTIONAL, struct sources_text, pull_ms),
	TEXT("pull_timeout_ms", CYAML_FLAG_OPTIONAL, struct sources_text, pull_timeout_ms),
	TEXT("pull_port", CYAML_FLAG_OPTIONAL, struct sources_text, pull_port),
	TEXT("pull_path", CYAML_FLAG_OPTIONAL, struct sources_text, pull_path),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t health_fields[] = {
	TEXT("check", CYAML_FLAG_OPTIONAL, struct health_text, check),
	TEXT("interval_ms", CYAML_FLAG_OPTIONAL, struct health_text, interval_ms),
	TEXT("timeout_ms", CYAML_FLAG_OPTIONAL, struct health_text, timeout_ms),
	TEXT("fall", CYAML_FLAG_OPTIONAL, struct health_text, fall),
	TEXT("rise", CYAML_FLAG_OPTIONAL, struct health_text, rise),
	TEXT("port", CYAML_FLAG_OPTIONAL, struct health_text, port),
	TEXT("path", CYAML_FLAG_OPTIONAL, struct health_text, path),
	TEXT("host", CYAML_FLAG_OPTIONAL, struct health_text, host),
	TEXT("status", CYAML_FLAG_OPTIONAL, struct health_text, status),
	TEXT("verify", CYAML_FLAG_OPTIONAL, struct health_text, verify),
	TEXT("passive", CYAML_FLAG_OPTIONAL, struct health_text, passive),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t weights_fields[] = {
	TEXT("policy", CYAML_FLAG_OPTIONAL, struct weights_text, policy),
	TEXT("slow_start_ms", CYAML_FLAG_OPTIONAL, struct weights_text, slow_start_ms),
	CYAML_FIELD_SEQUENCE("constants", EMPTY_IS_NONE, struct weights_text, constants,
			     &word_schema, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t agent_fields[] = {
	TEXT("node", CYAML_FLAG_OPTIONAL, struct agent_text, node),
	TEXT("interval_ms", CYAML_FLAG_OPTIONAL, struct agent_text, interval_ms),
	CYAML_FIELD_SEQUENCE("balancers", EMPTY_IS_NONE, struct agent_text, balancers, &word_schema,
			     0, CYAML_UNLIMITED),
	TEXT("key_file", CYAML_FLAG_OPTIONAL, struct agent_text, key_file),
	CYAML_FIELD_SEQUENCE("measure", EMPTY_IS_NONE, struct agent_text, measure, &word_schema, 0,
			     CYAML_UNLIMITED),
	TEXT("workers", CYAML_FLAG_OPTIONAL, struct agent_text, workers),
	TEXT("application_file", CYAML_FLAG_OPTIONAL, struct agent_text, application_file),
	TEXT("application_max_age_ms", CYAML_FLAG_OPTIONAL, struct agent_text,
	     application_max_age_ms),
	TEXT("cgroup", CYAML_FLAG_OPTIONAL, struct agent_text, cgroup),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t backend_fields[] = {
	TEXT("name", CYAML_FLAG_DEFAULT, struct backend_text, name),
	TEXT("address", CYAML_FLAG_DEFAULT, struct backend_text, address),
	TEXT("port", CYAML_FLAG_OPTIONAL, struct backend_text, port),
	TEXT("node", CYAML_FLAG_OPTIONAL, struct backend_text, node),
	TEXT("region", CYAML_FLAG_OPTIONAL, struct backend_text, region),
	TEXT("weight", CYAML_FLAG_OPTIONAL, struct backend_text, weight),
	TEXT("state", CYAML_FLAG_OPTIONAL, struct backend_text, state),
	TEXT("server_id", CYAML_FLAG_OPTIONAL, struct backend_text, server_id),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t backend_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct backend_text, backend_fields),
};

static const cyaml_schema_field_t service_fields[] = {
	TEXT("name", CYAML_FLAG_DEFAULT, struct service_text, name),
	TEXT("vip", CYAML_FLAG_DEFAULT, struct service_text, vip),
	TEXT("port", CYAML_FLAG_DEFAULT, struct service_text, port),
	TEXT("proto", CYAML_FLAG_DEFAULT, struct service_text, proto),
	TEXT("forward", CYAML_FLAG_OPTIONAL, struct service_text, forward),
	TEXT("slots", CYAML_FLAG_OPTIONAL, struct service_text, slots),
	TEXT("local_count", CYAML_FLAG_OPTIONAL, struct service_text, local_count),
	TEXT("mss", CYAML_FLAG_OPTIONAL, struct service_text, mss),
	TEXT("idle", CYAML_FLAG_OPTIONAL, struct service_text, idle),
	TEXT("quic_server_id_bytes", CYAML_FLAG_OPTIONAL, struct service_text,
	     quic_server_id_bytes),
	TEXT("priority", CYAML_FLAG_OPTIONAL, struct service_text, priority),
	TEXT("policy", CYAML_FLAG_OPTIONAL, struct service_text, policy),
	CYAML_FIELD_MAPPING_PTR("health", EMPTY_IS_NONE, struct service_text, health,
				health_fields),
	CYAML_FIELD_SEQUENCE("backends", EMPTY_IS_NONE, struct service_text, backends,
			     &backend_schema, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t service_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct service_text, service_fields),
};

static const cyaml_schema_field_t rule_fields[] = {
	TEXT("action", CYAML_FLAG_DEFAULT, struct rule_text, action),
	TEXT("source", CYAML_FLAG_OPTIONAL, struct rule_text, source),
	TEXT("feed", CYAML_FLAG_OPTIONAL, struct rule_text, feed),
	TEXT("service", CYAML_FLAG_OPTIONAL, struct rule_text, service),
	TEXT("destination", CYAML_FLAG_OPTIONAL, struct rule_text, destination),
	TEXT("port", CYAML_FLAG_OPTIONAL, struct rule_text, port),
	TEXT("proto", CYAML_FLAG_OPTIONAL, struct rule_text, proto),
	TEXT("packets", CYAML_FLAG_OPTIONAL, struct rule_text, packets),
	TEXT("new_flows", CYAML_FLAG_OPTIONAL, struct rule_text, new_flows),
	TEXT("source_packets", CYAML_FLAG_OPTIONAL, struct rule_text, source_packets),
	TEXT("source_new_flows", CYAML_FLAG_OPTIONAL, struct rule_text, source_new_flows),
	TEXT("source_bits_ipv4", CYAML_FLAG_OPTIONAL, struct rule_text, source_bits_ipv4),
	TEXT("source_bits_ipv6", CYAML_FLAG_OPTIONAL, struct rule_text, source_bits_ipv6),
	TEXT("burst_ms", CYAML_FLAG_OPTIONAL, struct rule_text, burst_ms),
	TEXT("comment", CYAML_FLAG_OPTIONAL, struct rule_text, comment),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t rule_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rule_text, rule_fields),
};

static const cyaml_schema_field_t policy_fields[] = {
	TEXT("all_traffic", CYAML_FLAG_OPTIONAL, struct policy_text, all_traffic),
	CYAML_FIELD_SEQUENCE("rules", EMPTY_IS_NONE, struct policy_text, rules, &rule_schema, 0,
			     CYAML_UNLIMITED),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t config_fields[] = {
	CYAML_FIELD_MAPPING_PTR("load", EMPTY_IS_NONE, struct config_text, load, load_fields),
	CYAML_FIELD_MAPPING_PTR("control", EMPTY_IS_NONE, struct config_text, control,
				control_fields),
	CYAML_FIELD_MAPPING_PTR("sources", EMPTY_IS_NONE, struct config_text, sources,
				sources_fields),
	CYAML_FIELD_MAPPING_PTR("agent", EMPTY_IS_NONE, struct config_text, agent, agent_fields),
	CYAML_FIELD_MAPPING_PTR("health", EMPTY_IS_NONE, struct config_text, health, health_fields),
	CYAML_FIELD_MAPPING_PTR("weights", EMPTY_IS_NONE, struct config_text, weights,
				weights_fields),
	CYAML_FIELD_MAPPING_PTR("policy", EMPTY_IS_NONE, struct config_text, policy, policy_fields),
	TEXT("region", CYAML_FLAG_OPTIONAL, struct config_text, region),
	CYAML_FIELD_SEQUENCE("services", EMPTY_IS_NONE, struct config_text, services,
			     &service_schema, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER_NULL_STR, struct config_text, config_fields),
};

static bool ends_with(const char *path, const char *part)
{
	size_t path_bytes = strlen(path), part_bytes = strlen(part);

	return path_bytes >= part_bytes && !strcmp(path + path_bytes - part_bytes, part);
}

const cyaml_schema_field_t *config_schema_fields(const char *path)
{
	if (!*path)
		return config_fields;
	if (!strcmp(path, "load"))
		return load_fields;
	if (!strcmp(path, "control"))
		return control_fields;
	if (!strcmp(path, "sources"))
		return sources_fields;
	if (!strcmp(path, "agent"))
		return agent_fields;
	if (!strcmp(path, "weights"))
		return weights_fields;
	if (!strcmp(path, "policy"))
		return policy_fields;
	if (!strncmp(path, "policy.rules[", strlen("policy.rules[")))
		return rule_fields;
	if (ends_with(path, "health"))
		return health_fields;
	return strstr(path, ".backends[") ? backend_fields : service_fields;
}
