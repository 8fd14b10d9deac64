/* SPDX-License-Identifier: GPL-2.0-only */
#include "health.h"

#include <string.h>

#include "elapsed.h"

static const struct health_config default_config = {
	.checks = 1 << HEALTH_PASSIVE,
	.fall = 3,
	.rise = 2,
	.half_open_ms = 2000,
	.retry_ms = 5000,
	.retry_max_ms = 60000,
	.passive = {.flows_min = 20,
		    .half_open_flows_min = 3,
		    .syn_retransmit_percent = 50,
		    .established_percent = 1,
		    .reset_percent = 50},
};

const struct health_config *health_config_default(void)
{
	return &default_config;
}

static bool counts(const struct health_config *config, enum health_check check)
{
	return config->checks & 1u << check;
}

static void enter(struct health *health, enum health_state state, int64_t now_ms)
{
	health->state = state;
	health->since_ms = now_ms;
	/* What was counted was of another state: it takes new successes to get further. */
	memset(health->failures, 0, sizeof(health->failures));
	memset(health->successes, 0, sizeof(health->successes));
	memset(&health->flows, 0, sizeof(health->flows));
}

static void go_down(struct health *health, const struct health_config *config,
		    enum health_check cause, int64_t now_ms)
{
	bool peace = health->state == HEALTH_UP &&
		     elapsed_ms(now_ms, health->since_ms) >= config->retry_max_ms;
	int64_t again = health->retry_ms * 2;

	/* An active check says by itself when it is over. */
	if (cause != HEALTH_PASSIVE)
		again = 0;
	else if (peace || again < config->retry_ms)
		again = config->retry_ms;
	health->retry_ms = again < config->retry_max_ms ? again : config->retry_max_ms;
	health->cause = cause;
	enter(health, HEALTH_DOWN, now_ms);
}

/* Has every active check that counts succeeded so many times in a row? */
static bool all_succeeded(const struct health *health, const struct health_config *config,
			  __u32 times)
{
	for (int check = 0; check < HEALTH_PASSIVE; check++) {
		if (counts(config, check) && health->successes[check] < times)
			return false;
	}
	return true;
}

bool health_pass_time(struct health *health, const struct health_config *config, int64_t now_ms)
{
	int64_t spent_ms;

	/* After a clock was put back, the state has just begun: late rather than never. */
	if (health->since_ms > now_ms)
		health->since_ms = now_ms;
	spent_ms = elapsed_ms(now_ms, health->since_ms);
	if (health->state == HEALTH_DOWN && spent_ms >= health->retry_ms &&
	    all_succeeded(health, config, config->rise)) {
		enter(health, HEALTH_HALF_OPEN, now_ms);
		return true;
	}
	if (health->state == HEALTH_HALF_OPEN && spent_ms >= config->half_open_ms &&
	    all_succeeded(health, config, 1)) {
		enter(health, HEALTH_UP, now_ms);
		return true;
	}
	return false;
}

static __u32 one_more(__u32 count, __u32 limit)
{
	return count < limit ? count + 1 : limit;
}

bool health_result(struct health *health, const struct health_config *config,
		   enum health_check check, bool success, int64_t now_ms)
{
	__u32 fall = health->state == HEALTH_HALF_OPEN ? 1 : config->fall;

	if (!counts(config, check))
		return false;
	if (success) {
		health->failures[check] = 0;
		health->successes[check] = one_more(health->successes[check], config->rise);
		return health_pass_time(health, config, now_ms);
	}
	health->successes[check] = 0;
	health->failures[check] = one_more(health->failures[check], config->fall);
	if (health->state == HEALTH_DOWN || health->failures[check] < fall)
		return false;
	go_down(health, config, check, now_ms);
	return true;
}

static bool flows_failed(const struct health_flows *flows, const struct health_config *config)
{
	double percent = 100.0 / flows->new_flows;
	bool unanswered = flows->established * percent < config->passive.established_percent;

	return (unanswered &&
		flows->syn_retransmits * percent >= config->passive.syn_retransmit_percent) ||
	       flows->resets * percent >= config->passive.reset_percent;
}

bool health_passive(struct health *health, const struct health_config *config,
		    const struct health_flows *flows, int64_t now_ms)
{
	bool trial = health->state == HEALTH_HALF_OPEN;
	__u64 least = trial ? config->passive.half_open_flows_min : config->passive.flows_min;
	struct health_flows *sum = &health->flows;
	bool failed;

	/* Down, what still arrives are old flows and those that were under way. */
	if (health->state == HEALTH_DOWN)
		return false;
	sum->new_flows += flows->new_flows;
	sum->syn_retransmits += flows->syn_retransmits;
	sum->resets += flows->resets;
	sum->established += flows->established;
	if (!sum->new_flows || sum->new_flows < least)
		return false;
	failed = flows_failed(sum, config);
	memset(sum, 0, sizeof(*sum));
	return health_result(health, config, HEALTH_PASSIVE, !failed, now_ms);
}

const char *health_cause(const struct health *health)
{
	static const char *const causes[HEALTH_CHECKS] = {
		[HEALTH_TCP] = "tcp check",
		[HEALTH_HTTP] = "http check",
		[HEALTH_PASSIVE] = "its flows",
	};

	return causes[health->cause];
}
