/* SPDX-License-Identifier: GPL-2.0-only */
/* ICMP errors about our flows: to the backend of the flow, and without a trace in its memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <bpf/bpf.h>

#include "icmp.h"
#include "maps/flow.h"
#include "pool.h"
#include "way.h"

#define ROUTER_IPV4 "203.0.113.1"
#define ROUTER_IPV6 "2001:db8:f::1"
#define SMALL       "load:\n  flows_per_cpu: 1024\n"

static const struct pool pools[] = {
	{"dsr4", "192.0.2.101", 80, IPPROTO_TCP, 3},
	{"dsr6", "2001:db8::101", 80, IPPROTO_TCP, 3},
	{"dsr4-udp", "192.0.2.101", 53, IPPROTO_UDP, 3},
	{"dsr6-udp", "2001:db8::101", 53, IPPROTO_UDP, 3},
	{"ipip4", "192.0.2.102", 80, IPPROTO_TCP, 3},
	{"ipip6", "2001:db8::102", 80, IPPROTO_TCP, 3},
	{"gue4", "192.0.2.103", 80, IPPROTO_TCP, 3},
	{"gue6", "2001:db8::103", 80, IPPROTO_TCP, 3},
};

#define POOLS (sizeof(pools) / sizeof(pools[0]))

struct kind {
	__u8 type;
	__u8 last_code;
};

/* RFC 792, RFC 1122, RFC 1812; RFC 4443. */
static const struct kind kinds_ipv4[] = {{3, 15}, {11, 1}, {12, 2}};
static const struct kind kinds_ipv6[] = {{1, 7}, {2, 0}, {3, 1}, {4, 3}};

static __u32 kinds_of(bool ipv6, const struct kind **kinds)
{
	*kinds = ipv6 ? kinds_ipv6 : kinds_ipv4;
	return ipv6 ? 4 : 3;
}

/* What the backend answered, and a router on the way to the client did not like. */
static void turn_round(struct packet_fields *fields)
{
	const struct packet_fields in = *fields;

	fields->source = in.destination;
	fields->destination = in.source;
	fields->source_port = in.destination_port;
	fields->destination_port = in.source_port;
	fields->payload_bytes = 40;
}

static const char *router_of(const struct frame *frame)
{
	return is_ipv6(frame) ? ROUTER_IPV6 : ROUTER_IPV4;
}

static void build_quoted(struct frame *quoted, const struct pool *pool, __u32 client)
{
	char source[INET6_ADDRSTRLEN];
	struct packet_fields fields = pool_packet(pool, client, TCP_ACK, source);

	turn_round(&fields);
	frame_build(quoted, &fields);
}

/* Unreachable, with all of the packet. */
static void build_about(struct frame *error, const struct frame *quoted)
{
	frame_error(error, quoted, router_of(quoted), is_ipv6(quoted) ? 1 : 3, 0,
		    quoted->length_bytes - AT_IP);
}

static unsigned int send_error(const struct pool *pool, __u32 client)
{
	struct frame quoted, error;

	build_quoted(&quoted, pool, client);
	build_about(&error, &quoted);
	return pool_deliver(pool->service, &error);
}

/* All sets of all CPUs; to be freed. */
static struct flow_set *read_flows(__u32 *bytes)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info), next;
	struct flow_set *flows;

	assert_int_equal(bpf_obj_get_info_by_fd(world_pinned("flows"), &info, &length), 0);
	flows = calloc(info.max_entries, sizeof(*flows));
	assert_non_null(flows);
	for (next = 0; next < info.max_entries; next++)
		assert_int_equal(bpf_map_lookup_elem(world_pinned("flows"), &next, &flows[next]),
				 0);
	*bytes = info.max_entries * sizeof(*flows);
	return flows;
}

static void assert_flows_unchanged(struct flow_set *before)
{
	__u32 bytes;
	struct flow_set *now = read_flows(&bytes);

	assert_memory_equal(now, before, bytes);
	free(now);
	free(before);
}

static void every_byte(void **state)
{
	static const struct manner manner = {.tags = "", .unchecked = true};
	static const __u8 protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct frame quoted, error;
	const struct kind *kinds;
	char name[64];

	(void)state;
	world_use("ways");
	for (size_t i = 0; i < 2 * WAYS; i++) {
		const struct way *way = &ways[i / 2];
		__u8 protocol = protocols[i % 2];
		struct packet_fields fields = way_packet(way, protocol, way_port(protocol));
		__u32 count = kinds_of(way_is_ipv6(way), &kinds);

		turn_round(&fields);
		frame_build(&quoted, &fields);
		for (__u32 k = 0; k < count; k++) {
			for (__u32 code = 0; code <= kinds[k].last_code; code++) {
				frame_error(&error, &quoted, router_of(&quoted), kinds[k].type,
					    code, quoted.length_bytes - AT_IP - 40 + k);
				snprintf(name, sizeof(name), "type %u, code %u", kinds[k].type,
					 code);
				assert_forwarded_in(name, way, &error, &manner);
			}
		}
		error.bytes[AT_IP + (way_is_ipv6(way) ? 7 : 8)] = 1;
		if (!way_is_ipv6(way))
			frame_seal(&error);
		assert_dropped("at its last hop", &error, "ttl_expired");
	}
	world_use("errors");
}

/* All types but those above, echo and its answer among them: nothing that is about a flow. */
static void other_types(void **state)
{
	const struct kind *kinds;
	struct frame quoted, error;
	char name[32];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		__u32 count = kinds_of(i, &kinds);

		build_quoted(&quoted, &pools[i], 1);
		for (__u32 type = 0; type <= 255; type++) {
			bool known = false;

			for (__u32 k = 0; k < count; k++)
				known |= kinds[k].type == type;
			if (known || type == (i ? 128 : 8))
				continue;
			frame_error(&error, &quoted, router_of(&quoted), type, 0, 60);
			snprintf(name, sizeof(name), "type %u", type);
			assert_left_to_stack(name, &error);
		}
	}
}

/* A flow is pinned to b1, then the coin says b2: its errors go to b1, those of others to b2. */
static void pinned_flow(void **state)
{
	(void)state;
	for (size_t i = 0; i < POOLS; i++) {
		const struct pool *pool = &pools[i];
		struct flow_set *flows;
		long new_flows;
		__u32 bytes;

		sluice("weight set %s b1=1 b2=0 b3=0", pool->service);
		assert_int_equal(pool_send(pool, 10, TCP_SYN), 1); /* on probation */
		assert_int_equal(pool_establish(pool, 11), 1);
		assert_int_equal(pool_establish(pool, 12), 1);
		assert_int_equal(pool_send(pool, 12, TCP_ACK | TCP_FIN), 1);
		sluice("weight set %s b1=0 b2=1 b3=0", pool->service);
		flows = read_flows(&bytes);
		new_flows = service_counts(pool->service).new_flows;
		for (unsigned int cpu = 0; cpu < 4; cpu++) {
			world_cpu(cpu % 2);
			assert_int_equal(send_error(pool, 10), 1);
			assert_int_equal(send_error(pool, 11), 1);
			assert_int_equal(send_error(pool, 12), 1);
			assert_int_equal(send_error(pool, 13), 2);
		}
		world_cpu(0);
		assert_flows_unchanged(flows);
		assert_int_equal(service_counts(pool->service).new_flows, new_flows);
		assert_int_equal(pool_send(pool, 11, TCP_ACK), 1);
		assert_int_equal(pool_send(pool, 13, TCP_ACK), 2);
	}
}

/* The pin is of no use any more: the coin again, and the pin stays as it is. */
static void pinned_to_who_is_down(void **state)
{
	struct flow_set *flows;
	__u32 bytes;

	(void)state;
	for (size_t i = 0; i < POOLS; i++) {
		sluice("weight set %s b1=1 b2=0 b3=0", pools[i].service);
		assert_int_equal(pool_establish(&pools[i], 20), 1);
		assert_int_equal(pool_send(&pools[i], 21, TCP_SYN), 1); /* on probation */
		sluice("weight set %s b1=1 b2=1 b3=0", pools[i].service);
		sluice("backend set %s b1 --state down", pools[i].service);
		flows = read_flows(&bytes);
		assert_int_equal(send_error(&pools[i], 20), 2);
		assert_int_equal(send_error(&pools[i], 21), 2);
		assert_flows_unchanged(flows);
		sluice("backend set %s b1 --state drain", pools[i].service);
		assert_int_equal(send_error(&pools[i], 20), 1);
		sluice("backend set %s b1 --state up", pools[i].service);
		assert_int_equal(pool_send(&pools[i], 20, TCP_ACK), 1);
	}
}

/* Before anything of the flow was seen here: where its packets will go. */
static void where_the_coin_says(void **state)
{
	unsigned int went_to[POOL_CLIENTS];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		pool_load(pools[i].service, &pools[i], false);
		for (__u32 client = 0; client < POOL_CLIENTS; client++) {
			went_to[client] = send_error(&pools[i], client);
			pool_assert_went("its SYN", client, pool_send(&pools[i], client, TCP_SYN),
					 went_to[client]);
		}
		pool_assert_all_used(went_to);
	}
	world_use("errors");
}

/* All that RFC 792 promises is 8 bytes of the segment. */
static void length_of_the_quote(void **state)
{
	struct frame quoted, error;
	char name[64];

	(void)state;
	for (size_t i = 0; i < POOLS; i++) {
		__u32 header_bytes;

		build_quoted(&quoted, &pools[i], 1);
		header_bytes = is_ipv6(&quoted) ? 40 : 20;
		for (__u32 bytes = 0; bytes <= header_bytes + 28; bytes++) {
			frame_error(&error, &quoted, router_of(&quoted), 3, 1, bytes);
			snprintf(name, sizeof(name), "%s: a quote of %u bytes", pools[i].service,
				 bytes);
			if (bytes < header_bytes + 8)
				assert_left_to_stack(name, &error);
			else
				assert_int_not_equal(pool_deliver(name, &error), 0);
		}
	}
}

/* The frame goes on behind the packet, with what looks like the rest of the quote. */
static void padded(void **state)
{
	struct frame quoted, error;

	(void)state;
	for (size_t i = 0; i < POOLS; i++) {
		build_quoted(&quoted, &pools[i], 1);
		frame_error(&error, &quoted, router_of(&quoted), 3, 1,
			    (is_ipv6(&quoted) ? 40 : 20) + 7);
		error.bytes[error.length_bytes] = quoted.bytes[error.length_bytes];
		error.length_bytes += 20;
		assert_left_to_stack("7 bytes and padding", &error);
	}
}

/* Headers in between, inside or outside. */
static void longer_headers(void **state)
{
	static const __u8 no_operation[40] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
					      1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
					      1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	static const struct extension extensions[] = {
		{IPPROTO_HOPOPTS, 0, 0, 0, 0}, {IPPROTO_DSTOPTS, 2, 0, 0, 0},
		{IPPROTO_ROUTING, 2, 2, 0, 0}, {IPPROTO_FRAGMENT, 0, 0, 1, 9},
		{IPPROTO_DSTOPTS, 0, 0, 0, 0}, {IPPROTO_DSTOPTS, 1, 0, 0, 0},
	};
	struct frame quoted, error;
	unsigned int backend;

	(void)state;
	for (size_t i = 0; i < POOLS; i++) {
		bool ipv6 = i % 2;

		backend = send_error(&pools[i], 30);
		for (__u32 count = 1; count <= (ipv6 ? 6 : 10); count++) {
			build_quoted(&quoted, &pools[i], 30);
			if (ipv6)
				frame_add_extensions(&quoted, extensions, count);
			else
				frame_add_options(&quoted, no_operation, count);
			build_about(&error, &quoted);
			assert_int_equal(pool_deliver("inside", &error), backend);

			build_quoted(&quoted, &pools[i], 30);
			build_about(&error, &quoted);
			if (ipv6)
				frame_add_extensions(&error, extensions, count > 3 ? 3 : count);
			else
				frame_add_options(&error, no_operation, count);
			assert_int_equal(pool_deliver("outside", &error), backend);
		}
	}
}

/* What is quoted is spoilt so; offsets are those of the quoted packet in a frame of its own. */
static const struct {
	const char *name;
	size_t pool;
	struct edit edit;
} spoilt[] = {
	{"from another address", 0, {.pokes = {{AT_IP + 15, 102}}}},
	{"from a port without service", 0, {.pokes = {{AT_IPV4_L4 + 1, 81}}}},
	{"from a port of UDP only", 0, {.pokes = {{AT_IPV4_L4 + 1, 53}}}},
	{"ICMP", 0, {.pokes = {{AT_IP + 9, 1}}}},
	{"SCTP", 0, {.pokes = {{AT_IP + 9, 132}}}},
	{"a later fragment", 0, {.pokes = {{AT_IP + 7, 1}}}},
	{"the last fragment", 2, {.pokes = {{AT_IP + 6, 0x1f}, {AT_IP + 7, 0xff}}}},
	{"version 6 in version 4", 0, {.pokes = {{AT_IP, 0x65}}}},
	{"a header of 4 words", 0, {.pokes = {{AT_IP, 0x44}}}},
	{"a header of 15 words, not all there", 2, {.pokes = {{AT_IP, 0x4f}}}},
	{"from another address, IPv6", 1, {.pokes = {{AT_IP + 8, 0x21}}}},
	{"from a port without service, IPv6", 1, {.pokes = {{AT_IPV6_L4 + 1, 81}}}},
	{"ICMPv6", 1, {.pokes = {{AT_IP + 6, 58}}}},
	{"ESP", 1, {.pokes = {{AT_IP + 6, 50}}}},
	{"version 4 in version 6", 1, {.pokes = {{AT_IP, 0x45}}}},
	{"a later fragment, IPv6",
	 1,
	 {.pokes = {{AT_IP + 6, 44}}, .insert = {AT_IPV6_L4, 8, "\6\0\0\x08\0\0\0\1"}}},
	{"a routing header under way",
	 3,
	 {.pokes = {{AT_IP + 6, 43}}, .insert = {AT_IPV6_L4, 8, "\x11\0\2\1\0\0\0\0"}}},
};

static void spoilt_quotes(void **state)
{
	struct frame quoted, error;

	(void)state;
	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		struct frame whole;

		build_quoted(&whole, &pools[spoilt[i].pool], 1);
		quoted = whole;
		frame_edit(&quoted, &spoilt[i].edit);
		build_about(&error, &whole);
		memcpy(error.bytes + icmp_at(is_ipv6(&whole) ? IPV6 : IPV4) + 8,
		       quoted.bytes + AT_IP, whole.length_bytes - AT_IP);
		frame_seal_icmp(&error, AT_IP);
		assert_left_to_stack(spoilt[i].name, &error);
	}
}

/* An error that is a fragment itself may have any part of its quote elsewhere. */
static void fragments_and_truncations(void **state)
{
	struct frame quoted, error, part;

	(void)state;
	for (size_t i = 0; i < POOLS; i++) {
		build_quoted(&quoted, &pools[i], 1);
		build_about(&error, &quoted);
		assert_truncated_is_left(pools[i].service, &error);
		frame_fragment(&part, &error, 0, 72, 0x99);
		assert_left_to_stack("a first fragment", &part);
		frame_fragment(&part, &error, 8, 64, 0x99);
		assert_left_to_stack("a later fragment", &part);
	}
}

static int open_services(void **state)
{
	if (ways_open(state))
		return -1;
	world_load("errors", SMALL);
	for (size_t i = 0; i < POOLS; i++)
		pool_open(&pools[i], i < 4   ? "--local-count off"
				     : i < 6 ? "--local-count off --forward ipip"
					     : "--local-count off --forward gue");
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte),
		cmocka_unit_test(other_types),
		cmocka_unit_test(pinned_flow),
		cmocka_unit_test(pinned_to_who_is_down),
		cmocka_unit_test(where_the_coin_says),
		cmocka_unit_test(length_of_the_quote),
		cmocka_unit_test(padded),
		cmocka_unit_test(longer_headers),
		cmocka_unit_test(spoilt_quotes),
		cmocka_unit_test(fragments_and_truncations),
	};

	return cmocka_run_group_tests_name("error", tests, open_services, world_close);
}
