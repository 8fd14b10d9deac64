/* SPDX-License-Identifier: GPL-2.0-only */
/* A node under test: the world with the node's program on NEAR, and what is sent through it. */
#ifndef SLUICE_TESTS_PROG_NODE_H
#define SLUICE_TESTS_PROG_NODE_H

#include "world.h"

struct CMUnitTest;

/* NEAR's own addresses, which are what the node opens packets for. */
#define OURS_IPV4 "10.0.1.1"
#define OURS_IPV6 "fd00:0:0:1::1"

#define GUE_HOPS 3

/* UDP and GUE behind an outer header; hops are of the outer header's family. */
struct gue_fields {
	__u16 source_port;
	__u16 destination_port;
	bool checksum;   /* of UDP; else 0 */
	bool hops_given; /* else plain GUE, without private data */
	__u8 next_hop;
	__u8 hop_count;
	const char *hops[GUE_HOPS];
};

struct tunnel {
	const char *name;
	struct outer_fields outer;
	struct packet_fields inner;
	struct gue_fields gue; /* without ports: IPIP */
};

/* What is done with each of several tunnels. */
struct tunnel_test {
	const char *name;
	void (*run)(void **state); /* *state: the tunnel */
};

/* Group setup of cmocka. */
int node_open(void **state);

/* Fill in a test for each of the tunnels and each of @kinds; returns how many these are. */
size_t tunnel_tests(struct CMUnitTest *tests, const struct tunnel *tunnels, size_t tunnel_count,
		    const struct tunnel_test *kinds, size_t kind_count);

/* Put an outer header, and GUE's where @tunnel has it, around the packet in @frame. */
void frame_tunnel(struct frame *frame, const struct tunnel *tunnel);

/* The packet inside and that around it. */
void tunnel_build(const struct tunnel *tunnel, struct frame *frame);
__u32 tunnel_outer_bytes(const struct tunnel *tunnel);

/* What the node does with @sent, byte by byte and in its counters. */
void assert_opened(const char *name, const struct frame *sent, const struct frame *expected);
void assert_left_alone(const char *name, const struct frame *sent);
void assert_passed_on(const char *name, const struct frame *sent, const struct frame *expected,
		      int verdict);

#endif
