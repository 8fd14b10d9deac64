/* SPDX-License-Identifier: GPL-2.0-only */
/* A service with several backends b1, b2, ... that are told apart by where a packet is sent. */
#ifndef SLUICE_TESTS_PROG_POOL_H
#define SLUICE_TESTS_PROG_POOL_H

#include <stdbool.h>
#include <linux/types.h>
#include <netinet/in.h>

#include "packet.h"

#define POOL_BACKENDS_MAX 8
#define POOL_CLIENTS      60 /* of the functions below, from client 0 on */

struct pool {
	const char *service;
	const char *vip;
	__u16 port;
	__u8 protocol;
	unsigned int backends;
};

/* @options: more for `service add`. */
void pool_open(const struct pool *pool, const char *options);

/*
 * The same in an instance of its own, used from now on, and all at once: where backends have just
 * come one by one, packets under way follow the slots from before the last of them.
 */
void pool_load(const char *instance, const struct pool *pool, bool local_count);

/* What one client sends; @source is where its address is written. */
struct packet_fields pool_packet(const struct pool *pool, __u32 client, __u8 tcp_flags,
				 char source[INET6_ADDRSTRLEN]);

/*
 * Send a packet of one client (each has an address and a port of its own); @tcp_flags are for TCP.
 * Returns the number of the backend that it went to, 0 when it was dropped.
 */
unsigned int pool_send(const struct pool *pool, __u32 client, __u8 tcp_flags);

/* The same of any frame for a pool; it becomes what came out. @name: which case it is. */
unsigned int pool_deliver(const char *name, struct frame *frame);

/* A flow of two packets, as most begin: the count of open flows is from the second on. */
unsigned int pool_establish(const struct pool *pool, __u32 client);

/*
 * Send a SYN from each of @count clients; @picks: how often each backend was selected, 0: dropped.
 * By the counters of new flows: in a few thousand flows two share a set and a tag, and the second
 * then goes where the first one did without being selected.
 * Returns the sum of the picks.
 */
unsigned int pool_spread(const struct pool *pool, __u32 first, __u32 count,
			 unsigned int picks[POOL_BACKENDS_MAX + 1]);

/* Of one backend, or of all together with @backend 0. */
long pool_open_flows(const struct pool *pool, unsigned int backend);

/* A flow of each client; @went_to: the backend of each. */
void pool_establish_all(const struct pool *pool, unsigned int went_to[POOL_CLIENTS]);

/* @name: what has just been done. */
void pool_assert_went(const char *name, __u32 client, unsigned int got, unsigned int expected);

/* A further packet of each client goes where the ones before it went. */
void pool_assert_stay(const char *name, const struct pool *pool,
		      const unsigned int went_to[POOL_CLIENTS]);

/* All three backends of a pool have some of the clients, or its test would show nothing. */
void pool_assert_all_used(const unsigned int went_to[POOL_CLIENTS]);

#endif
