/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of ICMP answers share: echo requests, VIPs to ping, and budgets. */
#ifndef SLUICE_TESTS_PROG_ICMP_H
#define SLUICE_TESTS_PROG_ICMP_H

#include <stdbool.h>
#include <linux/types.h>

#include "maps/cpu.h"
#include "packet.h"

#define BUDGET_NEVER (~0ULL) /* a time at which no budget is filled up any more */

struct family {
	const char *name; /* also of the service */
	const char *client;
	const char *vip;
	bool ipv6;
};

extern const struct family families[2];

#define IPV4 (&families[0])
#define IPV6 (&families[1])

struct ping {
	__u16 id;
	__u16 number;
	__u16 payload_bytes;
};

/* Where the ICMP message begins. */
__u32 icmp_at(const struct family *family);

/* An echo request to the VIP, or the reply that the client must get. */
void echo_build(struct frame *frame, const struct family *family, const struct ping *ping,
		bool reply);

/*
 * What the sender of the packet in @in, which has no tags, must be told: the error comes from where
 * the packet went, and quotes what is there of it.
 */
void too_big_build(struct frame *error, const struct frame *in, __u16 told_bytes);

/* Group setup: the families' services. */
int echo_open(void **state);

/* @name: which case it is. @in must come out as @expected, answered; or untouched, passed on. */
void assert_answer(const char *name, const struct frame *in, const struct frame *expected);
void assert_answered(const char *name, const struct family *family, const struct ping *ping);
void assert_left_to_stack(const char *name, const struct frame *in);

/* Of the CPU that the programs run on. */
struct cpu_memory memory_read(void);
void budget_set(__u64 jiffies, __u32 answers); /* as last filled up at @jiffies */
int budget_fill(void **state);                 /* setup of a test that needs not care */

#endif
