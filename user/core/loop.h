/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The closed loop: takes in what happens (reports, results of checks, what flows showed, the
 * passing of time) and says what each backend's weight and state should be, why, and when that is
 * worth a publication. No I/O and no clock: now_ms is CLOCK_MONOTONIC, unix_ms Unix time. Either
 * may be put, and time that the caller was held up blames nobody.
 */
#ifndef SLUICE_CORE_LOOP_H
#define SLUICE_CORE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "../../maps/backend.h"
#include "congestion.h"
#include "health.h"
#include "latest.h"
#include "weight.h"

struct loop_config {
	struct weight_config weight;
	struct congestion_config congestion;
	struct latest_config latest;
	/* For whoever makes services: of every one, but for its checks, fall and rise. */
	struct health_config health;
	double deadband_percent;     /* a weight closer than this to the published one stays */
	int64_t publish_interval_ms; /* at least, between publications, but for failures */
	double slow_start_floor;     /* the factor that a slow start begins at */
	double half_open_factor;     /* for flows enough to see whether they are answered */
	int64_t step_max_ms;         /* a longer time between two calls counts as this */
};

/* deadband 5 %, every second at most, slow start from 0.05, half-open 0.02, steps of 5 s. */
struct loop_config loop_config_default(void);

#define LOOP_SLOW_START_DEFAULT_MS 30000

/* How often to tick. Failures are also worth a tick of their own. */
#define LOOP_TICK_MS 100

struct loop_service {
	__u16 id;
	enum weight_policy policy;
	int64_t slow_start_ms; /* 0: at once */
	struct health_config health;
};

struct loop_backend {
	__u16 id;      /* not 0; no two are the same */
	__u16 service; /* id */
	const char *node;
	const char *region; /* NULL or "": none */
	__u16 base_weight;
	__u32 weight_milli;       /* as published */
	enum backend_state state; /* UP, DRAIN or DOWN, as the operator set it */
	bool reachable;
};

struct loop_decision {
	__u32 weight_milli;
	enum backend_state state; /* the operator's, or DOWN for one that is up and not healthy */
	char reason[REASON_BYTES];
};

struct loop;

/* NULL: no memory. It knows nobody before the first loop_reload(). */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/*
 * Take over constants, services and backends as a whole; the backends of a service are together.
 * What is known of backends that stay (by id, service and node) stays known. Those that are new
 * start slowly, but for the first call, which finds them at work. Whose state returns to UP starts
 * slowly too. Returns 0, -ENOENT (a backend's service is not there), -EINVAL (an id of 0, or twice)
 * or -ENOMEM, and then nothing has changed.
 */
int loop_reload(struct loop *loop, const struct loop_config *config, const char *region,
		const struct loop_service *services, size_t service_count,
		const struct loop_backend *backends, size_t backend_count, int64_t now_ms);

/* Events. Backends that are not known are ignored. */
enum latest_verdict loop_report(struct loop *loop, const struct report *report, int64_t now_ms,
				int64_t unix_ms);
void loop_check(struct loop *loop, __u16 backend, enum health_check check, bool success,
		int64_t now_ms);
void loop_flows(struct loop *loop, __u16 backend, const struct health_flows *flows, int64_t now_ms);

/*
 * Decide. Returns whether the decisions are worth a publication now: some differ from what was
 * published, and it has been long enough, or it is a failure (a state or a weight of 0 changes).
 * Long enough is the publication interval at the tick that comes closest, which may be the one half
 * of LOOP_TICK_MS before.
 */
bool loop_tick(struct loop *loop, int64_t now_ms);

/* What the last tick decided of a backend; NULL if it is not known. */
const struct loop_decision *loop_decision(const struct loop *loop, __u16 backend);

/*
 * How full a service's nodes are (1: full) by their last reports, not averaged, and weighted by base
 * weight: of its backends that take new flows, those whose node reported within age.stale_s. NAN:
 * none did.
 */
double loop_utilisation(const struct loop *loop, __u16 service);

/* The nodes that are known, by an index from 0. */
struct loop_node {
	const char *name;
	bool reported;
	int64_t heard_ms; /* how long ago, by the last event */
};

size_t loop_node_count(const struct loop *loop);
struct loop_node loop_node(const struct loop *loop, size_t index);

/* The decisions of the last tick are in force. */
void loop_published(struct loop *loop);

#endif
