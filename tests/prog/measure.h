/* SPDX-License-Identifier: GPL-2.0-only */
/* What is sent through the TC programs that measure, and what they count of it. */
#ifndef SLUICE_TESTS_PROG_MEASURE_H
#define SLUICE_TESTS_PROG_MEASURE_H

#include "maps/measure.h"
#include "packet.h"

/* What a step leaves out is 0. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* Of services: TCP at PORT, UDP at UDP_PORT, and, of another address, TCP at every port. */
enum { TCP_SERVICE, UDP_SERVICE, ANY_PORT_SERVICE, SERVICES };
enum { PORT = 443, UDP_PORT = 53 };

enum way { SENT, RECEIVED };

/* A segment; the service's side and the client's are struct ends'. */
struct step {
	enum way way;
	__u8 flags; /* besides ACK, which SYN and RST go without */
	__u16 payload_bytes;
	__u32 sequence;
	__u32 acknowledged;
	__u32 tsval; /* 0: no timestamps */
	__u32 tsecr;
	__u32 gso_segs;
	__u32 gso_bytes;
};

struct ends {
	const char *service;
	const char *other; /* every port of this */
	const char *client;
};

extern const struct ends measure_ends[2];

/* Each flow of a test is one that was never there. */
extern __u16 measure_port;

/* Group setup and teardown of cmocka. */
int measure_load(void **state);
int measure_unload(void **state);

/* What was counted of service @index since this was asked last. */
struct measure_counters measure_counted(__u32 index);
__u64 measure_samples(const struct measure_histogram *histogram);

/* The frame passes TC, which must leave it as it is. */
void measure_run(enum way way, const struct frame *frame, __u32 gso_segs, __u32 gso_bytes);

void measure_build(struct frame *frame, const struct ends *ends, const struct step *step);

/* Make room behind the TCP header; lengths follow. */
void measure_options(struct frame *frame, const __u8 *bytes, __u32 count);

/* Steps of the flow that measure_port says. */
void measure_play(const struct ends *ends, const struct step *steps, size_t count);

/* Those of a new flow, and what was counted of the TCP service. */
struct measure_counters measure_talk(const struct ends *ends, const struct step *steps,
				     size_t count);

#endif
