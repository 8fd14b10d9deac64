/* SPDX-License-Identifier: GPL-2.0-only */
/* The ways that a packet can take: each mode and family, each with a VIP of its own. */
#ifndef SLUICE_TESTS_PROG_WAY_H
#define SLUICE_TESTS_PROG_WAY_H

#include <stdbool.h>
#include <stddef.h>

#include "node.h"
#include "packet.h"
#include "world.h"

struct way {
	const char *name; /* also of services */
	const char *mode; /* of forwarding */
	const char *vip;
	const char *client;
	const struct path *path;
};

#define WAYS 23

extern const struct way ways[WAYS];

/* How a frame comes, besides what its way says; it must leave so, too. */
struct manner {
	const char *tags; /* before the EtherType */
	__u32 tag_bytes;
	bool unchecked; /* UDP around it has no checksum */
};

const struct way *way_named(const char *name); /* must be one of them */
bool way_is_ipv6(const struct way *way);       /* what it carries, not what is around that */
bool way_is_gue(const struct way *way);

/* A service of its own on the way's VIP, with the one backend that the way leads to. */
void way_serve(const struct way *way, const char *service, unsigned int port, const char *protocol);

/* The same of TCP 80 and UDP 53 on each way's VIP, in an instance "ways". Returns 0. */
int ways_load(void);
int ways_open(void **state); /* group setup of cmocka: in a new world */

__u16 way_port(__u8 protocol); /* of these services */

/* A packet of a client, of 100 bytes of payload. */
struct packet_fields way_packet(const struct way *way, __u8 protocol, __u16 port);

/* Bytes that come around a packet. */
__u32 way_outer_bytes(const struct way *way);

/*
 * @in, a frame without tags, must come out where @way leads, changed as its mode says and not
 * otherwise.
 */
void assert_forwarded(const char *name, const struct way *way, const struct frame *in);
void assert_forwarded_in(const char *name, const struct way *way, const struct frame *in,
			 const struct manner *manner);

/*
 * The same by a path and what comes @around the packet; NULL: nothing. Traffic class, flow label,
 * source port and whether there is a checksum need not be said.
 */
void assert_sent(const char *name, const struct frame *in, const struct path *path,
		 const struct tunnel *around, const struct manner *manner);

/*
 * Cut the frame at every byte behind the Ethernet header and pass it in. Its lengths say what they
 * said, so all must be left to the stack.
 */
void assert_truncated_is_left(const char *name, const struct frame *whole);

#endif
