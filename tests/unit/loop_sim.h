/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loop, closed by simulation: nodes with a few workers each and a queue, Poisson arrivals that
 * follow the published weights and nothing else, and reports that arrive late.
 */
#ifndef SLUICE_TESTS_UNIT_LOOP_SIM_H
#define SLUICE_TESTS_UNIT_LOOP_SIM_H

#include <math.h>

#include "loop_world.h"

#define STEP_MS     5
#define TICK_MS     200
#define REPORT_MS   2000
#define CHECK_MS    1000
#define WORKERS     8
#define SERVICE_MS  16.0 /* so that a node does 500 requests a second */
#define ON_THE_WAY  4
#define QUEUE_MAX   8192 /* a power of two */
#define LATENCY_MAX 8192 /* in steps */

struct sim_node {
	double slowness; /* 1: as built */
	bool dead;       /* answers no check, finishes nothing, reports nothing */
	unsigned int requests;
	unsigned int first; /* of those, in the ring of when they came */
	int64_t came_ms[QUEUE_MAX];
	double busy_ms;
	unsigned int finished;
	unsigned int took[LATENCY_MAX]; /* how many of them took so many steps */
	int64_t report_ms;              /* when the next one is made */
	int64_t reported_ms;            /* and the last one was */
	struct report on_the_way[ON_THE_WAY];
	int64_t arrives_ms[ON_THE_WAY]; /* 0: none */
};

/* What nodes can tell of how full they are. */
enum sim_signal {
	SIGNAL_CPU,         /* the busy part of their workers, as CPU */
	SIGNAL_APPLICATION, /* the same, said by the application; the CPU idles */
	SIGNAL_LATENCY,     /* that, and how long requests took */
};

struct sim {
	enum sim_signal signal;
	struct world world;
	struct sim_node nodes[WORLD_BACKENDS_MAX];
	double load;       /* of all nodes as built; 1 is full */
	int64_t delay_ms;  /* of a report on its way */
	bool reports_lost; /* the control side is gone */
	uint64_t seed;
	unsigned int took[LATENCY_MAX]; /* all nodes' requests, since sim_forget() */
};

static inline double uniform(struct sim *sim)
{
	/* Knuth's MMIX constants. */
	sim->seed = sim->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (sim->seed >> 11) / 9007199254740992.0;
}

static inline unsigned int poisson(struct sim *sim, double mean)
{
	double limit = exp(-mean), product = uniform(sim);
	unsigned int count = 0;

	for (; product > limit; product *= uniform(sim))
		count++;
	return count;
}

static inline void sim_init(struct sim *sim, size_t count, double load, int64_t delay_ms)
{
	memset(sim, 0, sizeof(*sim));
	sim->load = load;
	sim->delay_ms = delay_ms;
	sim->seed = 42;
	world_init(&sim->world, WEIGHT_ADAPTIVE, count);
	assert_int_equal(world_reload(&sim->world), 0);
	for (size_t i = 0; i < count; i++) {
		sim->nodes[i].slowness = 1;
		sim->nodes[i].report_ms =
			sim->world.now_ms + REPORT_MS * (int64_t)(count + i) / (int64_t)count;
		sim->nodes[i].reported_ms = sim->world.now_ms;
	}
}

static inline double share(const struct sim *sim, size_t i)
{
	double sum = 0, weight = 0;

	for (size_t j = 0; j < sim->world.count; j++) {
		const struct loop_decision *other = decision(&sim->world, j);
		double theirs =
			other->state == BACKEND_UP ? sim->world.backends[j].weight_milli : 0;

		sum += theirs;
		weight = j == i ? theirs : weight;
	}
	return sum > 0 ? weight / sum : 0;
}

static inline int64_t *came_ms(struct sim_node *node, unsigned int position)
{
	return &node->came_ms[(node->first + position) % QUEUE_MAX];
}

/* Any of the @busy ones is as likely to be the next that is done. */
static inline void finish_one(struct sim *sim, struct sim_node *node, unsigned int busy)
{
	unsigned int position = uniform(sim) * busy, steps;

	steps = fmin((sim->world.now_ms - *came_ms(node, position)) / STEP_MS, LATENCY_MAX - 1);
	node->took[steps]++;
	sim->took[steps]++;
	for (; position > 0; position--)
		*came_ms(node, position) = *came_ms(node, position - 1);
	node->first++;
	node->requests--;
	node->finished++;
}

static inline void serve(struct sim *sim, size_t i)
{
	struct sim_node *node = &sim->nodes[i];
	double rate = sim->load * sim->world.count * WORKERS / SERVICE_MS;
	double leave =
		STEP_MS / (SERVICE_MS * node->slowness); /* so that it takes that on average */
	unsigned int busy = node->requests < WORKERS ? node->requests : WORKERS, done = 0, come;

	for (unsigned int worker = 0; worker < busy && !node->dead; worker++)
		done += uniform(sim) < leave;
	node->busy_ms += (double)busy * STEP_MS / WORKERS;
	come = poisson(sim, rate * STEP_MS * share(sim, i));
	for (; done > 0; done--)
		finish_one(sim, node, busy--);
	/* Who finds the queue full goes away. */
	for (; come > 0 && node->requests < QUEUE_MAX; come--)
		*came_ms(node, node->requests++) = sim->world.now_ms;
}

static inline void sim_forget(struct sim *sim)
{
	memset(sim->took, 0, sizeof(sim->took));
}

/* So many of 100 took no longer. */
static inline double percentile_ms(const unsigned int *took, double percent)
{
	double all = 0, sum = 0;
	size_t steps;

	for (steps = 0; steps < LATENCY_MAX; steps++)
		all += took[steps];
	for (steps = 0; steps < LATENCY_MAX - 1; steps++) {
		if (sum + took[steps] >= all * percent / 100)
			break;
		sum += took[steps];
	}
	/* Within the step they are taken to be spread evenly. */
	return STEP_MS * (steps + (all * percent / 100 - sum) / fmax(took[steps], 1));
}

static inline void report_latency(struct sim_node *node, struct report *report)
{
	double sum = 0;

	for (size_t steps = 0; steps < LATENCY_MAX; steps++)
		sum += node->took[steps] * (steps + 0.5) * STEP_MS;
	if (!node->finished)
		return;
	report->fields |= REPORT_LATENCY | REPORT_P50;
	report->latency_ms = sum / node->finished;
	report->p50_ms = percentile_ms(node->took, 50);
}

static inline void make_report(struct sim *sim, size_t i)
{
	struct sim_node *node = &sim->nodes[i];
	double interval_ms = sim->world.now_ms - node->reported_ms;
	struct report report =
		cpu_report(&sim->world, i, fmin(node->busy_ms / interval_ms, 1) * 100);

	report.fields |= REPORT_RPS | REPORT_INFLIGHT | REPORT_WORKERS;
	report.rps = node->finished * 1000.0 / interval_ms;
	if (sim->signal == SIGNAL_LATENCY)
		report_latency(node, &report);
	if (sim->signal != SIGNAL_CPU) {
		report.fields |= REPORT_APPLICATION_UTILIZATION;
		report.application_utilization = report.cpu_percent / 100;
		report.cpu_percent = 5;
	}
	report.inflight = node->requests;
	report.workers = WORKERS;
	node->busy_ms = 0;
	node->finished = 0;
	memset(node->took, 0, sizeof(node->took));
	node->report_ms += REPORT_MS;
	node->reported_ms = sim->world.now_ms;
	for (size_t j = 0; j < ON_THE_WAY && !node->dead; j++) {
		if (node->arrives_ms[j])
			continue;
		node->on_the_way[j] = report;
		node->arrives_ms[j] = sim->world.now_ms + sim->delay_ms;
		return;
	}
}

static inline void deliver(struct sim *sim, size_t i)
{
	struct sim_node *node = &sim->nodes[i];

	for (size_t j = 0; j < ON_THE_WAY; j++) {
		if (!node->arrives_ms[j] || node->arrives_ms[j] > sim->world.now_ms)
			continue;
		node->arrives_ms[j] = 0;
		if (!sim->reports_lost)
			world_report(&sim->world, &node->on_the_way[j]);
	}
}

static inline void step(struct sim *sim)
{
	sim->world.now_ms += STEP_MS;
	for (size_t i = 0; i < sim->world.count; i++) {
		serve(sim, i);
		if (sim->world.now_ms >= sim->nodes[i].report_ms)
			make_report(sim, i);
		deliver(sim, i);
		if (sim->world.now_ms % CHECK_MS == 0) {
			loop_check(sim->world.loop, id_of(i), HEALTH_TCP, !sim->nodes[i].dead,
				   sim->world.now_ms);
			loop_check(sim->world.loop, id_of(i), HEALTH_HTTP, !sim->nodes[i].dead,
				   sim->world.now_ms);
		}
	}
	if (sim->world.now_ms % TICK_MS == 0)
		world_tick(&sim->world);
}

static inline void run(struct sim *sim, int seconds)
{
	for (int i = 0; i < seconds * 1000 / STEP_MS; i++)
		step(sim);
}

/* The seconds until the share of node 0 is under (or over) a limit, at most @most. */
static inline double seconds_until(struct sim *sim, double limit, bool under, int most)
{
	int64_t start_ms = sim->world.now_ms;

	while (sim->world.now_ms - start_ms < most * 1000 &&
	       (under ? share(sim, 0) >= limit : share(sim, 0) <= limit))
		step(sim);
	return (sim->world.now_ms - start_ms) / 1000.0;
}

struct spread {
	double sum;
	double squares;
};

/* The largest standard deviation of any weight, over its mean, in the next @seconds. */
static inline double deviation(struct sim *sim, int seconds)
{
	struct spread spreads[WORLD_BACKENDS_MAX] = {};
	double largest = 0;

	for (int second = 0; second < seconds; second++) {
		run(sim, 1);
		for (size_t i = 0; i < sim->world.count; i++) {
			double weight = sim->world.backends[i].weight_milli;

			spreads[i].sum += weight;
			spreads[i].squares += weight * weight;
		}
	}
	for (size_t i = 0; i < sim->world.count; i++) {
		double mean = spreads[i].sum / seconds;
		double variance = fmax(spreads[i].squares / seconds - mean * mean, 0);

		largest = fmax(largest, sqrt(variance) / mean);
	}
	return largest;
}

struct sim_case {
	size_t nodes;
	double load;
	int64_t delay_ms;
	enum sim_signal signal;
};

/* Warmed up, so that averages hold something. */
static inline void start_case(struct sim *sim, const struct sim_case *of, uint64_t seed)
{
	sim_init(sim, of->nodes, of->load, of->delay_ms);
	sim->signal = of->signal;
	sim->seed = seed;
	run(sim, 20);
}

#endif
