/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/measure.skel.h"
#include "user/core/measure.h"
#include "user/kernel/apply.h"
#include "measure.h"

enum { FLOWS = 1024 };
enum { AT_SEQUENCE = 4, AT_ACKNOWLEDGED = 8, AT_OFFSET = 12 };

/* What a program says to TC: as if it were not there. */
#define GO_ON 0xffffffff

const struct ends measure_ends[2] = {
	{"192.0.2.1", "192.0.2.9", "198.51.100.7"},
	{"2001:db8::1", "2001:db8::9", "2001:db8:c::7"},
};

static struct measure_bpf *skeleton;
__u16 measure_port = 50000;

int measure_load(void **state)
{
	struct measure_service services[2 * SERVICES] = {};
	struct measure_entry entries[2 * SERVICES];
	int i;

	(void)state;
	skeleton = measure_bpf__open();
	if (!skeleton || bpf_map__set_max_entries(skeleton->maps.measure_flows, FLOWS) ||
	    measure_bpf__load(skeleton))
		return -1;
	for (i = 0; i < 2 * SERVICES; i++) {
		const struct ends *ends = &measure_ends[i % 2];

		__u32 index = i / 2;

		address_parse(index == ANY_PORT_SERVICE ? ends->other : ends->service,
			      &services[i].vip);
		services[i].port = index == TCP_SERVICE   ? PORT
				   : index == UDP_SERVICE ? UDP_PORT
							  : 0;
		services[i].protocol = index == UDP_SERVICE ? IPPROTO_UDP : IPPROTO_TCP;
		services[i].index = index;
	}
	return measure_entries(services, 2 * SERVICES, entries) ||
	       apply_measure(bpf_map__fd(skeleton->maps.measure_services),
			     bpf_map__fd(skeleton->maps.measure_settings), entries, 2 * SERVICES);
}

int measure_unload(void **state)
{
	(void)state;
	measure_bpf__destroy(skeleton);
	return 0;
}

struct measure_counters measure_counted(__u32 index)
{
	int cpu_count = libbpf_num_possible_cpus();
	struct measure_counters by_cpu[cpu_count], sum = {};
	int fd = bpf_map__fd(skeleton->maps.measure_counters);

	assert_int_equal(bpf_map_lookup_elem(fd, &index, by_cpu), 0);
	for (int cpu = 0; cpu < cpu_count; cpu++)
		measure_add(&sum, &by_cpu[cpu]);
	memset(by_cpu, 0, sizeof(by_cpu));
	assert_int_equal(bpf_map_update_elem(fd, &index, by_cpu, BPF_ANY), 0);
	return sum;
}

__u64 measure_samples(const struct measure_histogram *histogram)
{
	__u64 count = 0;

	for (int i = 0; i < MEASURE_BUCKETS; i++)
		count += histogram->bucket[i];
	return count;
}

void measure_run(enum way way, const struct frame *frame, __u32 gso_segs, __u32 gso_bytes)
{
	struct bpf_program *program =
		way == SENT ? skeleton->progs.measure_sent : skeleton->progs.measure_received;
	struct __sk_buff context = {.gso_segs = gso_segs, .gso_size = gso_bytes};
	struct frame after;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes,
		    .data_size_in = frame->length_bytes, .data_out = after.bytes,
		    .data_size_out = sizeof(after.bytes), .ctx_in = &context,
		    .ctx_size_in = sizeof(context));

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &options), 0);
	assert_int_equal(options.retval, GO_ON);
	assert_int_equal(options.data_size_out, frame->length_bytes);
	assert_memory_equal(after.bytes, frame->bytes, frame->length_bytes);
}

static void write32(__u8 *to, __u32 value)
{
	to[0] = value >> 24;
	to[1] = value >> 16;
	to[2] = value >> 8;
	to[3] = value;
}

void measure_options(struct frame *frame, const __u8 *bytes, __u32 count)
{
	__u32 at = is_ipv6(frame) ? AT_IPV6_L4 : AT_IPV4_L4;
	__u32 length_at = is_ipv6(frame) ? AT_IP + 4 : AT_IP + 2;

	frame_insert(frame, at + 20, bytes, count);
	frame->bytes[at + AT_OFFSET] += count / 4 << 4;
	write16(frame, length_at, read16(frame, length_at) + count);
}

void measure_build(struct frame *frame, const struct ends *ends, const struct step *step)
{
	const struct packet_fields fields = {
		.source = step->way == SENT ? ends->service : ends->client,
		.destination = step->way == SENT ? ends->client : ends->service,
		.source_port = step->way == SENT ? PORT : measure_port,
		.destination_port = step->way == SENT ? measure_port : PORT,
		.protocol = IPPROTO_TCP,
		.tcp_flags =
			step->flags & (TCP_SYN | TCP_RST) ? step->flags : step->flags | TCP_ACK,
		.ttl = 64,
		.payload_bytes = step->payload_bytes,
	};
	__u8 timestamps[12] = {1, 1, 8, 10};
	__u8 *tcp;

	frame_build(frame, &fields);
	tcp = frame->bytes + (is_ipv6(frame) ? AT_IPV6_L4 : AT_IPV4_L4);
	write32(tcp + AT_SEQUENCE, step->sequence);
	write32(tcp + AT_ACKNOWLEDGED, step->acknowledged);
	write32(timestamps + 4, step->tsval);
	write32(timestamps + 8, step->tsecr);
	if (step->tsval)
		measure_options(frame, timestamps, sizeof(timestamps));
}

void measure_play(const struct ends *ends, const struct step *steps, size_t count)
{
	struct frame frame;

	for (size_t i = 0; i < count; i++) {
		measure_build(&frame, ends, &steps[i]);
		measure_run(steps[i].way, &frame, steps[i].gso_segs, steps[i].gso_bytes);
	}
}

struct measure_counters measure_talk(const struct ends *ends, const struct step *steps,
				     size_t count)
{
	measure_port++;
	measure_play(ends, steps, count);
	return measure_counted(TCP_SERVICE);
}
