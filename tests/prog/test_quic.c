/* SPDX-License-Identifier: GPL-2.0-only */
/* QUIC packets that name their backend in the connection id, and those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <bpf/bpf.h>

#include "maps/server_id.h"
#include "maps/service.h"
#include "pool.h"
#include "world.h"

#define BACKENDS         3
#define ID_BYTES_MAX     15
#define NONCE_BYTES      4
#define UDP_HEADER_BYTES 8
#define DATAGRAM_BYTES   64
/* The service of n bytes of server id is on this port + n; n 0: it has none. */
#define PORT 440

struct network {
	const char *vip;
	const char *client; /* format, of its number */
	const char *backend;
	__u32 l4_at;
};

static const struct network ipv4 = {"192.0.2.1", "198.51.%u.7", "10.0.1.%u", AT_IPV4_L4};
static const struct network ipv6 = {"2001:db8::1", "2001:db8:c:%x::7", "fd00:0:0:1::%u",
				    AT_IPV6_L4};
static const struct network *const networks[] = {&ipv4, &ipv6};

/* A service whose coin knows b1 alone: what goes to another was sent there by its id. */
struct server {
	const struct network *network;
	__u32 id_bytes;
};

/* What a client sends, in the terms of RFC 8999, 5. */
struct datagram {
	bool is_long;
	__u8 id_bytes; /* of a long header */
	__u8 id[20];
	__u32 bytes; /* all of it */
};

/* Ids that differ in their last byte only. */
static void server_id(__u32 backend, __u32 id_bytes, __u8 *id)
{
	for (__u32 i = 0; i < id_bytes; i++)
		id[i] = 0xa1 + 7 * i;
	id[id_bytes - 1] = 0xf0 + backend;
}

/* Configuration 0, the server's id, and a nonce that is never 0. */
static struct datagram named(const struct server *server, bool is_long, __u32 backend)
{
	struct datagram datagram = {
		.is_long = is_long,
		.id_bytes = 1 + server->id_bytes + NONCE_BYTES,
		.bytes = DATAGRAM_BYTES,
	};

	memset(datagram.id, 0xee, sizeof(datagram.id));
	datagram.id[0] = 0x0b;
	server_id(backend, server->id_bytes, datagram.id + 1);
	return datagram;
}

static void write_datagram(const struct datagram *datagram, __u8 *at)
{
	__u8 whole[300];

	memset(whole, 0xdd, sizeof(whole));
	if (datagram->is_long) {
		/* An Initial packet of version 1 (RFC 9000, 17.2.2). */
		memcpy(whole, "\xc3\x00\x00\x00\x01", 5);
		whole[5] = datagram->id_bytes;
		memcpy(whole + 6, datagram->id, sizeof(datagram->id));
	} else {
		whole[0] = 0x43;
		memcpy(whole + 1, datagram->id, sizeof(datagram->id));
	}
	memcpy(at, whole, datagram->bytes);
}

static void build(const struct server *server, __u32 client, const struct datagram *datagram,
		  struct frame *frame)
{
	char source[64];
	const struct packet_fields fields = {
		.source = source,
		.destination = server->network->vip,
		.source_port = 20000 + client,
		.destination_port = PORT + server->id_bytes,
		.protocol = IPPROTO_UDP,
		.ttl = 64,
		.payload_bytes = datagram->bytes,
	};

	snprintf(source, sizeof(source), server->network->client, client % 250);
	frame_build(frame, &fields);
	write_datagram(datagram, frame->bytes + server->network->l4_at + UDP_HEADER_BYTES);
}

static void assert_goes_from(const char *name, const struct server *server, __u32 client,
			     const struct datagram *datagram, unsigned int expected)
{
	struct frame frame;
	unsigned int got;

	build(server, client, datagram, &frame);
	got = pool_deliver(name, &frame);
	if (got != expected)
		fail_msg("%s: a %s header with a server id of %u bytes went to b%u, expected b%u",
			 name, datagram->is_long ? "long" : "short", server->id_bytes, got,
			 expected);
}

/* From a client that nobody has seen. */
static void assert_goes(const char *name, const struct server *server,
			const struct datagram *datagram, unsigned int expected)
{
	static __u32 clients;

	assert_goes_from(name, server, clients++ % 40000, datagram, expected);
}

static void every_byte_of_the_id(void **state)
{
	const struct server *server = *state;
	struct datagram datagram;

	for (int is_long = 0; is_long < 2; is_long++) {
		for (__u32 backend = 1; backend <= BACKENDS; backend++) {
			datagram = named(server, is_long, backend);
			assert_goes("named", server, &datagram, backend);
			memset(datagram.id + 1 + server->id_bytes, 0, NONCE_BYTES);
			assert_goes("a nonce of 0", server, &datagram, backend);
		}
		for (__u32 i = 0; i < server->id_bytes; i++) {
			datagram = named(server, is_long, 2);
			datagram.id[1 + i] ^= 0x80;
			assert_goes("an id that nobody has", server, &datagram, 1);
		}
	}
}

static void every_configuration(void **state)
{
	const struct server *server = *state;
	struct datagram datagram;

	for (int is_long = 0; is_long < 2; is_long++) {
		for (__u32 octet = 0; octet <= 0xff; octet++) {
			datagram = named(server, is_long, 3);
			datagram.id[0] = octet;
			assert_goes("first octet", server, &datagram, octet < 0xe0 ? 3 : 1);
		}
	}
}

/* Long enough for a nonce, and not longer than any version's that has the draft's ids. */
static void every_length_of_a_long_headers_id(void **state)
{
	const struct server *server = *state;
	struct datagram datagram = named(server, true, 2);

	datagram.bytes = 300;
	for (__u32 bytes = 0; bytes <= 0xff; bytes++) {
		bool good = bytes >= 1 + server->id_bytes + 4 && bytes <= 20;

		datagram.id_bytes = bytes;
		assert_goes("length of the id", server, &datagram, good ? 2 : 1);
	}
}

/* What fits no header with an id of 15 bytes is too short for QUIC with any id (RFC 9001, 5.4.2). */
static void every_truncation(void **state)
{
	const struct server *server = *state;
	__u32 whole_bytes = 6 + 1 + server->id_bytes + NONCE_BYTES;
	struct datagram datagram = named(server, false, 2);

	for (datagram.bytes = 0; datagram.bytes <= 40; datagram.bytes++)
		assert_goes("cut off", server, &datagram, datagram.bytes < 22 ? 1 : 2);
	datagram = named(server, true, 2);
	for (datagram.bytes = 0; datagram.bytes <= 40; datagram.bytes++)
		assert_goes("cut off", server, &datagram,
			    datagram.bytes < 22 || datagram.bytes < whole_bytes ? 1 : 2);
	datagram = named(server, true, 2);
	datagram.id_bytes = 20;
	for (datagram.bytes = 0; datagram.bytes <= 40; datagram.bytes++)
		assert_goes("cut off in its id", server, &datagram, datagram.bytes < 26 ? 1 : 2);
}

/* Bytes behind the datagram are not the client's, be they in the packet or in the frame. */
static void padding_names_nobody(void **state)
{
	const struct server *server = *state;
	struct datagram datagram = named(server, false, 2);
	__u32 udp_length_at = server->network->l4_at + 4;
	__u32 ip_length_at = AT_IP + (server->network == &ipv6 ? 4 : 2);
	struct frame frame;

	build(server, 0, &datagram, &frame);
	write16(&frame, udp_length_at, UDP_HEADER_BYTES + 21);
	assert_int_equal(pool_deliver("behind UDP", &frame), 1);

	build(server, 0, &datagram, &frame);
	write16(&frame, udp_length_at, UDP_HEADER_BYTES + 21);
	write16(&frame, ip_length_at, read16(&frame, ip_length_at) - DATAGRAM_BYTES + 21);
	if (server->network == &ipv4)
		frame_seal(&frame);
	assert_int_equal(pool_deliver("behind IP", &frame), 1);
}

/* Wherever the datagram begins: behind tags, IPv4 options and IPv6 extension headers. */
static void is_found_behind_other_headers(void **state)
{
	static const struct {
		const char *name;
		struct server server;
		struct edit edit;
	} rows[] = {
		{"tag", {&ipv4, 5}, {.insert = {AT_ETHERTYPE, 4, "\x81\x00\x00\x64"}}},
		{"tags",
		 {&ipv4, 5},
		 {.insert = {AT_ETHERTYPE, 8, "\x88\xa8\x00\x07\x81\x00\x00\x64"}}},
		{"options",
		 {&ipv4, 5},
		 {.insert = {AT_IPV4_L4, 4, "\x01\x01\x01\x01"},
		  .pokes = {{AT_IP, 0x46}, {AT_IP + 3, 24 + 8 + DATAGRAM_BYTES}}}},
		{"hop-by-hop header",
		 {&ipv6, 5},
		 {.insert = {AT_IPV6_L4, 8, "\x11\x00\x01\x04\x00\x00\x00\x00"},
		  .pokes = {{AT_IP + 5, 8 + 8 + DATAGRAM_BYTES}, {AT_IP + 6, 0}}}},
	};
	struct datagram datagram;
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (__u32 backend = 1; backend <= BACKENDS; backend++) {
			datagram = named(&rows[i].server, backend % 2, backend);
			build(&rows[i].server, i, &datagram, &frame);
			frame_edit(&frame, &rows[i].edit);
			assert_int_equal(pool_deliver(rows[i].name, &frame), backend);
		}
	}
}

/* All that a client's address is good for is what the id does not say. */
static void stays_when_the_client_moves(void **state)
{
	const struct server *server = *state;
	struct datagram datagram;

	for (__u32 backend = 1; backend <= BACKENDS; backend++) {
		for (__u32 client = 0; client < 20; client++) {
			datagram = named(server, client % 2, backend);
			assert_goes_from("moved", server, 45000 + client, &datagram, backend);
		}
	}
}

static void falls_back_to_the_flow(void **state)
{
	const struct server *server = *state;
	struct datagram nameless = named(server, false, 99);
	struct datagram datagram = named(server, false, 2);

	for (int i = 0; i < 3; i++)
		assert_goes_from("before", server, 44000, &nameless, 1);
	sluice("weight set ipv%d-%u b1=0 b2=0 b3=1", server->network == &ipv4 ? 4 : 6,
	       server->id_bytes);
	assert_goes_from("its flow", server, 44000, &nameless, 1);
	assert_goes_from("a new flow", server, 44001, &nameless, 3);
	assert_goes_from("its id", server, 44000, &datagram, 2);
	sluice("weight set ipv%d-%u b1=1 b2=0 b3=0", server->network == &ipv4 ? 4 : 6,
	       server->id_bytes);
}

static const struct server eight = {&ipv4, 8};

static void follows_the_state_of_the_backend(void **state)
{
	struct datagram datagram = named(&eight, false, 2);

	(void)state;
	sluice("backend set ipv4-8 b2 --state down");
	assert_goes("down", &eight, &datagram, 1);
	sluice("backend set ipv4-8 b2 --state drain");
	assert_goes("drained", &eight, &datagram, 2);
	sluice("backend set ipv4-8 b2 --state up");
	assert_goes("up again", &eight, &datagram, 2);
	sluice("backend del ipv4-8 b2");
	assert_goes("deleted", &eight, &datagram, 1);
	sluice("backend add ipv4-8 b2 --address 10.0.1.3 --weight 0 --server-id %s",
	       "a1a8afb6bdc4cbf2");
	assert_goes("added again", &eight, &datagram, 2);
}

/* Ids are a service's own. */
static void follows_the_service(void **state)
{
	struct datagram datagram = named(&eight, false, 2);
	struct frame frame;

	(void)state;
	sluice("service add other --vip 192.0.2.2 --port %u --proto udp --quic-server-id-bytes 8",
	       PORT + 8);
	sluice("backend add other b1 --address 10.0.1.2 --server-id a1a8afb6bdc4cbf9");
	sluice("backend add other b3 --address 10.0.1.4 --weight 0 --server-id a1a8afb6bdc4cbf2");
	assert_goes("its own", &eight, &datagram, 2);
	build(&eight, 0, &datagram, &frame);
	frame.bytes[AT_IP + 19] = 2;
	frame_seal(&frame);
	assert_int_equal(pool_deliver("the other's", &frame), 3);
	datagram.id[8] = 0xf9;
	assert_goes("the other's id", &eight, &datagram, 1);
}

/* The id of the service that has ids of 8 bytes, by which the map's keys begin. */
static __u16 service_of(const char *vip)
{
	__u32 place = world_place(vip, PORT + 8, IPPROTO_UDP);
	struct service_place found;

	assert_int_equal(bpf_map_lookup_elem(world_pinned("services"), &place, &found), 0);
	return found.half[0].id ? found.half[0].id : found.half[1].id;
}

/* An entry that is a generation early or late names a backend that is another service's by now. */
static void asks_the_backend_whose_it_is(void **state)
{
	struct datagram datagram = named(&eight, false, 2);
	struct server_id_key own = {.service = service_of(eight.network->vip)};
	struct server_id_key other = {.service = service_of("192.0.2.2")};
	int map = world_pinned("server_ids");
	struct server_id was, stale;

	(void)state;
	memcpy(own.server_id, datagram.id + 1, 8);
	memcpy(other.server_id, datagram.id + 1, 8);
	assert_int_equal(bpf_map_lookup_elem(map, &own, &was), 0);
	assert_int_equal(bpf_map_lookup_elem(map, &other, &stale), 0);
	assert_int_equal(bpf_map_update_elem(map, &own, &stale, BPF_EXIST), 0);
	assert_goes("another service's backend", &eight, &datagram, 1);
	assert_int_equal(bpf_map_update_elem(map, &own, &was, BPF_EXIST), 0);
	assert_goes("its own again", &eight, &datagram, 2);
}

static void is_asked_for(void **state)
{
	static const struct server none = {&ipv4, 0};
	struct datagram datagram = named(&eight, false, 2);

	(void)state;
	assert_goes("a service without ids", &none, &datagram, 1);
}

static void open_service(const struct network *network, __u32 id_bytes)
{
	const char *family = network == &ipv4 ? "ipv4" : "ipv6";
	char options[64] = "", address[64];
	__u8 id[ID_BYTES_MAX];

	if (id_bytes)
		snprintf(options, sizeof(options), "--quic-server-id-bytes %u", id_bytes);
	sluice("service add %s-%u --vip %s --port %u --proto udp %s", family, id_bytes,
	       network->vip, PORT + id_bytes, options);
	for (__u32 backend = 1; backend <= BACKENDS; backend++) {
		int length = 0;

		if (id_bytes) {
			server_id(backend, id_bytes, id);
			length = snprintf(options, sizeof(options), "--server-id ");
			for (__u32 i = 0; i < id_bytes; i++)
				length += snprintf(options + length, sizeof(options) - length,
						   "%02x", id[i]);
		}
		snprintf(address, sizeof(address), network->backend, backend + 1);
		sluice("backend add %s-%u b%u --address %s --weight %u %s", family, id_bytes,
		       backend, address, backend == 1, options);
	}
}

static int open_services(void **state)
{
	if (world_open(state))
		return -1;
	for (__u32 id_bytes = 0; id_bytes <= ID_BYTES_MAX; id_bytes++) {
		for (size_t i = 0; i < 2; i++)
			open_service(networks[i], id_bytes);
	}
	return 0;
}

int main(void)
{
	static const struct {
		const char *name;
		CMUnitTestFunction run;
	} of_each_server[] = {
		{"every byte of the id", every_byte_of_the_id},
		{"every configuration", every_configuration},
		{"every length of a long header's id", every_length_of_a_long_headers_id},
		{"every truncation", every_truncation},
		{"padding", padding_names_nobody},
		{"client moves", stays_when_the_client_moves},
		{"no id", falls_back_to_the_flow},
	};
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(is_found_behind_other_headers),
		cmocka_unit_test(follows_the_state_of_the_backend),
		cmocka_unit_test(follows_the_service),
		cmocka_unit_test(asks_the_backend_whose_it_is),
		cmocka_unit_test(is_asked_for),
	};
	enum { KINDS = sizeof(of_each_server) / sizeof(of_each_server[0]) };
	enum { OF_SERVERS = 2 * ID_BYTES_MAX * KINDS };
	struct CMUnitTest tests[OF_SERVERS + sizeof(others) / sizeof(others[0])];
	struct server servers[2 * ID_BYTES_MAX];
	char names[OF_SERVERS][64];

	for (size_t i = 0; i < OF_SERVERS; i++) {
		struct server *server = &servers[i / KINDS];

		*server = (struct server){networks[i / KINDS % 2], 1 + i / KINDS / 2};
		snprintf(names[i], sizeof(names[i]), "%s, %u bytes: %s",
			 server->network == &ipv4 ? "IPv4" : "IPv6", server->id_bytes,
			 of_each_server[i % KINDS].name);
		tests[i] = (struct CMUnitTest){names[i], of_each_server[i % KINDS].run, NULL, NULL,
					       server};
	}
	memcpy(tests + OF_SERVERS, others, sizeof(others));
	return cmocka_run_group_tests_name("quic", tests, open_services, world_close);
}
