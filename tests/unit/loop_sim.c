/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loop, closed by simulation: nodes with a few workers each and a queue, Poisson arrivals that
 * follow the published weights and nothing else, and reports that arrive late.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "loop_world.h"

#define STEP_MS    5
#define TICK_MS    200
#define REPORT_MS  2000
#define CHECK_MS   1000
#define WORKERS    8
#define SERVICE_MS 16.0 /* so that a node does 500 requests a second */
#define ON_THE_WAY 4

struct sim_node {
	double slowness; /* 1: as built */
	bool dead;       /* answers no check, finishes nothing, reports nothing */
	unsigned int requests;
	double busy_ms;
	unsigned int finished;
	int64_t report_ms;   /* when the next one is made */
	int64_t reported_ms; /* and the last one was */
	struct report on_the_way[ON_THE_WAY];
	int64_t arrives_ms[ON_THE_WAY]; /* 0: none */
};

/* What nodes can tell of how full they are. */
enum sim_signal {
	SIGNAL_CPU,         /* the busy part of their workers, as CPU */
	SIGNAL_APPLICATION, /* the same, said by the application; the CPU idles */
};

struct sim {
	enum sim_signal signal;
	struct world world;
	struct sim_node nodes[WORLD_BACKENDS_MAX];
	double load;       /* of all nodes as built; 1 is full */
	int64_t delay_ms;  /* of a report on its way */
	bool reports_lost; /* the control side is gone */
	uint64_t seed;
};

static double uniform(struct sim *sim)
{
	/* Knuth's MMIX constants. */
	sim->seed = sim->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (sim->seed >> 11) / 9007199254740992.0;
}

static unsigned int poisson(struct sim *sim, double mean)
{
	double limit = exp(-mean), product = uniform(sim);
	unsigned int count = 0;

	for (; product > limit; product *= uniform(sim))
		count++;
	return count;
}

static void sim_init(struct sim *sim, size_t count, double load, int64_t delay_ms)
{
	*sim = (struct sim){.load = load, .delay_ms = delay_ms, .seed = 42};
	world_init(&sim->world, WEIGHT_ADAPTIVE, count);
	assert_int_equal(world_reload(&sim->world), 0);
	for (size_t i = 0; i < count; i++) {
		sim->nodes[i].slowness = 1;
		sim->nodes[i].report_ms =
			sim->world.now_ms + REPORT_MS * (int64_t)(count + i) / (int64_t)count;
		sim->nodes[i].reported_ms = sim->world.now_ms;
	}
}

static double share(const struct sim *sim, size_t i)
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

static void serve(struct sim *sim, size_t i)
{
	struct sim_node *node = &sim->nodes[i];
	double rate = sim->load * sim->world.count * WORKERS / SERVICE_MS;
	double leave = 1 - exp(-STEP_MS / (SERVICE_MS * node->slowness));
	unsigned int busy = node->requests < WORKERS ? node->requests : WORKERS, done = 0;

	for (unsigned int worker = 0; worker < busy && !node->dead; worker++)
		done += uniform(sim) < leave;
	node->busy_ms += (double)busy * STEP_MS / WORKERS;
	node->finished += done;
	node->requests += poisson(sim, rate * STEP_MS * share(sim, i)) - done;
}

static void make_report(struct sim *sim, size_t i)
{
	struct sim_node *node = &sim->nodes[i];
	double interval_ms = sim->world.now_ms - node->reported_ms;
	struct report report =
		cpu_report(&sim->world, i, fmin(node->busy_ms / interval_ms, 1) * 100);

	report.fields |= REPORT_RPS | REPORT_INFLIGHT | REPORT_WORKERS;
	report.rps = node->finished * 1000.0 / interval_ms;
	if (sim->signal == SIGNAL_APPLICATION) {
		report.fields |= REPORT_APPLICATION_UTILIZATION;
		report.application_utilization = report.cpu_percent / 100;
		report.cpu_percent = 5;
	}
	report.inflight = node->requests;
	report.workers = WORKERS;
	node->busy_ms = 0;
	node->finished = 0;
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

static void deliver(struct sim *sim, size_t i)
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

static void step(struct sim *sim)
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

static void run(struct sim *sim, int seconds)
{
	for (int i = 0; i < seconds * 1000 / STEP_MS; i++)
		step(sim);
}

/* The seconds until the share of node 0 is under (or over) a limit, at most @most. */
static double seconds_until(struct sim *sim, double limit, bool under, int most)
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
static double deviation(struct sim *sim, int seconds)
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

static const struct {
	size_t nodes;
	double load;
	int64_t delay_ms;
	enum sim_signal signal;
} cases[] = {
	{4, 0.5, 0, SIGNAL_CPU},         {4, 0.7, 0, SIGNAL_CPU},
	{4, 0.7, 2000, SIGNAL_CPU},      {8, 0.7, 2000, SIGNAL_CPU},
	{8, 0.85, 2000, SIGNAL_CPU},     {6, 0.2, 2000, SIGNAL_CPU},
	{4, 0.7, 0, SIGNAL_APPLICATION}, {8, 0.7, 2000, SIGNAL_APPLICATION},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))
#define SEEDS 3

/* Warmed up, so that averages hold something. */
static void start_case(struct sim *sim, size_t i, uint64_t seed)
{
	sim_init(sim, cases[i].nodes, cases[i].load, cases[i].delay_ms);
	sim->signal = cases[i].signal;
	sim->seed = seed;
	run(sim, 20);
}

static void equal_nodes_are_calm(void **state)
{
	struct sim sim;

	(void)state;
	for (size_t i = 0; i < CASES * SEEDS; i++) {
		double largest;

		start_case(&sim, i / SEEDS, i % SEEDS);
		largest = deviation(&sim, 60);
		if (largest >= 0.05)
			fail_msg("case %zu, seed %zu: deviation %.1f %%", i / SEEDS, i % SEEDS,
				 largest * 100);
		world_free(&sim.world);
	}
}

/*
 * Slowed 4 times, node 0 loses more than half of its flows after the second report that is of this
 * time alone, keeps still there, and gets all back.
 */
static void a_slow_node_loses_flows_and_gets_them_back(void **state)
{
	struct sim sim;

	(void)state;
	for (size_t i = 0; i < CASES * SEEDS; i++) {
		double fair = 1.0 / cases[i / SEEDS].nodes, lost_s, unrest, back_s;
		double limit_s = cases[i / SEEDS].delay_ms ? 7 : 6;

		start_case(&sim, i / SEEDS, i % SEEDS);
		sim.nodes[0].slowness = 4;
		lost_s = seconds_until(&sim, fair / 2, true, 60);
		run(&sim, 15);
		assert_true(share(&sim, 0) < fair / 2);
		unrest = deviation(&sim, 30);
		assert_true(share(&sim, 0) < fair / 2);
		assert_true(share(&sim, 0) > fair / 10);
		sim.nodes[0].slowness = 1;
		back_s = seconds_until(&sim, fair * 0.9, false, 60);
		if (lost_s > limit_s || back_s > 30 || unrest > 0.15)
			fail_msg("case %zu, seed %zu: lost in %.1f s, back in %.1f s, then "
				 "deviation %.1f %%",
				 i / SEEDS, i % SEEDS, lost_s, back_s, unrest * 100);
		world_free(&sim.world);
	}
}

/* After the shock of a slow node, weights of equal nodes settle again, with late reports too. */
static void a_shock_dies_away(void **state)
{
	struct sim sim;

	(void)state;
	for (size_t i = 0; i < CASES * SEEDS; i++) {
		double largest;

		start_case(&sim, i / SEEDS, i % SEEDS);
		sim.nodes[0].slowness = 4;
		run(&sim, 30);
		sim.nodes[0].slowness = 1;
		run(&sim, 30);
		largest = deviation(&sim, 60);
		if (largest >= 0.06)
			fail_msg("case %zu, seed %zu: deviation %.1f %%", i / SEEDS, i % SEEDS,
				 largest * 100);
		world_free(&sim.world);
	}
}

static void a_dead_node_is_out_within_the_health_interval(void **state)
{
	struct sim sim;
	double out_s, back_s;

	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		start_case(&sim, i, 1);
		sim.nodes[0].dead = true;
		out_s = seconds_until(&sim, 0.001, true, 60);
		assert_true(out_s <= 3 * CHECK_MS / 1000.0 + 0.2);
		assert_int_equal(decision(&sim.world, 0)->state, BACKEND_DOWN);
		run(&sim, 20);
		assert_true(share(&sim, 0) == 0);

		sim.nodes[0].dead = false;
		sim.nodes[0].requests = 0;
		/* Two checks, the trial of 2 s, and 30 s of slow start. */
		back_s = seconds_until(&sim, 0.9 / cases[i].nodes, false, 90);
		assert_in_range(back_s * 10, 200, 450);
		world_free(&sim.world);
	}
}

static void weights_stay_when_the_control_side_is_gone(void **state)
{
	struct sim sim;
	__u32 weights[WORLD_BACKENDS_MAX];

	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		start_case(&sim, i, 1);
		sim.nodes[0].slowness = 4;
		run(&sim, 20);
		sim.reports_lost = true;
		run(&sim, 4);
		for (size_t j = 0; j < sim.world.count; j++)
			weights[j] = sim.world.backends[j].weight_milli;
		sim.world.publications = 0;
		run(&sim, 200);
		assert_int_equal(sim.world.publications, 0);
		for (size_t j = 0; j < sim.world.count; j++)
			assert_int_equal(sim.world.backends[j].weight_milli, weights[j]);
		assert_non_null(strstr(decision(&sim.world, 0)->reason, "no report from anyone"));

		/* The first to be heard again makes nobody else old. */
		sim.reports_lost = false;
		for (int second = 0; second < 10; second++) {
			run(&sim, 1);
			for (size_t j = 0; j < sim.world.count; j++)
				assert_null(strstr(decision(&sim.world, j)->reason, "old"));
			assert_true(share(&sim, 0) < 0.6 / sim.world.count);
		}
		world_free(&sim.world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_nodes_are_calm),
		cmocka_unit_test(a_slow_node_loses_flows_and_gets_them_back),
		cmocka_unit_test(a_shock_dies_away),
		cmocka_unit_test(a_dead_node_is_out_within_the_health_interval),
		cmocka_unit_test(weights_stay_when_the_control_side_is_gone),
	};

	return cmocka_run_group_tests_name("loop_sim", tests, NULL, NULL);
}
