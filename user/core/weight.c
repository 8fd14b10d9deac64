/* SPDX-License-Identifier: GPL-2.0-only */
#include "weight.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct weight_config default_config = {
	.edge = {.latency_slow_ms = 50,
		 .latency_factor = 0.5,
		 .cpu_busy_percent = 65,
		 .cpu_factor = 0.7,
		 .region_bonus = 0.3,
		 .floor = 0.01,
		 .cpu_shut_percent = 85,
		 .stale_s = 10},
	.probe = {.latency_scale_ms = 100, .floor = 0.01},
	.score = {.geo_part = 0.40,
		  .rtt_part = 0.45,
		  .health_part = 0.15,
		  .rtt_scale_ms = 50,
		  .far_geo = 0,
		  .floor = 0.01},
};

const struct weight_config *weight_config_default(void)
{
	return &default_config;
}

/* Long enough for anything that is said; cut to size at the end. */
struct reason {
	char text[256];
};

/* Add to the reason, behind @separator unless it is the first thing said. */
__attribute__((format(printf, 3, 4))) static void say(struct reason *reason, const char *separator,
						      const char *format, ...)
{
	size_t used = strlen(reason->text);
	va_list args;

	if (used)
		used += snprintf(reason->text + used, sizeof(reason->text) - used, "%s", separator);
	if (used >= sizeof(reason->text))
		return;
	va_start(args, format);
	vsnprintf(reason->text + used, sizeof(reason->text) - used, format, args);
	va_end(args);
}

static void reason_store(const struct reason *reason, char text[REASON_BYTES])
{
	static const char sign[] = " ...";
	size_t end = strlen(reason->text);

	if (end < REASON_BYTES) {
		memcpy(text, reason->text, end + 1);
		return;
	}
	end = REASON_BYTES - sizeof(sign);
	while (end && reason->text[end] != ' ')
		end--;
	memcpy(text, reason->text, end);
	memcpy(text + end, sign, sizeof(sign));
}

#define NUMBER_BYTES 32
#define DECIMALS_MAX 6

static const double powers[DECIMALS_MAX + 1] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};

/* A number for @reason, rounded, without trailing zeros. printf's %f would follow the locale. */
static const char *number(char text[NUMBER_BYTES], double value, int decimals)
{
	/* The limit, which no report reaches, keeps llround() from overflowing. */
	long long digits = llround(fmin(fabs(value), 1e12) * powers[decimals]);
	long long scale = llround(powers[decimals]);

	for (; decimals && digits % 10 == 0; decimals--) {
		digits /= 10;
		scale /= 10;
	}
	snprintf(text, NUMBER_BYTES, decimals ? "%s%lld.%0*lld" : "%s%lld", value < 0 ? "-" : "",
		 digits / scale, decimals, digits % scale);
	return text;
}

static bool same_side(double a, double b, double threshold)
{
	return (a > threshold) == (b > threshold) && (a < threshold) == (b < threshold);
}

/*
 * A number that was compared with two thresholds, with as many decimals as it takes to see on which
 * side of them it is: 50.001 must not read "50 > 50".
 */
static const char *compared(char text[NUMBER_BYTES], double value, double low, double high)
{
	int decimals;

	for (decimals = 0; decimals < DECIMALS_MAX; decimals++) {
		double shown = round(value * powers[decimals]) / powers[decimals];

		if (same_side(shown, value, low) && same_side(shown, value, high))
			break;
	}
	return number(text, value, decimals);
}

enum place {
	PLACE_UNKNOWN,
	PLACE_OWN,
	PLACE_OTHER,
};

/* A node as its report has it, what is missing taken as the best case. */
struct node {
	enum place place;
	__u32 missing; /* enum report_field */
	double cpu_percent;
	double mem_percent;
	double latency_ms;
	double age_s;
};

static enum place place_of(const char *region, const struct weight_input *input)
{
	const char *theirs =
		input->report->fields & REPORT_REGION ? input->report->region : input->region;

	if (!theirs || !*theirs || !region || !*region)
		return PLACE_UNKNOWN;
	return strcmp(theirs, region) ? PLACE_OTHER : PLACE_OWN;
}

static struct node node_of(const char *region, int64_t now_ms, const struct weight_input *input)
{
	const struct report *report = input->report;
	struct node node = {.place = place_of(region, input), .missing = ~report->fields};

	if (report->fields & REPORT_CPU)
		node.cpu_percent = report->cpu_percent;
	if (report->fields & REPORT_MEM)
		node.mem_percent = report->mem_percent;
	if (report->fields & REPORT_LATENCY)
		node.latency_ms = report->latency_ms;
	if (report->fields & REPORT_LAST_SEEN)
		node.age_s = (now_ms - report->last_seen_ms) / 1000.0;
	return node;
}

/* "no cpu/last_seen given", for those of @wanted that are missing. */
static void say_missing(struct reason *reason, const struct node *node, __u32 wanted)
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
		say(reason, first ? ", " : "/", "%s%s", first ? "no " : "", names[i].name);
		first = false;
	}
	say(reason, "", " given");
}

/* Also for a factor that a strange configuration made NaN. */
static double at_least(double factor, double floor)
{
	return factor >= floor ? factor : floor;
}

/* The reason why a node gets nothing, if there is one. */
static bool edge_shuts(const struct weight_config *config, const struct node *node,
		       struct reason *reason)
{
	const typeof(config->edge) *edge = &config->edge;
	char got[NUMBER_BYTES], limit[NUMBER_BYTES];

	/* First: what a stale report says of the CPU is stale as well. */
	if (node->age_s > edge->stale_s)
		say(reason, "", "report %s s old > %s: weight 0",
		    compared(got, node->age_s, edge->stale_s, edge->stale_s),
		    number(limit, edge->stale_s, 3));
	else if (node->cpu_percent >= edge->cpu_shut_percent)
		say(reason, "", "cpu %s%% >= %s: weight 0",
		    compared(got, node->cpu_percent, edge->cpu_shut_percent,
			     edge->cpu_shut_percent),
		    number(limit, edge->cpu_shut_percent, 3));
	else
		return false;
	return true;
}

static double edge_penalties(const struct weight_config *config, const struct node *node,
			     struct reason *reason)
{
	char got[NUMBER_BYTES], limit[NUMBER_BYTES], times[NUMBER_BYTES];
	const typeof(config->edge) *edge = &config->edge;
	double factor = 1;

	if (node->latency_ms > edge->latency_slow_ms) {
		factor *= edge->latency_factor;
		say(reason, ", ", "latency %s ms > %s: x%s",
		    compared(got, node->latency_ms, edge->latency_slow_ms, edge->latency_slow_ms),
		    number(limit, edge->latency_slow_ms, 3),
		    number(times, edge->latency_factor, 3));
	}
	if (node->cpu_percent >= edge->cpu_busy_percent) {
		factor *= edge->cpu_factor;
		say(reason, ", ", "cpu %s%% >= %s: x%s",
		    compared(got, node->cpu_percent, edge->cpu_busy_percent,
			     edge->cpu_shut_percent),
		    number(limit, edge->cpu_busy_percent, 3), number(times, edge->cpu_factor, 3));
	}
	return factor;
}

static double edge_factor(const struct weight_config *config, const struct node *node,
			  struct reason *reason)
{
	const __u32 wanted = REPORT_LATENCY | REPORT_CPU | REPORT_LAST_SEEN;
	bool own = node->place == PLACE_OWN;
	char text[NUMBER_BYTES];
	double factor;
	bool penalised;

	if (edge_shuts(config, node, reason))
		return 0;
	factor = edge_penalties(config, node, reason);
	penalised = reason->text[0];
	if (own)
		factor += config->edge.region_bonus;

	if (penalised && own)
		say(reason, ", ", "region +%s", number(text, config->edge.region_bonus, 3));
	if (!penalised && !(node->missing & wanted))
		say(reason, "", "healthy");
	say_missing(reason, node, wanted);
	if (!penalised)
		say(reason, "", "%s: x%s", own ? ", own region" : "", number(text, factor, 3));
	if (!(factor >= config->edge.floor))
		say(reason, ", ", "floor x%s", number(text, config->edge.floor, DECIMALS_MAX));
	return at_least(factor, config->edge.floor);
}

/* What was measured, then the factor that came out, then what was not measured. */
static void say_measured(struct reason *reason, const struct node *node, double factor,
			 double floor)
{
	double shown = at_least(factor, floor);
	char text[NUMBER_BYTES];

	if (!(node->missing & REPORT_LATENCY))
		say(reason, ", ", "latency %s ms",
		    number(text, node->latency_ms, node->latency_ms < 100 ? 1 : 0));
	if (!(node->missing & REPORT_CPU))
		say(reason, ", ", "cpu %s%%", number(text, node->cpu_percent, 1));
	if (!(node->missing & REPORT_MEM))
		say(reason, ", ", "mem %s%%", number(text, node->mem_percent, 1));
	say(reason, ": ", "x%s%s", number(text, shown, shown < 0.01 ? DECIMALS_MAX : 3),
	    factor >= floor ? "" : " (floor)");
	say_missing(reason, node, REPORT_LATENCY | REPORT_CPU | REPORT_MEM);
}

static double headroom(const struct node *node)
{
	return 1 - fmax(node->cpu_percent, node->mem_percent) / 100;
}

static double probe_factor(const struct weight_config *config, const struct node *node,
			   struct reason *reason)
{
	double factor = headroom(node) * exp(-node->latency_ms / config->probe.latency_scale_ms);

	say_measured(reason, node, factor, config->probe.floor);
	return at_least(factor, config->probe.floor);
}

static double score_factor(const struct weight_config *config, const struct node *node,
			   struct reason *reason)
{
	static const char *const places[] = {
		[PLACE_UNKNOWN] = "no region",
		[PLACE_OWN] = "own region",
		[PLACE_OTHER] = "other region",
	};
	const typeof(config->score) *score = &config->score;
	double geo = node->place == PLACE_OTHER ? score->far_geo : 1;
	double rtt = score->rtt_scale_ms / (score->rtt_scale_ms + node->latency_ms);
	double factor =
		score->geo_part * geo + score->rtt_part * rtt + score->health_part * headroom(node);

	say(reason, "", "%s", places[node->place]);
	say_measured(reason, node, factor, score->floor);
	return at_least(factor, score->floor);
}

static const struct {
	const char *name;
	/* The factor of the base weight; 0 shuts the node out. */
	double (*factor)(const struct weight_config *config, const struct node *node,
			 struct reason *reason);
} policies[WEIGHT_POLICIES] = {
	[WEIGHT_EDGE] = {"edge", edge_factor},
	[WEIGHT_PROBE] = {"probe", probe_factor},
	[WEIGHT_SCORE] = {"score", score_factor},
};

int weight_policy_parse(const char *name, enum weight_policy *policy)
{
	for (int i = 0; i < WEIGHT_POLICIES; i++) {
		if (!strcmp(name, policies[i].name)) {
			*policy = i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *weight_policy_name(enum weight_policy policy)
{
	return policies[policy].name;
}

static __u32 weight_of(__u16 base_weight, double factor)
{
	double milli = round(base_weight * factor * WEIGHT_MILLI);

	if (!base_weight || !(factor > 0))
		return 0;
	return fmin(fmax(milli, 1), UINT32_MAX);
}

void weight_decide(enum weight_policy policy, const struct weight_config *config,
		   const char *region, int64_t now_ms, const struct weight_input *inputs,
		   size_t count, struct weight_decision *decisions)
{
	for (size_t i = 0; i < count; i++) {
		const struct weight_input *input = &inputs[i];
		struct weight_decision *decision = &decisions[i];
		struct reason reason = {""};
		struct node node;

		if (!input->base_weight) {
			decision->weight_milli = 0;
			say(&reason, "", "base weight 0");
		} else if (!input->report) {
			decision->weight_milli = input->weight_milli;
			say(&reason, "", "no report from its node");
		} else {
			node = node_of(region, now_ms, input);
			decision->weight_milli =
				weight_of(input->base_weight,
					  policies[policy].factor(config, &node, &reason));
		}
		decision->changed = decision->weight_milli != input->weight_milli;
		reason_store(&reason, decision->reason);
	}
}
