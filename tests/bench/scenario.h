/* SPDX-License-Identifier: GPL-2.0-only */
/* What is measured on the packet path: a row of the table here is a row of the output. */
#ifndef SLUICE_TESTS_BENCH_SCENARIO_H
#define SLUICE_TESTS_BENCH_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define SECTION_PATH   "packet path"
#define SECTION_POLICY "policy"
#define SECTION_FLOOR  "floors: what the machine charges"

#define FLOWS_ENDLESS (1ULL << 32)

struct bench_service {
	const char *name;
	const char *vip;
	__u16 port;
	__u8 protocol;
	const char *forward;
	bool ipv6_backends;
	__u16 backends;
	const char *options; /* further lines of its configuration, or NULL */
};

enum bench_service_index {
	WEB4_IPIP,
	WEB4_DSR,
	WEB4_IN_6,
	WEB6_IPIP,
	WEB6_DSR,
	DNS4_IPIP,
	WEB4_GUE,
	WEB6_GUE,
	WEB4_MSS,
	QUIC4_IPIP,
	BENCH_SERVICES,
};

enum arrival {
	ARRIVE_ON_EGRESS,     /* on the interface that leads to the backends: XDP_TX */
	ARRIVE_ELSEWHERE,     /* on another one: XDP_REDIRECT */
	ARRIVE_FOR_THE_HOST,  /* not for a service: XDP_PASS, untouched */
	ARRIVE_FOR_AN_ANSWER, /* that goes back where the packet came from: XDP_TX */
	ARRIVE_TO_BE_DENIED,  /* XDP_DROP */
};

/* A million addresses that a policy denies. */
enum denied {
	DENY_NOBODY,
	DENY_OTHERS,  /* by chance, and none of a client's */
	DENY_CLIENTS, /* the first million */
};

struct bench_policy {
	const char *rules; /* further ones, as in a configuration, or NULL */
	enum denied denied;
};

/* What is not plain about a frame. */
enum oddity {
	PLAIN,
	TAGGED,
	TAGGED_TWICE,
	WITH_OPTIONS, /* of IPv4, or an extension header of IPv6 */
	FIRST_FRAGMENT,
	LATER_FRAGMENT,
	ERROR_ABOUT_IT, /* an ICMP error that quotes a packet of the flow, the other way round */
	ECHO_REQUEST,
	TOO_BIG, /* for the way to its backend */
};

struct scenario {
	const char *name;
	const char *floor;       /* a program of floor.bpf.c; NULL: the real one */
	const char *destination; /* NULL: the service's VIP */
	enum bench_service_index service;
	enum arrival arrival;
	enum oddity oddity;
	__u16 ether_type;
	__u8 protocol;
	__u8 tcp_flags;
	const struct bench_policy *policy; /* NULL: none */
	__u64 flows;
	double goal_ns; /* 0: there is none */
};

extern const struct bench_service bench_services[BENCH_SERVICES];
extern const struct scenario scenarios[];
extern const size_t scenario_count;

/* Packets of a row that must find their flow in the table, not open one. */
bool scenario_is_established(const struct scenario *scenario);

/* Bytes that the program under test puts before the IP header. */
__u32 scenario_growth_bytes(const struct scenario *scenario);

#endif
