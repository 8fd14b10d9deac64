/* SPDX-License-Identifier: GPL-2.0-only */
/* GUE as GitHub's GLB Director has it: every byte, who the next hops are, and the checksum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <bpf/bpf.h>

#include "maps/backend.h"
#include "maps/control.h"
#include "maps/service.h"
#include "maps/settings.h"
#include "maps/slot.h"
#include "user/core/keys.h"
#include "way.h"

static const struct manner checked = {.tags = ""};
static const struct manner unchecked = {.tags = "", .unchecked = true};

enum { NONE, A, B, C, D, E, F, BACKENDS = F };

/* Three of each family. */
static const struct path paths[BACKENDS + 1] = {
	[A] = {"10.0.1.2", "10.0.1.1", {{2, 0, 0, 4, 1, 2}}, {{2, 0, 0, 0, 1, 0}}, XDP_TX},
	[B] = {"10.0.1.3", "10.0.1.1", {{2, 0, 0, 4, 1, 3}}, {{2, 0, 0, 0, 1, 0}}, XDP_TX},
	[C] = {"10.0.2.4", "10.0.2.1", {{2, 0, 0, 4, 2, 4}}, {{2, 0, 0, 0, 2, 0}}, XDP_REDIRECT},
	[D] = {"fd00:0:0:1::2",
	       "fd00:0:0:1::1",
	       {{2, 0, 0, 6, 1, 2}},
	       {{2, 0, 0, 0, 1, 0}},
	       XDP_TX},
	[E] = {"fd00:0:0:1::3",
	       "fd00:0:0:1::1",
	       {{2, 0, 0, 6, 1, 3}},
	       {{2, 0, 0, 0, 1, 0}},
	       XDP_TX},
	[F] = {"fd00:0:0:2::4",
	       "fd00:0:0:2::1",
	       {{2, 0, 0, 6, 2, 4}},
	       {{2, 0, 0, 0, 2, 0}},
	       XDP_REDIRECT},
};

static const struct service_of {
	const char *name;
	const char *vip;
	const char *client;
} services[] = {
	{"in4", "192.0.2.1", "198.51.100.7"},
	{"in6", "2001:db8::1", "2001:db8:c::7"},
};

/* Who is in the slot, who is picked, and who may then try next, in the order of the slot. */
static const struct row {
	const char *name;
	__u8 slot[CANDIDATES];
	__u8 picked;
	__u8 drains;
	__u8 down;
	__u8 hop_count;
	__u8 hops[2];
} rows[] = {
	{"the first", {A, B, C}, A, NONE, NONE, 2, {B, C}},
	{"the second", {A, B, C}, B, NONE, NONE, 2, {A, C}},
	{"the third", {A, B, C}, C, NONE, NONE, 2, {A, B}},
	{"another order", {C, A, B}, A, NONE, NONE, 2, {C, B}},
	{"the first, IPv6", {D, E, F}, D, NONE, NONE, 2, {E, F}},
	{"the second, IPv6", {D, E, F}, E, NONE, NONE, 2, {D, F}},
	{"the third, IPv6", {D, E, F}, F, NONE, NONE, 2, {D, E}},
	{"two candidates", {A, B, NONE}, B, NONE, NONE, 1, {A}},
	{"two candidates, IPv6", {E, NONE, D}, E, NONE, NONE, 1, {D}},
	{"one candidate", {A, NONE, NONE}, A, NONE, NONE, 0, {}},
	{"one candidate, IPv6", {NONE, NONE, F}, F, NONE, NONE, 0, {}},
	{"one drains", {A, B, C}, A, B, NONE, 2, {B, C}},
	{"one is down", {A, B, C}, A, NONE, B, 1, {C}},
	{"one drains, one is down", {A, B, C}, A, C, B, 1, {C}},
	{"one is down, IPv6", {F, E, D}, D, NONE, F, 1, {E}},
	{"one of the other family", {A, D, C}, A, NONE, NONE, 1, {C}},
	{"one of the other family, IPv6", {B, E, F}, F, NONE, NONE, 1, {E}},
	{"two of the other family", {D, B, E}, B, NONE, NONE, 0, {}},
	{"who is not in the slot", {B, C, NONE}, A, NONE, NONE, 2, {B, C}},
	{"who is not in the slot, of three", {F, E, NONE}, D, NONE, NONE, 2, {F, E}},
};

#define ROWS     (sizeof(rows) / sizeof(rows[0]))
#define SERVICES (sizeof(services) / sizeof(services[0]))

static struct service read_service(const struct service_of *of)
{
	__u32 place = world_place(of->vip, 80, IPPROTO_TCP);
	struct service_place found;
	struct control control;
	__u32 zero = 0;

	assert_int_equal(bpf_map_lookup_elem(world_pinned("control"), &zero, &control), 0);
	assert_int_equal(bpf_map_lookup_elem(world_pinned("services"), &place, &found), 0);
	return found.half[control.generation & 1];
}

/* Backends are added in order, each with the next id, those of in6 behind those of in4. */
static __u16 id_of(const struct service_of *of, __u8 number)
{
	return number ? number + (of - services) * BACKENDS : CANDIDATE_NONE;
}

static void set_slots(const struct service_of *of, const __u8 numbers[CANDIDATES])
{
	const struct service service = read_service(of);
	struct slot slot = {};

	for (int i = 0; i < CANDIDATES; i++)
		slot.candidate[i] = id_of(of, numbers[i]);
	for (__u32 i = 0; i <= service.slot_mask; i++) {
		__u32 key = service.slot_base + i;

		assert_int_equal(bpf_map_update_elem(world_pinned("slots"), &key, &slot, 0), 0);
	}
}

static struct tunnel tunnel_to(__u8 picked, __u8 hop_count, const __u8 *hops)
{
	struct tunnel tunnel = {
		.outer = {.source = paths[picked].source, .destination = paths[picked].backend},
		.gue = {.destination_port = 19523, .hops_given = true, .hop_count = hop_count},
	};

	for (__u8 i = 0; i < hop_count; i++)
		tunnel.gue.hops[i] = paths[hops[i]].backend;
	return tunnel;
}

static struct packet_fields packet_to(const struct service_of *of, __u8 protocol)
{
	static __u16 ports = 1000; /* no flow twice */

	return (struct packet_fields){
		.source = of->client,
		.destination = of->vip,
		.source_port = ports++,
		.destination_port = protocol == IPPROTO_TCP ? 80 : 53,
		.protocol = protocol,
		.tcp_flags = TCP_SYN,
		.ttl = 61,
		.traffic_class = 0x2a,
		.payload_bytes = 101,
	};
}

static void set_state(const struct service_of *of, __u8 number, const char *state)
{
	if (number)
		sluice("backend set %s %s-%u --state %s", of->name, of->name, number, state);
}

/* All of new flows go there. */
static void pick(const struct service_of *of, __u8 picked, __u8 backends)
{
	char weights[256];
	int length = 0;

	for (__u8 i = A; i <= backends; i++)
		length += snprintf(weights + length, sizeof(weights) - length, " %s-%u=%u",
				   of->name, i, i == picked);
	sluice("weight set %s%s", of->name, weights);
}

static void next_hops(void **state)
{
	const struct row *row = *state;
	const struct tunnel tunnel = tunnel_to(row->picked, row->hop_count, row->hops);

	for (const struct service_of *of = services; of < services + SERVICES; of++) {
		struct packet_fields fields = packet_to(of, IPPROTO_TCP);
		__u32 room = 1500 - tunnel_outer_bytes(&tunnel);
		struct counts too_big;
		struct frame frame;

		pick(of, row->picked, BACKENDS);
		set_state(of, row->drains, "drain");
		set_state(of, row->down, "down");
		set_slots(of, row->slot);
		frame_build(&frame, &fields);
		assert_sent(of->name, &frame, &paths[row->picked], &tunnel, &checked);
		assert_sent("again", &frame, &paths[row->picked], &tunnel, &checked);

		fields.tcp_flags = TCP_ACK;
		fields.payload_bytes = room - 20 - (is_ipv6(&frame) ? 40 : 20);
		frame_build(&frame, &fields);
		assert_sent("longest", &frame, &paths[row->picked], &tunnel, &checked);
		fields.payload_bytes++;
		frame_build(&frame, &fields);
		too_big = drop_counts("too_big");
		assert_int_equal(world_send(&frame), XDP_TX);
		assert_memory_equal(frame.bytes, client_mac.byte, sizeof(client_mac.byte));
		assert_int_equal(drop_counts("too_big").packets, too_big.packets + 1);
		set_state(of, row->drains, "up");
		set_state(of, row->down, "up");
	}
}

/* The slots that userspace made, found as the seed says that all balancers share. */
static void next_hops_by_slots(void **state)
{
	const struct service_of *of = &services[0];
	struct settings settings;
	struct service service;
	struct hash_key key;
	__u32 zero = 0;

	(void)state;
	world_load("slots", "services:\n  - name: in4\n    vip: 192.0.2.1\n    port: 80\n"
			    "    proto: tcp\n    forward: gue\n    local_count: false\n"
			    "    backends:\n"
			    "      - {name: in4-1, address: 10.0.1.2}\n"
			    "      - {name: in4-2, address: 10.0.1.3}\n"
			    "      - {name: in4-3, address: 10.0.2.4}\n");
	service = read_service(of);
	assert_int_equal(bpf_map_lookup_elem(world_pinned("settings"), &zero, &settings), 0);
	key_from_seed(settings.seed, KEY_SLOT, 0, &key);
	pick(of, A, C);
	for (int flow = 0; flow < 200; flow++) {
		const struct packet_fields fields = packet_to(of, IPPROTO_TCP);
		__u64 ports = htons(fields.source_port) | (__u64)htons(80) << 16;
		__u64 source = (__u64)inet_addr(of->client) << 32 | 0xffff0000;
		__u32 index = hash_words(&key, 0, source, ports ^ service.slot_seed);
		struct slot slot;
		struct frame frame;
		__u8 hops[CANDIDATES];
		__u8 count = 0;
		struct tunnel tunnel;

		index = service.slot_base + (index & service.slot_mask);
		assert_int_equal(bpf_map_lookup_elem(world_pinned("slots"), &index, &slot), 0);
		for (int i = 0; i < CANDIDATES; i++) {
			if (slot.candidate[i] != A)
				hops[count++] = slot.candidate[i];
		}
		assert_int_equal(count, 2);
		tunnel = tunnel_to(A, count, hops);
		frame_build(&frame, &fields);
		assert_sent("by slots", &frame, &paths[A], &tunnel, &checked);
	}
}

static void other_port(void **state)
{
	struct tunnel tunnel = tunnel_to(A, 0, NULL);
	const struct packet_fields fields = packet_to(&services[0], IPPROTO_TCP);
	struct frame frame;

	(void)state;
	world_load("port", "load:\n  gue_port: 6080\n");
	sluice("service add in4 --vip 192.0.2.1 --port 80 --proto tcp --forward gue");
	sluice("backend add in4 a --address 10.0.1.2");
	tunnel.gue.destination_port = 6080;
	frame_build(&frame, &fields);
	assert_sent("port 6080", &frame, &paths[A], &tunnel, &checked);
}

/* The port that an error leaves with about what went back to the client that sent @fields. */
static __u16 port_of_error(const struct packet_fields *fields)
{
	struct packet_fields back = *fields;
	struct frame quoted, error;

	back.source = fields->destination;
	back.destination = fields->source;
	back.source_port = fields->destination_port;
	back.destination_port = fields->source_port;
	frame_build(&quoted, &back);
	frame_error(&error, &quoted, "203.0.113.1", 3, 1, 28);
	assert_int_equal(world_send(&error), XDP_TX);
	return read16(&error, AT_IPV4_L4);
}

/* RFC 6335: ports that nobody registers; the same for all packets of a flow, and many of them. */
static void source_ports(void **state)
{
	static __u8 seen[1 << 16];
	unsigned int different = 0;
	struct frame first, again;

	(void)state;
	for (int flow = 0; flow < 1000; flow++) {
		struct packet_fields fields = way_packet(&ways[15], IPPROTO_TCP, 80);
		__u16 port;

		fields.source_port = 20000 + flow;
		frame_build(&first, &fields);
		fields.tcp_flags = TCP_ACK;
		fields.payload_bytes = 5;
		frame_build(&again, &fields);
		assert_int_equal(world_send(&first), XDP_TX);
		assert_int_equal(world_send(&again), XDP_TX);
		port = read16(&first, AT_IPV4_L4);
		assert_int_equal(read16(&again, AT_IPV4_L4), port);
		assert_int_equal(port_of_error(&fields), port);
		assert_in_range(port, 49152, 65535);
		different += !seen[port]++;
	}
	assert_in_range(different, 930, 1000); /* of 16384, drawn by chance */
}

/* The packet's flow label takes the outer checksum through every value, also 0 (RFC 768). */
static void every_checksum(void **state)
{
	const struct way *way = &ways[17];
	const struct packet_fields fields = way_packet(way, IPPROTO_TCP, 80);
	struct frame frame;

	(void)state;
	assert_string_equal(way->name, "gue-6in6-near");
	frame_build(&frame, &fields);
	for (__u32 label = 0; label <= 0xffff; label++) {
		write16(&frame, AT_IP + 2, label);
		assert_forwarded("flow label", way, &frame);
	}
}

/* Where the checksum inside does not cover all of the packet, there is none outside. */
static void without_checksum(void **state)
{
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct packet_fields fields = way_packet(&ways[i], IPPROTO_UDP, 53);
		__u32 l4_at = way_is_ipv6(&ways[i]) ? AT_IPV6_L4 : AT_IPV4_L4;

		if (!way_is_gue(&ways[i]))
			continue;
		for (fields.payload_bytes = 0; fields.payload_bytes < 9; fields.payload_bytes++) {
			frame_build(&frame, &fields);
			assert_forwarded("with a checksum", &ways[i], &frame);
			if (fields.payload_bytes) {
				write16(&frame, l4_at + 4, 8);
				assert_forwarded_in("shorter than its packet", &ways[i], &frame,
						    &unchecked);
			}
		}
		frame_build(&frame, &fields);
		write16(&frame, l4_at + 6, 0);
		assert_forwarded_in("no checksum", &ways[i], &frame, &unchecked);
	}
}

static int open_services(void **state)
{
	if (world_open(state) || ways_load())
		return -1;
	world_use("main");
	for (const struct service_of *of = services; of < services + SERVICES; of++) {
		sluice("service add %s --vip %s --port 80 --proto tcp --forward gue "
		       "--local-count off",
		       of->name, of->vip);
		for (__u8 i = A; i <= BACKENDS; i++)
			sluice("backend add %s %s-%u --address %s", of->name, of->name, i,
			       paths[i].backend);
	}
	return 0;
}

static int use_ways(void **state)
{
	(void)state;
	world_use("ways");
	return 0;
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test_teardown(next_hops_by_slots, world_use_main),
		cmocka_unit_test_teardown(other_port, world_use_main),
		cmocka_unit_test_setup(source_ports, use_ways),
		cmocka_unit_test_setup(every_checksum, use_ways),
		cmocka_unit_test_setup(without_checksum, use_ways),
	};
	struct CMUnitTest tests[ROWS + sizeof(others) / sizeof(others[0])];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] =
			(struct CMUnitTest){rows[i].name, next_hops, NULL, NULL, (void *)&rows[i]};
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests_name("gue", tests, open_services, world_close);
}
