/* SPDX-License-Identifier: GPL-2.0-only */
#include "policy_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "output.h"

#define LIMIT_TEXT_BYTES 160

/* Append to what is there; what has no room is left out. */
__attribute__((format(printf, 3, 4))) static void append(char *text, size_t bytes,
							 const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, bytes - used, format, arguments);
	va_end(arguments);
}

static void source_text(const struct rule *rule, char *text, size_t bytes)
{
	char prefix[PREFIX_TEXT_BYTES];

	if (*rule->feed)
		snprintf(text, bytes, "list %s", rule->feed);
	else if (rule->prefix_count > 1)
		snprintf(text, bytes, "%zu prefixes", rule->prefix_count);
	else
		snprintf(text, bytes, "%s",
			 rule->prefix_count ? prefix_format(&rule->prefixes[0], prefix) : "any");
}

static bool has_source_rate(const struct rule *rule)
{
	return rule->per_second[RATE_SOURCE_PACKETS] || rule->per_second[RATE_SOURCE_NEW_FLOWS];
}

static bool has_usual_sources(const struct rule *rule)
{
	return rule->source_bits[FAMILY_IPV4] == RULE_SOURCE_BITS_IPV4 &&
	       rule->source_bits[FAMILY_IPV6] == RULE_SOURCE_BITS_IPV6;
}

static void limit_text(const struct rule *rule, char text[LIMIT_TEXT_BYTES])
{
	static const char *const words[RULE_RATES] = {
		[RATE_PACKETS] = "packets/s",
		[RATE_NEW_FLOWS] = "new flows/s",
		[RATE_SOURCE_PACKETS] = "packets/s each source",
		[RATE_SOURCE_NEW_FLOWS] = "new flows/s each source",
	};

	*text = '\0';
	for (int rate = 0; rate < RULE_RATES; rate++) {
		if (rule->per_second[rate])
			append(text, LIMIT_TEXT_BYTES, "%s%u %s", *text ? ", " : "",
			       rule->per_second[rate], words[rate]);
	}
	if (has_source_rate(rule) && !has_usual_sources(rule))
		append(text, LIMIT_TEXT_BYTES, " (/%u, /%u)", rule->source_bits[FAMILY_IPV4],
		       rule->source_bits[FAMILY_IPV6]);
	if (rule->burst_ms != RULE_BURST_MS_DEFAULT)
		append(text, LIMIT_TEXT_BYTES, ", burst %u ms", rule->burst_ms);
}

const char *rule_text(const struct rule *rule, char text[RULE_TEXT_BYTES])
{
	char part[LIMIT_TEXT_BYTES], prefix[PREFIX_TEXT_BYTES];

	source_text(rule, part, sizeof(part));
	snprintf(text, RULE_TEXT_BYTES, "%s %s", rule_action_name(rule->action), part);
	if (*rule->service)
		append(text, RULE_TEXT_BYTES, " for %s", rule->service);
	if (rule->has_destination)
		append(text, RULE_TEXT_BYTES, " to %s", prefix_format(&rule->destination, prefix));
	if (rule->protocol)
		append(text, RULE_TEXT_BYTES, " by %s", protocol_name(rule->protocol));
	if (rule->port)
		append(text, RULE_TEXT_BYTES, " port %u", rule->port);
	if (rule->action == RULE_LIMIT) {
		limit_text(rule, part);
		append(text, RULE_TEXT_BYTES, ": %s", part);
	}
	return text;
}

static bool applies_to(const struct rule *rule, const struct model_service *service)
{
	return (!*rule->service || !strcmp(rule->service, service->name)) &&
	       (!rule->has_destination || prefix_contains(&rule->destination, &service->vip)) &&
	       (!rule->protocol || rule->protocol == service->protocol) &&
	       (!rule->port || !service->port || rule->port == service->port);
}

/* Why no packet can match; NULL: some may. */
static const char *idle_text(const struct rule *rule, const struct model *model)
{
	if (*rule->feed && !rule->prefix_count)
		return "matches nothing: its list is empty";
	if (!rule_is_narrow(rule))
		return NULL;
	for (size_t i = 0; i < model->service_count; i++) {
		if (applies_to(rule, &model->services[i]))
			return NULL;
	}
	if (*rule->service && !model_service_find(model, rule->service))
		return "matches nothing: no such service";
	return "matches nothing: no service fits";
}

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *sources_json(const struct rule *rule)
{
	char text[PREFIX_TEXT_BYTES];
	json_t *sources = json_array();

	for (size_t i = 0; i < rule->prefix_count; i++)
		json_array_append_new(sources,
				      json_string(prefix_format(&rule->prefixes[i], text)));
	return sources;
}

static void add_limits(json_t *row, const struct rule *rule)
{
	char text[LIMIT_TEXT_BYTES], key[48];
	bool limit = rule->action == RULE_LIMIT;

	limit_text(rule, text);
	json_object_set_new(row, "limit", limit ? json_string(text) : json_null());
	for (int rate = 0; rate < RULE_RATES; rate++) {
		snprintf(key, sizeof(key), "%s_per_second", rule_rate_name(rate));
		json_object_set_new(row, key, output_number_or_null(rule->per_second[rate]));
	}
	json_object_set_new(row, "burst_ms", limit ? json_integer(rule->burst_ms) : json_null());
	limit = limit && has_source_rate(rule);
	json_object_set_new(row, "source_bits_ipv4",
			    limit ? json_integer(rule->source_bits[FAMILY_IPV4]) : json_null());
	json_object_set_new(row, "source_bits_ipv6",
			    limit ? json_integer(rule->source_bits[FAMILY_IPV6]) : json_null());
}

json_t *rule_json(const struct rule *rule, const struct model *model)
{
	char source[LIMIT_TEXT_BYTES], prefix[PREFIX_TEXT_BYTES];
	json_t *row;

	source_text(rule, source, sizeof(source));
	row = json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", rule->id,
			"action", rule_action_name(rule->action), "source", source, "prefixes",
			output_number_or_null(rule->prefix_count), "feed", text_or_null(rule->feed),
			"service", text_or_null(rule->service), "destination",
			rule->has_destination
				? json_string(prefix_format(&rule->destination, prefix))
				: json_null(),
			"port", output_number_or_null(rule->port), "proto",
			rule->protocol ? json_string(protocol_name(rule->protocol)) : json_null(),
			"comment", text_or_null(rule->comment), "note",
			text_or_null(idle_text(rule, model)));
	if (!*rule->feed)
		json_object_set_new(row, "sources", sources_json(rule));
	add_limits(row, rule);
	return row;
}
