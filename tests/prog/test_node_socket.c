/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The second chance and the node's own connections: real sockets, whose packets must stay here.
 *
 * The namespace has the VIPs and the clients' addresses, so that both ends of a connection are in
 * this process. Each packet under test comes in a tunnel with one hop to go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "node.h"

enum { PORT = 80, LAZY_PORT = 81 };

/* clang-format off: the same for both families. */
static const struct tunnel tunnels[] = {
	{"4-in-4",
	 {"10.0.1.9", OURS_IPV4, 0, 0},
	 {"198.51.100.7", "192.0.2.1", 0, PORT, IPPROTO_TCP, TCP_ACK, 63, 0, 9, 41},
	 {50001, 19523, true, true, 0, 1, {"10.0.1.2"}}},
	{"6-in-6",
	 {"fd00:0:0:1::9", OURS_IPV6, 0, 0x12345},
	 {"2001:db8:c::7", "2001:db8::1", 0, PORT, IPPROTO_TCP, TCP_ACK, 63, 0, 0, 41},
	 {50001, 19523, true, true, 0, 1, {"fd00:0:0:1::2"}}},
	{"4-in-6",
	 {"fd00:0:0:1::9", OURS_IPV6, 0, 0x12345},
	 {"198.51.100.7", "192.0.2.1", 0, PORT, IPPROTO_TCP, TCP_ACK, 63, 0, 9, 41},
	 {50001, 19523, true, true, 0, 1, {"fd00:0:0:1::2"}}},
};
/* clang-format on */

#define TUNNELS (sizeof(tunnels) / sizeof(tunnels[0]))

/* A listener in either family and the two ends of a connection; -1: none. */
static int listeners[2][2];

struct connection {
	int client;
	int server;
	__u16 port; /* the client's */
};

static socklen_t socket_address(const char *text, __u16 port, struct sockaddr_storage *to)
{
	struct sockaddr_in6 *in6 = (void *)to;
	struct sockaddr_in *in = (void *)to;

	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		return sizeof(*in);
	}
	assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	return sizeof(*in6);
}

static int bind_to(const char *text, __u16 port)
{
	struct sockaddr_storage address;
	socklen_t bytes = socket_address(text, port, &address);
	int fd = socket(address.ss_family, SOCK_STREAM, 0);
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, bytes))
		fail_msg("cannot bind to %s: %s", text, strerror(errno));
	return fd;
}

static void open_connection(const struct tunnel *tunnel, __u16 port, struct connection *connection)
{
	const char *vip = tunnel->inner.destination;
	struct sockaddr_storage address;
	socklen_t bytes = sizeof(address);

	connection->client = bind_to(tunnel->inner.source, 0);
	getsockname(connection->client, (struct sockaddr *)&address, &bytes);
	connection->port = ntohs(((struct sockaddr_in *)&address)->sin_port);
	bytes = socket_address(vip, port, &address);
	if (connect(connection->client, (struct sockaddr *)&address, bytes))
		fail_msg("cannot connect to %s: %s", vip, strerror(errno));
	connection->server = -1;
	if (port == PORT)
		connection->server = accept(listeners[strchr(vip, ':') != NULL][0], NULL, NULL);
}

/* Both at once, with resets: nothing is left of the connection. */
static void abort_connection(const struct connection *connection)
{
	const struct linger linger = {.l_onoff = 1};

	setsockopt(connection->client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(connection->client);
	if (connection->server >= 0)
		close(connection->server);
}

static void assert_frame_stays(const char *name, const struct tunnel *tunnel,
			       const struct frame *inner)
{
	struct frame sent = *inner;
	__u64 before = node_counts().no_hop_left;

	frame_tunnel(&sent, tunnel);
	assert_opened(name, &sent, inner);
	assert_int_equal(node_counts().no_hop_left, before);
}

static void assert_frame_goes_on(const char *name, const struct tunnel *tunnel,
				 const struct frame *inner)
{
	struct tunnel next = *tunnel;
	struct frame sent = *inner, expected = *inner;
	bool ipv6 = strchr(tunnel->outer.destination, ':');
	const struct path *path = ipv6 ? &near_ipv6 : &near_ipv4;

	frame_tunnel(&sent, tunnel);
	next.outer.source = tunnel->outer.destination;
	next.outer.destination = tunnel->gue.hops[0];
	next.gue.next_hop = 1;
	frame_tunnel(&expected, &next);
	frame_hop(&expected);
	frame_address(&expected, &path->to, &path->from);
	assert_passed_on(name, &sent, &expected, XDP_TX);
}

static void assert_stays(const char *name, const struct tunnel *tunnel)
{
	struct frame inner;

	frame_build(&inner, &tunnel->inner);
	assert_frame_stays(name, tunnel, &inner);
}

static void assert_goes_on(const char *name, const struct tunnel *tunnel)
{
	struct frame inner;

	frame_build(&inner, &tunnel->inner);
	assert_frame_goes_on(name, tunnel, &inner);
}

static void keeps_its_connections(void **state)
{
	static const __u8 flags[] = {TCP_ACK, TCP_ACK | TCP_FIN, TCP_RST, TCP_SYN, 0x18};
	struct tunnel tunnel = *(const struct tunnel *)*state;
	struct connection connection;

	open_connection(&tunnel, PORT, &connection);
	for (size_t i = 0; i < sizeof(flags); i++) {
		tunnel.inner.source_port = connection.port;
		tunnel.inner.tcp_flags = flags[i];
		assert_stays("established", &tunnel);
		if (flags[i] == TCP_SYN)
			continue;
		tunnel.inner.source_port = connection.port ^ 1;
		assert_goes_on("another port of the client's", &tunnel);
		tunnel.inner.source_port = connection.port;
		tunnel.inner.destination_port = PORT + 1;
		assert_goes_on("another port of the service's", &tunnel);
		tunnel.inner.destination_port = PORT;
	}
	abort_connection(&connection);
	tunnel.inner.tcp_flags = TCP_ACK;
	assert_goes_on("no connection any more", &tunnel);
}

/* A connection that was accepted by nobody yet: the last ACK of the handshake waits for data. */
static void keeps_half_open_ones(void **state)
{
	struct tunnel tunnel = *(const struct tunnel *)*state;
	struct connection connection;

	open_connection(&tunnel, LAZY_PORT, &connection);
	tunnel.inner.source_port = connection.port;
	tunnel.inner.destination_port = LAZY_PORT;
	assert_stays("request socket", &tunnel);
	abort_connection(&connection);
}

/* The last packets of a connection must not run about: the side that closed first waits for them. */
static void keeps_those_that_wait(void **state)
{
	struct tunnel tunnel = *(const struct tunnel *)*state;
	struct connection connection;
	char byte;

	open_connection(&tunnel, PORT, &connection);
	shutdown(connection.server, SHUT_WR);
	assert_int_equal(read(connection.client, &byte, 1), 0);
	close(connection.client);
	close(connection.server);
	tunnel.inner.source_port = connection.port;
	assert_stays("time-wait", &tunnel);
}

/* A listener says nothing of a connection: every node has one. */
static void a_listener_is_no_connection(void **state)
{
	struct tunnel tunnel = *(const struct tunnel *)*state;

	tunnel.inner.source_port = 1;
	assert_goes_on("listener", &tunnel);
	tunnel.inner.destination_port = LAZY_PORT;
	assert_goes_on("listener", &tunnel);
}

/* A sequence number of a socket in repair: what it sends next, or expects next. */
static __u32 sequence_of(int fd, int queue)
{
	socklen_t bytes = sizeof(__u32);
	__u32 sequence = 0;
	int repair = 1;

	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &repair, sizeof(repair)), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)), 0);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &sequence, &bytes), 0);
	repair = -1; /* TCP_REPAIR_OFF_NO_WP */
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &repair, sizeof(repair)), 0);
	return sequence;
}

static void set_cookies(const char *value)
{
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_syncookies", "w");

	assert_non_null(file);
	fputs(value, file);
	assert_int_equal(fclose(file), 0);
}

static void write32(struct frame *frame, __u32 at, __u32 value)
{
	write16(frame, at, value >> 16);
	write16(frame, at + 2, value & 0xffff);
}

/* Where a SYN cookie was sent there is no socket, but the ACK brings the proof. */
static void keeps_those_with_its_cookie(void **state)
{
	struct tunnel tunnel = *(const struct tunnel *)*state;
	struct connection connection;
	__u32 sequence, acknowledged;
	struct frame inner;
	__u32 at;

	set_cookies("2");
	open_connection(&tunnel, PORT, &connection);
	set_cookies("1");
	sequence = sequence_of(connection.client, TCP_SEND_QUEUE);
	acknowledged = sequence_of(connection.client, TCP_RECV_QUEUE);
	abort_connection(&connection);

	tunnel.inner.source_port = connection.port;
	frame_build(&inner, &tunnel.inner);
	at = is_ipv6(&inner) ? AT_IPV6_L4 : AT_IPV4_L4;
	write32(&inner, at + 4, sequence);
	write32(&inner, at + 8, acknowledged);
	assert_frame_stays("the cookie's ACK", &tunnel, &inner);
	write32(&inner, at + 8, acknowledged ^ 0x40000000);
	assert_frame_goes_on("an ACK of something else", &tunnel, &inner);
	write32(&inner, at + 8, acknowledged);
	inner.bytes[at + 13] = TCP_ACK | TCP_RST;
	assert_frame_goes_on("a reset", &tunnel, &inner);
}

/* An error about a packet that the VIP sent to the client (RFC 792; RFC 4443, 3): all its quote. */
static void build_error(const struct tunnel *tunnel, __u8 type, __u32 quoted_l4_bytes,
			struct frame *frame)
{
	struct packet_fields quoted = tunnel->inner;
	struct outer_fields error = {"192.0.2.254", tunnel->inner.destination, 0, 0};
	bool ipv6 = strchr(quoted.source, ':');
	__u32 l4_at = ipv6 ? AT_IPV6_L4 : AT_IPV4_L4;
	static const __u8 header[8];

	quoted.source = tunnel->inner.destination;
	quoted.destination = tunnel->inner.source;
	quoted.source_port = tunnel->inner.destination_port;
	quoted.destination_port = tunnel->inner.source_port;
	if (ipv6)
		error.source = "2001:db8:f::1";
	frame_build(frame, &quoted);
	frame_encapsulate(frame, &error);
	frame_insert(frame, l4_at, header, sizeof(header));
	frame->bytes[l4_at] = type;
	frame->bytes[ipv6 ? AT_IP + 6 : AT_IP + 9] = ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	frame->length_bytes = l4_at + 8 + (l4_at - AT_IP) + quoted_l4_bytes;
	write16(frame, ipv6 ? AT_IP + 4 : AT_IP + 2, frame->length_bytes - AT_IP - (ipv6 ? 40 : 0));
	write16(frame, l4_at + 2,
		checksum(frame->bytes + l4_at, frame->length_bytes - l4_at)); /* IPv6: not full */
	if (!ipv6)
		frame_seal(frame);
}

static void sends_errors_after_their_connection(void **state)
{
	static const __u8 types[2][3] = {{3, 11, 12}, {1, 2, 3}};
	static const __u8 no_error[2] = {0, 129};
	struct tunnel tunnel = *(const struct tunnel *)*state;
	bool ipv6 = strchr(tunnel.inner.source, ':');
	struct connection connection;
	struct frame inner;

	open_connection(&tunnel, PORT, &connection);
	for (size_t i = 0; i < 6; i++) {
		__u32 quoted_l4_bytes = i % 2 ? 8 : 40;

		tunnel.inner.source_port = connection.port;
		build_error(&tunnel, types[ipv6][i / 2], quoted_l4_bytes, &inner);
		assert_frame_stays("error about ours", &tunnel, &inner);
		tunnel.inner.source_port = connection.port ^ 1;
		build_error(&tunnel, types[ipv6][i / 2], quoted_l4_bytes, &inner);
		assert_frame_goes_on("error about another's", &tunnel, &inner);
	}
	build_error(&tunnel, no_error[ipv6], 40, &inner);
	assert_frame_stays("no error", &tunnel, &inner);
	abort_connection(&connection);
}

/* Fragments and other protocols have no second chance: who gets them handles them. */
static void handles_what_is_no_whole_segment(void **state)
{
	static const __u16 offsets[] = {0x2000, 0x2009, 0x0009};
	struct tunnel tunnel = *(const struct tunnel *)*state;
	struct frame inner;

	tunnel.inner.source_port = 1;
	frame_build(&inner, &tunnel.inner);
	for (size_t i = 0; !is_ipv6(&inner) && i < 3; i++) {
		write16(&inner, AT_IP + 6, offsets[i]);
		frame_seal(&inner);
		assert_frame_stays("fragment", &tunnel, &inner);
	}
	tunnel.inner.protocol = IPPROTO_UDP;
	assert_stays("UDP", &tunnel);
	frame_build(&inner, &tunnel.inner);
	inner.bytes[is_ipv6(&inner) ? AT_IP + 6 : AT_IP + 9] = 132;
	if (!is_ipv6(&inner))
		frame_seal(&inner);
	assert_frame_stays("SCTP", &tunnel, &inner);
}

static void reads_past_options(void **state)
{
	struct tunnel tunnel = tunnels[0];
	struct connection connection;
	struct frame inner;

	(void)state;
	open_connection(&tunnel, PORT, &connection);
	for (int i = 0; i < 2; i++) {
		tunnel.inner.source_port = connection.port ^ i;
		frame_build(&inner, &tunnel.inner);
		frame_insert(&inner, AT_IPV4_L4, (const __u8 *)"\x94\x04\0\0\x01\x01\x01\0", 8);
		inner.bytes[AT_IP] = 0x47;
		write16(&inner, AT_IP + 2, read16(&inner, AT_IP + 2) + 8);
		frame_seal(&inner);
		if (i)
			assert_frame_goes_on("options, another's", &tunnel, &inner);
		else
			assert_frame_stays("options, ours", &tunnel, &inner);
	}
	abort_connection(&connection);
}

static int open_with_listeners(void **state)
{
	static const char *const vips[] = {"192.0.2.1", "2001:db8::1"};
	static const __u16 ports[] = {PORT, LAZY_PORT};
	int seconds = 10;

	if (node_open(state))
		return -1;
	ip("address add 192.0.2.1/32 dev lo");
	ip("address add 198.51.100.7/32 dev lo");
	ip("address add 2001:db8::1/128 dev lo nodad");
	ip("address add 2001:db8:c::7/128 dev lo nodad");
	for (int i = 0; i < 4; i++) {
		int fd = bind_to(vips[i / 2], ports[i % 2]);

		if (ports[i % 2] == LAZY_PORT)
			setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds));
		assert_int_equal(listen(fd, 16), 0);
		listeners[i / 2][i % 2] = fd;
	}
	return 0;
}

int main(void)
{
	static const struct tunnel_test kinds[] = {
		{"keeps its connections", keeps_its_connections},
		{"keeps half-open ones", keeps_half_open_ones},
		{"keeps those that wait", keeps_those_that_wait},
		{"a listener is no connection", a_listener_is_no_connection},
		{"keeps those with its cookie", keeps_those_with_its_cookie},
		{"sends errors after their connection", sends_errors_after_their_connection},
		{"handles what is no whole segment", handles_what_is_no_whole_segment},
	};
	static const struct CMUnitTest others[] = {cmocka_unit_test(reads_past_options)};
	const size_t kind_count = sizeof(kinds) / sizeof(kinds[0]);
	struct CMUnitTest tests[TUNNELS * kind_count + 1];
	size_t count = tunnel_tests(tests, tunnels, TUNNELS, kinds, kind_count);

	memcpy(tests + count, others, sizeof(others));
	return cmocka_run_group_tests_name("node_socket", tests, open_with_listeners, world_close);
}
