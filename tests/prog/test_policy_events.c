/* SPDX-License-Identifier: GPL-2.0-only */
/* What is told of drops, of all reasons: a sample in a ring, and how many more there were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <net/if.h>
#include <netinet/in.h>
#include <bpf/bpf.h>

#include "maps/cpu.h"
#include "maps/verdict.h"
#include "policy_world.h"
#include "user/kernel/tick.h"

#define RULE(text) "    - {" text "}\n"

/* Ids of services in the order of their making: see policy_world.c. */
enum { WEB4 = 1 };

static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Until there is a budget again. */
static void wait_for_tick(void)
{
	usleep(3 * tick_ns() / 1000);
}

static void assert_event(const char *name, const struct drop_event *event,
			 const struct frame *frame, enum drop_reason reason)
{
	__u32 captured = frame->length_bytes < 128 ? frame->length_bytes : 128;

	if (event->reason != reason)
		fail_msg("%s: reason %u, expected %u", name, event->reason, reason);
	assert_int_equal(event->frame_bytes, frame->length_bytes);
	assert_int_equal(event->captured_bytes, captured);
	assert_memory_equal(event->frame, frame->bytes, captured);
	for (__u32 i = captured; i < 128; i++)
		assert_int_equal(event->frame[i], 0);
	assert_int_equal(event->ifindex, if_nametoindex(NEAR));
}

static void what_an_event_says(void **state)
{
	static const __u16 payloads[] = {0, 74, 75, 1000}; /* frames of 54, 128, 129, 1054 bytes */
	struct drop_event event;
	struct frame frame, out;

	(void)state;
	policy_set(RULE("action: deny, source: 198.51.100.0/24, comment: a"), false);
	for (size_t i = 0; i < 4; i++) {
		struct packet_fields fields = policy_packet("198.51.100.7", VIP_IPV4, 80);
		__u64 before_ns;

		wait_for_tick();
		policy_forget_events();
		fields.payload_bytes = payloads[i];
		frame_build(&frame, &fields);
		out = frame;
		before_ns = now_ns();
		assert_int_equal(world_send(&out), XDP_DROP);
		assert_true(policy_event(&event));
		assert_event("denied", &event, &frame, DROP_DENIED);
		assert_in_range(event.time_ns, before_ns, now_ns());
		assert_int_equal(event.rule, policy_rule_id("a"));
		assert_int_equal(event.service, WEB4);
		assert_int_equal(event.skipped, 0);
		assert_false(policy_event(&event));
	}
}

static void the_cpu(void **state)
{
	struct drop_event event;

	(void)state;
	policy_set(RULE("action: deny"), false);
	for (unsigned int number = 0; number < 2; number++) {
		if (!world_cpu(number))
			skip();
		wait_for_tick();
		policy_forget_events();
		assert_int_equal(policy_send("198.51.100.7", VIP_IPV4, 80), XDP_DROP);
		assert_true(policy_event(&event));
		assert_int_equal(event.cpu, sched_getcpu() & 0xff);
	}
	world_cpu(0);
}

/* Each drop is told of, or counted in the next event. */
static void skipped_drops_are_counted(void **state)
{
	__u64 begun_ns, ticks, told = 0, skipped = 0;
	struct drop_event event;

	(void)state;
	policy_set(RULE("action: deny"), false);
	wait_for_tick();
	policy_forget_events();
	begun_ns = now_ns();
	for (int i = 0; i < 5000; i++)
		assert_int_equal(policy_send("198.51.100.7", VIP_IPV4, 80), XDP_DROP);
	ticks = (now_ns() - begun_ns) / tick_ns() + 2;
	wait_for_tick();
	assert_int_equal(policy_send("198.51.100.7", VIP_IPV4, 80), XDP_DROP);
	while (policy_event(&event)) {
		told++;
		skipped += event.skipped;
	}
	assert_int_equal(told + skipped, 5001);
	assert_in_range(told, 5, ticks * EVENTS_A_TICK + 1);
}

/* Nobody reads: the ring is full, and packets are dropped and counted as before. */
static void ring_is_full(void **state)
{
	struct rule_counters counts;
	struct drop_event event;
	__u64 told = 0;

	(void)state;
	policy_set(RULE("action: deny, comment: a"), false);
	policy_forget_events();
	/* Of 168 bytes each with the ring's header; the budget is filled up by hand meanwhile. */
	for (int i = 0; i < 8000; i++) {
		struct event_budget budgets[256] = {};
		__u32 zero = 0;

		if (i % 4 == 0)
			assert_int_equal(bpf_map_update_elem(world_pinned("event_budget"), &zero,
							     budgets, BPF_ANY),
					 0);
		assert_int_equal(policy_send("198.51.100.7", VIP_IPV4, 80), XDP_DROP);
	}
	counts = policy_rule_counts("a");
	assert_int_equal(counts.dropped_packets, 8000);
	while (policy_event(&event))
		told++;
	assert_in_range(told, 6000, EVENT_RING_BYTES / 168);
	wait_for_tick();
	assert_int_equal(policy_send("198.51.100.7", VIP_IPV4, 80), XDP_DROP);
	assert_true(policy_event(&event));
}

static void set_shed(__u32 chance)
{
	struct shed shed = {.chance = chance};
	__u32 service = WEB4;

	assert_int_equal(tick_jiffies(&shed.until_jiffies), 0);
	shed.until_jiffies += 1000000;
	assert_int_equal(bpf_map_update_elem(world_pinned("sheds"), &service, &shed, BPF_ANY), 0);
}

static void use_up_echoes(void)
{
	struct cpu_memory memory;
	__u32 cpu = sched_getcpu();

	assert_int_equal(bpf_map_lookup_elem(world_pinned("cpus"), &cpu, &memory), 0);
	memory.answers_jiffies = ~0ULL;
	memory.echoes_left = 0;
	assert_int_equal(bpf_map_update_elem(world_pinned("cpus"), &cpu, &memory, BPF_ANY), 0);
}

static void make_echo(struct frame *frame)
{
	frame->bytes[AT_IP + 9] = IPPROTO_ICMP;
	frame->bytes[AT_IPV4_L4] = 8;
	frame->bytes[AT_IPV4_L4 + 1] = 0;
	frame_seal_icmp(frame, AT_IP);
	frame_seal(frame);
}

/*
 * The reasons that a packet of this world can be dropped for; to have no room for a header takes
 * another driver, and the maps contradict each other never.
 */
static const struct {
	enum drop_reason reason;
	const char *name, *rules;
	bool ruled;           /* a rule had a part in it */
	unsigned int packets; /* the last of which is dropped */
} reasons[] = {
	{DROP_NO_BACKEND, "no_backend", "", false, 1},
	{DROP_NO_NEXT_HOP, "no_next_hop", "", false, 1},
	{DROP_TTL_EXPIRED, "ttl_expired", "", false, 1},
	{DROP_TOO_BIG, "too_big", "", false, 1},
	{DROP_ECHO_LIMIT, "echo_limit", "", false, 1},
	{DROP_DENIED, "denied", RULE("action: deny, comment: a"), true, 1},
	{DROP_RATE, "rate", RULE("action: limit, packets: 1, comment: a"), true, 2},
	{DROP_NEW_FLOW_RATE, "new_flow_rate",
	 RULE("action: limit, new_flows: 1, burst_ms: 2000, comment: a"), true, 3},
	{DROP_SOURCE_RATE, "source_rate", RULE("action: limit, source_packets: 1, comment: a"),
	 true, 2},
	{DROP_SOURCE_NEW_FLOW_RATE, "source_new_flow_rate",
	 RULE("action: limit, source_new_flows: 1, burst_ms: 2000, comment: a"), true, 3},
	{DROP_SHED, "shed", "", false, 1},
};

/* A packet that meets with @reason, if the reason is not a rule; each opens a flow of its own. */
static struct packet_fields packet_for(enum drop_reason reason)
{
	static __u16 source_port = 20000;
	struct packet_fields fields = policy_packet("203.0.113.50", VIP_IPV4, 80);

	fields.source_port = source_port++;
	if (reason == DROP_NO_BACKEND)
		fields.destination = "192.0.2.3";
	if (reason == DROP_NO_NEXT_HOP) {
		fields.destination = "192.0.2.4";
		fields.source_port = 999;
		fields.tcp_flags = TCP_ACK;
	}
	if (reason == DROP_TTL_EXPIRED)
		fields.ttl = 1;
	if (reason == DROP_TOO_BIG) {
		fields.destination = "192.0.2.5";
		fields.payload_bytes = 1460;
	}
	return fields;
}

/* Services that have no backend, none that an open flow can reach, and one behind a tunnel. */
static void make_services(void)
{
	struct packet_fields fields = packet_for(DROP_NO_NEXT_HOP);
	struct frame frame;

	sluice("service add empty --vip 192.0.2.3 --port 80 --proto tcp");
	sluice("service add lost --vip 192.0.2.4 --port 80 --proto tcp");
	sluice("backend add lost b1 --address 10.0.1.8");
	sluice("service add narrow --vip 192.0.2.5 --port 80 --proto tcp --forward ipip");
	sluice("backend add narrow b1 --address 10.0.1.9");
	for (int again = 0; again < 2; again++) {
		frame_build(&frame, &fields);
		assert_int_equal(world_send(&frame), XDP_TX);
	}
	ip("route add unreachable 10.0.1.8/32");
	sluice("backend resolve lost");
}

/* Becomes the frame that is dropped. */
static void provoke(enum drop_reason reason, unsigned int packets, struct frame *frame)
{
	while (packets--) {
		const struct packet_fields fields = packet_for(reason);
		struct frame out;

		frame_build(frame, &fields);
		if (reason == DROP_ECHO_LIMIT) {
			use_up_echoes();
			make_echo(frame);
		}
		out = *frame;
		world_send(&out);
	}
}

static void every_reason(void **state)
{
	struct drop_event event;
	struct frame frame;

	(void)state;
	make_services();
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		struct counts before = drop_counts(reasons[i].name);

		policy_set(reasons[i].rules, false);
		set_shed(reasons[i].reason == DROP_SHED ? 0xffffffff : 0);
		wait_for_tick();
		policy_forget_events();
		provoke(reasons[i].reason, reasons[i].packets, &frame);
		if (!policy_event(&event))
			fail_msg("%s: no event", reasons[i].name);
		assert_event(reasons[i].name, &event, &frame, reasons[i].reason);
		assert_int_equal(event.rule, reasons[i].ruled ? policy_rule_id("a") : 0);
		assert_int_not_equal(event.service, 0);
		assert_false(policy_event(&event));
		assert_int_equal(drop_counts(reasons[i].name).packets, before.packets + 1);
		assert_int_equal(drop_counts(reasons[i].name).bytes,
				 before.bytes + frame.length_bytes);
	}
}

/* Of packets for no service, too. */
static void for_no_service(void **state)
{
	struct drop_event event;

	(void)state;
	policy_set(RULE("action: deny, source: 198.51.100.7, comment: a"), true);
	wait_for_tick();
	policy_forget_events();
	assert_int_equal(policy_send("198.51.100.7", NOT_OURS, 22), XDP_DROP);
	assert_true(policy_event(&event));
	assert_int_equal(event.reason, DROP_DENIED);
	assert_int_equal(event.service, 0);
	assert_int_equal(event.rule, policy_rule_id("a"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_an_event_says, policy_none),
		cmocka_unit_test_setup(the_cpu, policy_none),
		cmocka_unit_test_setup(skipped_drops_are_counted, policy_none),
		cmocka_unit_test_setup(ring_is_full, policy_none),
		cmocka_unit_test_setup(for_no_service, policy_none),
		cmocka_unit_test_setup(every_reason, policy_none),
	};

	return cmocka_run_group_tests_name("events", tests, policy_open, world_close);
}
