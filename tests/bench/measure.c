/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/libbpf.h>

#include "driver.h"
#include "measure.h"
#include "tests/bench/floor.skel.h"

/* Enough that every one of a million flows has its turn in each round. */
#define PACKETS_A_ROUND 1000000

#define WARM_FLOWS_MAX  1000000
#define CHECKED_PACKETS 64

/* A few of a million flows share a full set of the table, and drive each other out. */
#define NEW_PERCENT_MAX 1.0

struct measure {
	struct world *world;
	struct driver *driver;
	struct floor_bpf *floors;
};

static __attribute__((format(printf, 2, 3))) int fail(struct result *result, const char *format,
						      ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(result->error, sizeof(result->error), format, arguments);
	va_end(arguments);
	return -EIO;
}

struct measure *measure_open(struct world *world)
{
	struct measure *measure = calloc(1, sizeof(*measure));
	int err;

	if (!measure)
		return NULL;
	measure->world = world;
	measure->driver = driver_open();
	if (!measure->driver) {
		err = -errno;
		goto failed;
	}
	measure->floors = floor_bpf__open_and_load();
	if (!measure->floors) {
		err = -errno;
		goto failed;
	}
	return measure;

failed:
	measure_close(measure);
	errno = -err;
	return NULL;
}

void measure_close(struct measure *measure)
{
	if (!measure)
		return;
	floor_bpf__destroy(measure->floors);
	driver_close(measure->driver);
	free(measure);
}

static const char *verdict_name(__u32 verdict)
{
	static const char *const names[] = {"XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX",
					    "XDP_REDIRECT"};

	return verdict < sizeof(names) / sizeof(names[0]) ? names[verdict] : "no verdict";
}

static int check_verdict(const struct scenario *scenario, __u32 verdict, struct result *result)
{
	static const __u32 expected[] = {
		[ARRIVE_ON_EGRESS] = XDP_TX,      [ARRIVE_ELSEWHERE] = XDP_REDIRECT,
		[ARRIVE_FOR_THE_HOST] = XDP_PASS, [ARRIVE_FOR_AN_ANSWER] = XDP_TX,
		[ARRIVE_TO_BE_DENIED] = XDP_DROP,
	};

	if (verdict == expected[scenario->arrival])
		return 0;
	return fail(result, "%s, not %s", verdict_name(verdict),
		    verdict_name(expected[scenario->arrival]));
}

/* Of a frame to a backend: where it goes, how long it is, and all behind the ports. */
static int check_frame(const struct scenario *scenario, const struct frame *sent,
		       const struct frame *got, struct result *result)
{
	static const __u8 backend_mac[] = BACKEND_MAC_PREFIX;
	__u32 growth = scenario_growth_bytes(scenario);
	__u32 same_from = sent->ports_offset + 4;

	if (scenario->floor || scenario->arrival >= ARRIVE_FOR_AN_ANSWER)
		return 0;
	if (got->length_bytes != sent->length_bytes + growth)
		return fail(result, "%u bytes became %u, not %u", sent->length_bytes,
			    got->length_bytes, sent->length_bytes + growth);
	if (scenario->arrival == ARRIVE_FOR_THE_HOST) {
		if (memcmp(sent->bytes, got->bytes, sent->length_bytes))
			return fail(result, "the frame was changed");
		return 0;
	}
	if (memcmp(got->bytes, backend_mac, sizeof(backend_mac)))
		return fail(result, "the frame does not go to a backend");
	if (scenario->oddity == PLAIN &&
	    memcmp(sent->bytes + same_from, got->bytes + growth + same_from,
		   sent->length_bytes - same_from))
		return fail(result, "the payload was changed");
	return 0;
}

static int send_packets(struct measure *measure, enum harness_slot slot, struct driver_run *run,
			struct result *result)
{
	int err = driver_run(measure->driver, slot, run);

	return err ? fail(result, "test run: %s", strerror(-err)) : 0;
}

static int warm_and_check(struct measure *measure, const struct scenario *scenario,
			  const struct frame *frame, struct result *result)
{
	__u64 flows = scenario->flows < WARM_FLOWS_MAX ? scenario->flows : WARM_FLOWS_MAX;
	struct driver_run run = {.packets = flows * WARM_DWELL, .warm = true};
	int err = send_packets(measure, HARNESS_TARGET, &run, result);

	for (int i = 0; i < CHECKED_PACKETS && !err; i++) {
		run = (struct driver_run){.packets = 1};
		err = send_packets(measure, HARNESS_TARGET, &run, result);
		if (!err)
			err = check_verdict(scenario, run.verdict, result);
		if (!err)
			err = check_frame(scenario, frame, &run.frame, result);
	}
	return err;
}

static int time_rounds(struct measure *measure, const struct scenario *scenario,
		       unsigned int rounds, struct result *result)
{
	double net_ns[ROUNDS_MAX];
	double null_ns[ROUNDS_MAX];
	int err = 0;

	for (unsigned int i = 0; i < rounds; i++) {
		struct driver_run null = {.packets = PACKETS_A_ROUND};
		struct driver_run target = {.packets = PACKETS_A_ROUND};

		err = send_packets(measure, HARNESS_NULL, &null, result);
		if (!err)
			err = send_packets(measure, HARNESS_TARGET, &target, result);
		if (!err)
			err = check_verdict(scenario, target.verdict, result);
		if (err)
			return err;
		null_ns[i] = null.elapsed_ns / PACKETS_A_ROUND;
		net_ns[i] = target.elapsed_ns / PACKETS_A_ROUND - null_ns[i];
	}
	result->cost = summarize(net_ns, rounds);
	result->null_cost = summarize(null_ns, rounds).median;
	return 0;
}

/* By the counters of the program itself: every packet was forwarded, and as what. */
static int check_counts(const struct scenario *scenario, const struct world_counts *before,
			const struct world_counts *after, __u64 sent, struct result *result)
{
	__u64 packets = after->packets - before->packets;
	__u64 expected = scenario->arrival >= ARRIVE_FOR_THE_HOST ? 0 : sent;

	if (packets != expected)
		return fail(result, "%llu packets of %llu were forwarded", packets, expected);
	if (!expected)
		return 0;
	result->new_percent = 100.0 * (after->new_flows - before->new_flows) / sent;
	if (scenario_is_established(scenario) && result->new_percent > NEW_PERCENT_MAX)
		return fail(result, "%.1f %% of the packets opened a flow", result->new_percent);
	return 0;
}

static void set_traffic(struct measure *measure, const struct scenario *scenario,
			const struct frame *frame)
{
	driver_set_traffic(measure->driver, frame, scenario->flows,
			   scenario->arrival == ARRIVE_ELSEWHERE ? measure->world->elsewhere_ifindex
								 : measure->world->egress_ifindex);
}

/* What is odd about a flow's packet comes to a flow that is under way. */
static int open_flow(struct measure *measure, const struct scenario *scenario,
		     struct result *result)
{
	struct driver_run run = {.packets = WARM_DWELL, .warm = true};
	struct scenario plain = *scenario;
	struct frame frame;

	plain.oddity = PLAIN;
	frame_build(&plain, &frame);
	set_traffic(measure, &plain, &frame);
	return send_packets(measure, HARNESS_TARGET, &run, result);
}

static int measure_path(struct measure *measure, const struct scenario *scenario,
			const struct frame *frame, unsigned int rounds, struct result *result)
{
	struct world_counts before, after;
	int err;

	if (world_load(measure->world, bench_services, BENCH_SERVICES, scenario->policy))
		return fail(result, "not loaded");
	err = driver_set_target(measure->driver, measure->world->program);
	if (err)
		err = fail(result, "program array: %s", strerror(-err));
	if (!err && scenario->oddity != PLAIN)
		err = open_flow(measure, scenario, result);
	set_traffic(measure, scenario, frame);
	if (!err)
		err = warm_and_check(measure, scenario, frame, result);
	if (!err && world_count(measure->world, &before))
		err = fail(result, "counters cannot be read");
	if (!err)
		err = time_rounds(measure, scenario, rounds, result);
	if (!err && world_count(measure->world, &after))
		err = fail(result, "counters cannot be read");
	if (!err)
		err = check_counts(scenario, &before, &after, (__u64)rounds * PACKETS_A_ROUND,
				   result);
	driver_forget_target(measure->driver);
	world_unload(measure->world);
	return err;
}

static int measure_floor(struct measure *measure, const struct scenario *scenario,
			 const struct frame *frame, unsigned int rounds, struct result *result)
{
	struct bpf_program *program =
		bpf_object__find_program_by_name(measure->floors->obj, scenario->floor);
	int err;

	if (!program)
		return fail(result, "no program %s", scenario->floor);
	err = driver_set_target(measure->driver, bpf_program__fd(program));
	if (err)
		return fail(result, "program array: %s", strerror(-err));
	set_traffic(measure, scenario, frame);
	err = warm_and_check(measure, scenario, frame, result);
	return err ?: time_rounds(measure, scenario, rounds, result);
}

void measure_row(struct measure *measure, const struct scenario *scenario, unsigned int rounds,
		 struct result *result)
{
	struct frame frame;

	result->unit = "ns/packet";
	result->goal = scenario->goal_ns;
	frame_build(scenario, &frame);
	if (scenario->floor)
		measure_floor(measure, scenario, &frame, rounds, result);
	else
		measure_path(measure, scenario, &frame, rounds, result);
}
