/* SPDX-License-Identifier: GPL-2.0-only */
/* A node as the policies see it, and what they say of it. */
#include <math.h>
#include <string.h>

#include "weight_policy.h"

static enum weight_place place_of(const char *region, const struct weight_input *input)
{
	const char *theirs =
		input->report->fields & REPORT_REGION ? input->report->region : input->region;

	if (!theirs || !*theirs || !region || !*region)
		return WEIGHT_PLACE_UNKNOWN;
	return strcmp(theirs, region) ? WEIGHT_PLACE_OTHER : WEIGHT_PLACE_OWN;
}

static void read_number(struct weight_node *node, const struct report *report,
			enum report_field field, double value, double *number)
{
	if (report_has(report, field, value))
		*number = value;
	else
		node->missing |= field;
}

struct weight_node weight_node_of(const struct weight_config *config, const char *region,
				  double age_s, const struct weight_input *input)
{
	const struct report *report = input->report;
	struct weight_node node = {
		.place = place_of(region, input),
		.cpu_name = "cpu",
		.age_s = age_s,
		.base_weight = input->base_weight,
		.remembered = input->memory,
	};

	read_number(&node, report, REPORT_CPU, report->cpu_percent, &node.cpu_percent);
	read_number(&node, report, REPORT_MEM, report->mem_percent, &node.mem_percent);
	read_number(&node, report, REPORT_LATENCY, report->latency_ms, &node.latency_ms);
	if (report_has(report, REPORT_APPLICATION_UTILIZATION, report->application_utilization)) {
		node.cpu_name = "util";
		node.cpu_percent = report->application_utilization * 100;
		node.missing &= ~REPORT_CPU;
	}
	if (input->memory) {
		node.memory = *input->memory;
	} else {
		weight_observe(config, report, 0, &node.memory);
		node.missing |= ~report->fields & REPORT_LAST_SEEN;
	}
	return node;
}

void weight_say_missing(struct reason *reason, const struct weight_node *node, __u32 wanted)
{
	static const struct {
		enum report_field field;
		const char *name;
	} names[] = {
		{REPORT_LATENCY, "latency"},
		{REPORT_CPU, "cpu"},
		{REPORT_MEM, "mem"},
		{REPORT_LAST_SEEN, "last_seen"},
	};
	bool first = true;

	if (!(node->missing & wanted))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(node->missing & wanted & names[i].field))
			continue;
		reason_say(reason, first ? ", " : "/", "%s%s", first ? "no " : "", names[i].name);
		first = false;
	}
	reason_say(reason, "", " given");
}

double weight_at_least(double factor, double floor)
{
	return factor >= floor ? factor : floor;
}

void weight_say_measured(struct reason *reason, const struct weight_node *node, double factor,
			 double floor)
{
	double shown = weight_at_least(factor, floor);
	char text[NUMBER_BYTES];

	if (!(node->missing & REPORT_LATENCY))
		reason_say(reason, ", ", "latency %s ms",
			   reason_number(text, node->latency_ms, node->latency_ms < 100 ? 1 : 0));
	if (!(node->missing & REPORT_CPU))
		reason_say(reason, ", ", "%s %s%%", node->cpu_name,
			   reason_number(text, node->cpu_percent, 1));
	if (!(node->missing & REPORT_MEM))
		reason_say(reason, ", ", "mem %s%%", reason_number(text, node->mem_percent, 1));
	reason_say(reason, ": ", "x%s%s",
		   reason_number(text, shown, shown < 0.01 ? DECIMALS_MAX : 3),
		   factor >= floor ? "" : " (floor)");
	weight_say_missing(reason, node, REPORT_LATENCY | REPORT_CPU | REPORT_MEM);
}

double weight_headroom(const struct weight_node *node)
{
	return 1 - fmax(node->cpu_percent, node->mem_percent) / 100;
}
