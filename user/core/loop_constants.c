/* SPDX-License-Identifier: GPL-2.0-only */
#include "loop_constants.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 1e9

static const struct constant {
	const char *name;
	size_t offset;
	bool whole; /* 64 bits, else a double */
} constants[] = {
#define REAL(name, member)                                        \
	{                                                         \
		name, offsetof(struct loop_config, member), false \
	}
#define WHOLE(name, member)                                      \
	{                                                        \
		name, offsetof(struct loop_config, member), true \
	}
	REAL("deadband_percent", deadband_percent),
	REAL("slow_start_floor", slow_start_floor),
	REAL("half_open_factor", half_open_factor),
	REAL("age.stale_s", weight.age.stale_s),
	REAL("age.forget_s", weight.age.forget_s),
	REAL("edge.latency_slow_ms", weight.edge.latency_slow_ms),
	REAL("edge.latency_factor", weight.edge.latency_factor),
	REAL("edge.cpu_busy_percent", weight.edge.cpu_busy_percent),
	REAL("edge.cpu_factor", weight.edge.cpu_factor),
	REAL("edge.region_bonus", weight.edge.region_bonus),
	REAL("edge.floor", weight.edge.floor),
	REAL("edge.cpu_shut_percent", weight.edge.cpu_shut_percent),
	REAL("edge.stale_s", weight.edge.stale_s),
	REAL("probe.latency_scale_ms", weight.probe.latency_scale_ms),
	REAL("probe.floor", weight.probe.floor),
	REAL("score.geo_part", weight.score.geo_part),
	REAL("score.rtt_part", weight.score.rtt_part),
	REAL("score.health_part", weight.score.health_part),
	REAL("score.rtt_scale_ms", weight.score.rtt_scale_ms),
	REAL("score.far_geo", weight.score.far_geo),
	REAL("score.floor", weight.score.floor),
	REAL("adaptive.exponent", weight.adaptive.exponent),
	REAL("adaptive.floor", weight.adaptive.floor),
	REAL("adaptive.ceiling", weight.adaptive.ceiling),
	REAL("adaptive.capacity_span", weight.adaptive.capacity_span),
	REAL("adaptive.base_pull", weight.adaptive.base_pull),
	REAL("adaptive.latency_slack", weight.adaptive.latency_slack),
	REAL("adaptive.latency_exponent", weight.adaptive.latency_exponent),
	REAL("adaptive.latency_floor", weight.adaptive.latency_floor),
	REAL("adaptive.latency_doubt", weight.adaptive.latency_doubt),
	REAL("adaptive.crowded_from", weight.adaptive.crowded_from),
	REAL("adaptive.crowded_until", weight.adaptive.crowded_until),
	REAL("decay.calm_alpha", weight.decay.calm_alpha),
	REAL("decay.normal_alpha", weight.decay.normal_alpha),
	REAL("decay.harsh_alpha", weight.decay.harsh_alpha),
	REAL("decay.calm_below", weight.decay.calm_below),
	REAL("decay.normal_from", weight.decay.normal_from),
	REAL("decay.harsh_above", weight.decay.harsh_above),
	REAL("decay.harsh_after_ms", weight.decay.harsh_after_ms),
	REAL("decay.floor", weight.decay.floor),
	REAL("congestion.retransmit_percent", congestion.retransmit_percent),
	REAL("congestion.rtt_deviation", congestion.rtt_deviation),
	WHOLE("congestion.degrade_ms", congestion.degrade_ms),
	WHOLE("congestion.again_ms", congestion.again_ms),
	WHOLE("congestion.recover_ms", congestion.recover_ms),
	WHOLE("health.half_open_ms", health.half_open_ms),
	WHOLE("health.retry_ms", health.retry_ms),
	WHOLE("health.retry_max_ms", health.retry_max_ms),
	WHOLE("passive.flows_min", health.passive.flows_min),
	WHOLE("passive.half_open_flows_min", health.passive.half_open_flows_min),
	REAL("passive.syn_retransmit_percent", health.passive.syn_retransmit_percent),
	REAL("passive.established_percent", health.passive.established_percent),
	REAL("passive.reset_percent", health.passive.reset_percent),
#undef REAL
#undef WHOLE
};

static const struct constant *find(const char *name, size_t name_bytes)
{
	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
		if (strlen(constants[i].name) == name_bytes &&
		    !memcmp(constants[i].name, name, name_bytes))
			return &constants[i];
	}
	return NULL;
}

int loop_constant_set(struct loop_config *config, const char *assignment, struct text_error *error)
{
	size_t name_bytes = strcspn(assignment, "=");
	const struct constant *constant = find(assignment, name_bytes);
	const char *text = assignment + name_bytes + 1;
	double number;
	char *end;

	if (!constant || !assignment[name_bytes])
		return text_refuse(error, -EINVAL, NULL,
				   "got \"%.40s\", expected NAME=NUMBER, such as "
				   "edge.cpu_shut_percent=85, of the policies' constants",
				   assignment);
	number = strtod(text, &end);
	/* Digits first: no sign, no hexadecimal, no infinity; written so that NaN fails as well. */
	if (*text < '0' || *text > '9' || text[1] == 'x' || text[1] == 'X' || *end ||
	    !(number <= NUMBER_MAX) || (constant->whole && number != floor(number)))
		return text_refuse(error, -EINVAL, NULL,
				   "got \"%.40s\", expected %s from 0 to 1000000000", assignment,
				   constant->whole ? "a whole number" : "a number");
	if (constant->whole)
		*(int64_t *)((char *)config + constant->offset) = number;
	else
		*(double *)((char *)config + constant->offset) = number;
	return 0;
}
