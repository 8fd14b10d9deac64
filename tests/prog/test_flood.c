/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A SYN flood on the CPU that has established flows, while weights move: what is remembered of them
 * stays. The flood is made in the kernel, by the benchmark's harness.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <net/if.h>
#include <netinet/in.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "pool.h"
#include "tests/bench/harness.h"
#include "tests/bench/harness.skel.h"
#include "world.h"

#define FLOWS                  100000
#define FLOOD_PACKETS          20000000
#define EMULATED_FLOOD_PACKETS 2000000 /* where a packet takes microseconds: EMULATED is set */
#define CONTROL_PACKETS        6000000
/* Its b4, which takes every new flow once weights have moved, and had none before. */
#define NEW_BACKEND 4

static const struct pool pool = {"flooded", "192.0.2.1", 80, IPPROTO_TCP, NEW_BACKEND};

/* From as many addresses as there are flows; the next run goes on where this one ended. */
struct flood {
	struct harness_bpf *harness;
	struct frame frame;
};

static __u32 unfolded_sum(const __u8 *bytes, __u32 count)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < count; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	return sum;
}

static __u64 flood_packets(void)
{
	return getenv("EMULATED") ? EMULATED_FLOOD_PACKETS : FLOOD_PACKETS;
}

/* Of @flows; each sends @dwell packets in a row. */
static struct flood flood_open(__u8 tcp_flags, __u64 flows, __u32 dwell)
{
	const struct packet_fields fields = {
		.source = "0.0.0.0", /* the harness puts it in, and into the checksum */
		.destination = pool.vip,
		.source_port = HARNESS_SOURCE_PORT,
		.destination_port = pool.port,
		.protocol = IPPROTO_TCP,
		.tcp_flags = tcp_flags,
		.ttl = 64,
		.payload_bytes = HARNESS_FRAME_BYTES - AT_IPV4_L4 - 20,
	};
	struct flood flood = {.harness = harness_bpf__open_and_load()};
	int target = world_pinned("lb");
	struct harness_state *state;
	__u32 slot = HARNESS_TARGET;

	assert_non_null(flood.harness);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(flood.harness->maps.programs), &slot,
					     &target, BPF_ANY),
			 0);
	frame_build(&flood.frame, &fields);
	write16(&flood.frame, AT_IP + 10, 0);

	state = &flood.harness->bss->state;
	state->flows = flows;
	state->stride = 1;
	state->dwell = dwell;
	state->frame_bytes = flood.frame.length_bytes;
	state->checksum = unfolded_sum(flood.frame.bytes + AT_IP, 20);
	memcpy(state->frame, flood.frame.bytes, HARNESS_FRAME_BYTES);
	return flood;
}

static void flood_run(struct flood *flood, __u32 packets)
{
	struct frame out;
	struct xdp_md context = {
		.data_end = flood->frame.length_bytes,
		.ingress_ifindex = if_nametoindex(NEAR),
	};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = flood->frame.bytes,
		    .data_size_in = flood->frame.length_bytes, .data_out = out.bytes,
		    .data_size_out = sizeof(out.bytes), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = packets);
	long before = service_counts(pool.service).packets;
	int program = bpf_program__fd(flood->harness->progs.target_ipv4);

	assert_int_equal(bpf_prog_test_run_opts(program, &options), 0);
	assert_int_equal(options.retval, XDP_TX);
	assert_int_equal(flood->harness->bss->state.failures, 0);
	assert_int_equal(checksum(out.bytes + AT_IP, 20), 0);
	assert_int_equal(service_counts(pool.service).packets, before + packets);
	print_message("# %u packets of a flood, %u ns each\n", packets, options.duration);
}

/* Established flows, and the backend of each; all memory is empty before. */
static unsigned char *establish(const char *instance)
{
	unsigned char *went_to = malloc(FLOWS);

	assert_non_null(went_to);
	pool_load(instance, &pool, true);
	sluice("weight set %s b%u=0", pool.service, NEW_BACKEND);
	for (__u32 client = 0; client < FLOWS; client++) {
		went_to[client] = pool_establish(&pool, client);
		assert_in_range(went_to[client], 1, NEW_BACKEND - 1);
	}
	return went_to;
}

/* Whoever is not remembered is selected anew, and that is NEW_BACKEND. */
static void move_weights(void)
{
	sluice("weight set %s b1=0 b2=0 b3=0 b%u=1", pool.service, NEW_BACKEND);
}

static __u32 count_strays(const unsigned char *went_to)
{
	__u32 strays = 0;

	for (__u32 client = 0; client < FLOWS; client++)
		strays += pool_send(&pool, client, TCP_ACK) != went_to[client];
	print_message("# %u of %u established flows no longer go to their backend\n", strays,
		      FLOWS);
	return strays;
}

static void syns_take_no_flow_from_its_backend(void **state)
{
	unsigned char *went_to = establish("syns");
	struct flood flood = flood_open(TCP_SYN, flood_packets(), 1);
	struct counts before = backend_counts(pool.service, NULL);
	struct counts half, all;

	(void)state;
	flood_run(&flood, flood_packets() / 2);
	move_weights();
	half = backend_counts(pool.service, NULL);
	flood_run(&flood, flood_packets() / 2);
	harness_bpf__destroy(flood.harness);

	/* It was a flood of new flows, and the coin answered it otherwise from then on. */
	all = backend_counts(pool.service, NULL);
	assert_in_range(all.new_flows, flood_packets() / 1000 * 999, flood_packets() + FLOWS);
	assert_int_equal(backend_counts(pool.service, "b4").new_flows,
			 all.new_flows - half.new_flows);
	assert_int_equal(all.open_flows, before.open_flows);

	assert_in_range(count_strays(went_to), 0, FLOWS / 1000);
	free(went_to);
}

/* That the test above can fail: fewer packets, of flows that send a second one, and so are flows. */
static void flows_do(void **state)
{
	unsigned char *went_to = establish("acks");
	struct flood flood = flood_open(TCP_ACK, CONTROL_PACKETS / 2, 2);

	(void)state;
	flood_run(&flood, CONTROL_PACKETS / 2);
	move_weights();
	flood_run(&flood, CONTROL_PACKETS / 2);
	harness_bpf__destroy(flood.harness);

	assert_in_range(count_strays(went_to), FLOWS / 2, FLOWS);
	free(went_to);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(syns_take_no_flow_from_its_backend, world_use_main),
		cmocka_unit_test_teardown(flows_do, world_use_main),
	};

	return cmocka_run_group_tests_name("flood", tests, world_open, world_close);
}
