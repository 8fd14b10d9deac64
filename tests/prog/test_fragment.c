/* SPDX-License-Identifier: GPL-2.0-only */
/* Fragments: all of a datagram arrive at one backend, in whatever order they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <bpf/bpf.h>

#include "icmp.h"
#include "maps/fragment.h"
#include "pool.h"
#include "user/kernel/tick.h"
#include "way.h"

#define CLIENTS    40
#define PART_BYTES 400
#define PARTS      4 /* of a datagram, the last is shorter */

static const struct pool pools[] = {
	{"ipv4", "192.0.2.101", 53, IPPROTO_UDP, 3},
	{"ipv6", "2001:db8::101", 53, IPPROTO_UDP, 3},
	{"ipv4-tcp", "192.0.2.101", 80, IPPROTO_TCP, 3},
	{"ipv6-tcp", "2001:db8::101", 80, IPPROTO_TCP, 3},
};

/* Added before the others, so that those are not the lowest of their VIPs for being first. */
static const struct pool high_ports[] = {
	{"ipv4-high", "192.0.2.101", 5000, IPPROTO_UDP, 3},
	{"ipv6-high", "2001:db8::101", 5000, IPPROTO_UDP, 3},
};

#define POOLS (sizeof(pools) / sizeof(pools[0]))

/* Part @number of the datagram of that identification. */
static void build_part(struct frame *part, const struct pool *pool, __u32 client, __u16 source_port,
		       __u32 identification, __u32 number)
{
	char source[INET6_ADDRSTRLEN];
	struct packet_fields fields = pool_packet(pool, client, TCP_ACK, source);
	struct frame whole;
	__u32 left;

	fields.source_port = source_port;
	fields.payload_bytes = PARTS * PART_BYTES - 33;
	frame_build(&whole, &fields);
	left = whole.length_bytes - (is_ipv6(&whole) ? AT_IPV6_L4 : AT_IPV4_L4) -
	       number * PART_BYTES;
	frame_fragment(part, &whole, number * PART_BYTES, left < PART_BYTES ? left : PART_BYTES,
		       identification);
}

static unsigned int send_part(const struct pool *pool, __u32 client, __u16 source_port,
			      __u32 identification, __u32 number)
{
	struct frame frame;
	char name[80];

	build_part(&frame, pool, client, source_port, identification, number);
	snprintf(name, sizeof(name), "%s, client %u, part %u", pool->service, client, number);
	return pool_deliver(name, &frame);
}

/* A datagram that needs no fragments. */
static unsigned int send_whole(const struct pool *pool, __u32 client, __u16 source_port)
{
	char source[INET6_ADDRSTRLEN];
	struct packet_fields fields = pool_packet(pool, client, TCP_ACK, source);
	struct frame frame;

	fields.source_port = source_port;
	frame_build(&frame, &fields);
	return pool_deliver("unfragmented", &frame);
}

/* Change the entries that are there by so many ticks; returns how many these are. */
static unsigned int age_entries(__u16 ticks)
{
	struct fragment entry;
	unsigned int count = 0;

	for (__u32 key = 0; key < FRAGMENTS_MAX; key++) {
		assert_int_equal(bpf_map_lookup_elem(world_pinned("fragments"), &key, &entry), 0);
		if (!entry.tag)
			continue;
		count++;
		entry.tick -= ticks;
		if (ticks)
			assert_int_equal(
				bpf_map_update_elem(world_pinned("fragments"), &key, &entry, 0), 0);
	}
	return count;
}

static int forget_entries(void **state)
{
	static const struct fragment none;

	(void)state;
	for (__u32 key = 0; key < FRAGMENTS_MAX; key++)
		bpf_map_update_elem(world_pinned("fragments"), &key, &none, 0);
	return 0;
}

static void every_byte(void **state)
{
	static const struct manner manner = {.tags = "", .unchecked = true};
	static const __u8 protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct frame whole, part;

	(void)state;
	for (size_t i = 0; i < 2 * WAYS; i++) {
		const struct way *way = &ways[i / 2];
		__u8 protocol = protocols[i % 2];
		struct packet_fields fields = way_packet(way, protocol, way_port(protocol));

		frame_build(&whole, &fields); /* 120 or 108 bytes */
		frame_fragment(&part, &whole, 0, 24, 0x4711);
		assert_forwarded_in("first", way, &part, &manner);
		frame_fragment(&part, &whole, 24, 8, 0x4711);
		assert_forwarded_in("middle", way, &part, &manner);
		frame_fragment(&part, &whole, 104,
			       whole.length_bytes - 104 - AT_IPV4_L4 - (way_is_ipv6(way) ? 20 : 0),
			       0x4711);
		assert_forwarded_in("last", way, &part, &manner);
		frame_fragment(&part, &whole, 32, 72, 0x4712);
		assert_forwarded_in("of another datagram", way, &part, &manner);
		part.bytes[AT_IP + (way_is_ipv6(way) ? 7 : 8)] = 1;
		if (!way_is_ipv6(way))
			frame_seal(&part);
		assert_dropped("at its last hop", &part, "ttl_expired");
	}
}

/* The ports were seen: all goes where the flow goes, on whatever CPU it comes. */
static void first_comes_first(void **state)
{
	unsigned int seen = 0;

	(void)state;
	for (size_t i = 0; i < POOLS * CLIENTS; i++) {
		const struct pool *pool = &pools[i / CLIENTS];
		__u32 client = i % CLIENTS;
		unsigned int backend = send_part(pool, client, 2000, 100 + client, 0);

		world_cpu(client % 2);
		for (__u32 part = 1; part < PARTS; part++)
			pool_assert_went("later part", client,
					 send_part(pool, client, 2000, 100 + client, part),
					 backend);
		pool_assert_went("whole", client, send_whole(pool, client, 2000), backend);
		pool_assert_went("first again", client,
				 send_part(pool, client, 2000, 100 + client, 0), backend);
		world_cpu(0);
		seen |= 1 << backend;
	}
	assert_int_equal(seen, 1 << 1 | 1 << 2 | 1 << 3);
}

/* They did not: the first goes where the later ones went. The flow's other datagrams do not. */
static void first_comes_late(void **state)
{
	unsigned int seen = 0, elsewhere = 0;

	(void)state;
	for (size_t i = 0; i < POOLS * CLIENTS; i++) {
		const struct pool *pool = &pools[i / CLIENTS];
		__u32 client = i % CLIENTS;
		unsigned int flow = send_whole(pool, client, 3000);
		unsigned int backend = send_part(pool, client, 3000, 200 + client, 2);

		for (__u32 part = 0; part < PARTS; part++)
			pool_assert_went("the rest", client,
					 send_part(pool, client, 3000, 200 + client, part),
					 backend);
		pool_assert_went("next datagram", client,
				 send_part(pool, client, 3000, 300 + client, 0), flow);
		pool_assert_went("and its rest", client,
				 send_part(pool, client, 3000, 300 + client, 1), flow);
		pool_assert_went("whole", client, send_whole(pool, client, 3000), flow);
		seen |= 1 << backend;
		elsewhere += flow != backend;
	}
	assert_int_equal(seen, 1 << 1 | 1 << 2 | 1 << 3);
	assert_int_not_equal(elsewhere, 0);
}

/* A source port of @client whose flow goes to another backend than @backend. */
static __u16 port_elsewhere(const struct pool *pool, __u32 client, unsigned int backend)
{
	__u16 port = 4001;

	while (send_whole(pool, client, port) == backend)
		port++;
	return port;
}

static void two_datagrams_at_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < POOLS; i++) {
		unsigned int one = send_whole(&pools[i], 0, 4000);
		__u16 port = port_elsewhere(&pools[i], 0, one);
		unsigned int other = send_whole(&pools[i], 0, port);
		__u32 id = 400;

		do { /* a key that nobody knows may have put both at one place */
			forget_entries(NULL);
			id += 2;
			assert_int_equal(send_part(&pools[i], 0, 4000, id, 0), one);
			assert_int_equal(send_part(&pools[i], 0, port, id + 1, 0), other);
		} while (age_entries(0) < 2);
		for (__u32 part = PARTS; --part;) {
			assert_int_equal(send_part(&pools[i], 0, 4000, id, part), one);
			assert_int_equal(send_part(&pools[i], 0, port, id + 1, part), other);
		}
	}
}

static void identification_is_used_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < POOLS; i++) {
		unsigned int one = send_part(&pools[i], 1, 4000, 500, 0);
		__u16 port = port_elsewhere(&pools[i], 1, one);
		unsigned int other = send_whole(&pools[i], 1, port);

		assert_int_equal(send_part(&pools[i], 1, 4000, 500, 1), one);
		assert_int_equal(send_part(&pools[i], 1, port, 500, 0), other);
		assert_int_equal(send_part(&pools[i], 1, port, 500, 1), other);
		assert_int_equal(send_part(&pools[i], 1, port, 500, 3), other);
	}
}

/* For 30 s. What is older is as if it had not been: a later part goes by its addresses. */
static void life(void **state)
{
	__u16 life_ticks = 30000000000ULL / (64 * tick_ns());

	(void)state;
	for (size_t i = 0; i < POOLS; i++) {
		const struct pool *pool = &pools[i];
		unsigned int by_address = send_part(pool, 2, 4000, 600, 1);
		__u16 port = port_elsewhere(pool, 2, by_address);
		unsigned int by_ports = send_part(pool, 2, port, 601, 0);

		assert_int_not_equal(by_ports, by_address);
		age_entries(life_ticks - 3); /* the clock goes on meanwhile */
		assert_int_equal(send_part(pool, 2, port, 601, 1), by_ports);
		assert_int_equal(send_part(pool, 2, port, 600, 0), by_address);
		age_entries(3);
		assert_int_equal(send_part(pool, 2, port, 601, 2), by_address);
		assert_int_equal(send_part(pool, 2, port, 600, 0), by_ports);
		forget_entries(NULL);
	}
}

/* Both ports of the VIP have the same three backends behind them. */
static void several_services(void **state)
{
	unsigned int differ = 0;

	(void)state;
	for (size_t i = 0; i < 2 * CLIENTS; i++) {
		const struct pool *high = &high_ports[i / CLIENTS];
		__u32 client = i % CLIENTS;
		unsigned int backend = send_part(high, client, 2000, 700 + client, 0);
		unsigned int by_address;

		pool_assert_went("later part", client,
				 send_part(high, client, 2000, 700 + client, 1), backend);
		pool_assert_went("whole", client, send_whole(high, client, 2000), backend);
		by_address = send_part(high, client, 2000, 800 + client, 1);
		pool_assert_went("first comes late", client,
				 send_part(high, client, 2000, 800 + client, 0), by_address);
		pool_assert_went("last", client, send_part(high, client, 2000, 800 + client, 3),
				 by_address);
		differ += backend != by_address;
	}
	assert_int_not_equal(differ, 0);
}

/* Of whatever no service is there for: a port, a protocol, a VIP. */
static void not_ours(void **state)
{
	static const struct pool others[] = {
		{"a port without service", "192.0.2.101", 54, IPPROTO_UDP, 0},
		{"a port without service, IPv6", "2001:db8::101", 54, IPPROTO_UDP, 0},
		{"a port of UDP only", "192.0.2.101", 53, IPPROTO_TCP, 0},
	};
	static const struct pool nobody[] = {
		{"a VIP without UDP", "192.0.2.102", 53, IPPROTO_UDP, 0},
		{"another address", "192.0.2.103", 53, IPPROTO_UDP, 0},
		{"another address, IPv6", "2001:db8::102", 53, IPPROTO_UDP, 0},
		{"another address, TCP", "2001:db8::102", 80, IPPROTO_TCP, 0},
	};
	struct frame frame;

	(void)state;
	for (__u32 part = 0; part < PARTS; part++) {
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
			build_part(&frame, &others[i], 3, 2000, 900, part);
			assert_left_to_stack(others[i].service, &frame);
		}
	}
	assert_int_equal(age_entries(0), 3);
	for (__u32 part = PARTS; part--;) {
		for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
			build_part(&frame, &nobody[i], 3, 2000, 900, part);
			assert_left_to_stack(nobody[i].service, &frame);
		}
	}
	assert_int_equal(age_entries(0), 3);
	/* A later part that comes first goes somewhere; that opens no port to the first. */
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_not_equal(send_part(&others[i], 3, 2000, 901, 1), 0);
		build_part(&frame, &others[i], 3, 2000, 901, 0);
		assert_left_to_stack(others[i].service, &frame);
	}
}

/* Fragments of what has no ports that we look at. */
static void other_protocols(void **state)
{
	static const __u8 protocols[] = {IPPROTO_ICMP,   IPPROTO_GRE,  IPPROTO_ESP,
					 IPPROTO_ICMPV6, IPPROTO_SCTP, IPPROTO_IPIP};
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(protocols); i++) {
		for (__u32 part = 0; part < PARTS; part++) {
			build_part(&frame, &pools[0], 4, 2000, 1000, part);
			frame.bytes[AT_IP + 9] = protocols[i];
			frame_seal(&frame);
			assert_left_to_stack("IPv4", &frame);
			build_part(&frame, &pools[1], 4, 2000, 1000, part);
			frame.bytes[AT_IPV6_L4] = protocols[i];
			assert_left_to_stack("IPv6", &frame);
		}
	}
}

/* RFC 1858: what a first fragment must have at least, or nobody can say what it is. */
static void tiny_first(void **state)
{
	static const __u32 needed[] = {8, 8, 24, 24};
	char source[INET6_ADDRSTRLEN];
	struct packet_fields fields;
	struct frame whole, frame;
	char name[64];

	(void)state;
	for (size_t i = 0; i < POOLS; i++) {
		fields = pool_packet(&pools[i], 99, TCP_SYN, source);
		fields.payload_bytes = 100;
		frame_build(&whole, &fields);
		for (__u32 bytes = 0; bytes <= 24; bytes += 8) {
			frame_fragment(&frame, &whole, 0, bytes, 1100);
			snprintf(name, sizeof(name), "%s, %u bytes", pools[i].service, bytes);
			if (bytes < needed[i])
				assert_left_to_stack(name, &frame);
			else
				assert_int_not_equal(pool_deliver(name, &frame), 0);
		}
	}
}

static void cut_off(void **state)
{
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < POOLS; i++) {
		build_part(&frame, &pools[i], 5, 2000, 1200, 0);
		assert_truncated_is_left("first", &frame);
		build_part(&frame, &pools[i], 5, 2000, 1200, 1);
		assert_truncated_is_left("later", &frame);
	}
	assert_int_equal(age_entries(0), 0);
}

static int open_services(void **state)
{
	if (ways_open(state))
		return -1;
	for (size_t i = 0; i < 2; i++)
		pool_open(&high_ports[i], "--local-count off");
	for (size_t i = 0; i < POOLS; i++)
		pool_open(&pools[i], "--local-count off");
	sluice("service add no-udp --vip 192.0.2.102 --port any --proto tcp");
	sluice("backend add no-udp b1 --address 10.0.1.2");
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_byte, forget_entries),
		cmocka_unit_test_setup(first_comes_first, forget_entries),
		cmocka_unit_test_setup(first_comes_late, forget_entries),
		cmocka_unit_test_setup(two_datagrams_at_once, forget_entries),
		cmocka_unit_test_setup(identification_is_used_again, forget_entries),
		cmocka_unit_test_setup(life, forget_entries),
		cmocka_unit_test_setup(several_services, forget_entries),
		cmocka_unit_test_setup(not_ours, forget_entries),
		cmocka_unit_test_setup(other_protocols, forget_entries),
		cmocka_unit_test_setup(tiny_first, forget_entries),
		cmocka_unit_test_setup(cut_off, forget_entries),
	};

	return cmocka_run_group_tests_name("fragment", tests, open_services, world_close);
}
