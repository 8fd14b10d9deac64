/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the packet path sees: a network namespace with two devices and known neighbours, and a
 * Sluice that the real command line sets up. One per test program; the namespaces and the BPF file
 * system are this process's own, so the kernel removes all of it however the process ends.
 */
#ifndef SLUICE_TESTS_PROG_WORLD_H
#define SLUICE_TESTS_PROG_WORLD_H

#include <jansson.h>
#include <linux/bpf.h>

#include "maps/node.h"
#include "packet.h"

/* The device that frames come in by in these tests, and the other one. */
#define NEAR "near0"
#define FAR  "far0"

/* Backends that the namespace has a way to: NEAR's are 10.0.1.2 to .9, fd00:0:0:1::2 to ::9. */
struct path {
	const char *backend;
	const char *source; /* this machine's address on the way */
	struct mac to;
	struct mac from;
	int verdict; /* of a frame that came in by NEAR */
};

extern const struct path near_ipv4, near_ipv6, far_ipv4, far_ipv6, routed_ipv4;

/* The world before anything is loaded; loading takes a second. Returns 0, or -1 and has said why. */
int world_make(void);

/* Group setup and teardown of cmocka. */
int world_open(void **state);
int world_close(void **state);

/* Load another instance and use it from now on; @config is YAML. world_open() loads "main". */
void world_load(const char *instance, const char *config);
void world_use(const char *instance);
int world_use_main(void **state); /* teardown of a test that used another */

/* Where the packet path looks for a service, by the key that is in use now. */
__u32 world_place(const char *vip, __u16 port, __u8 protocol);

/* Where the instance in use is pinned. */
const char *world_pin(void);

/* A map or program of the instance in use; not to be closed. */
int world_pinned(const char *name);

/* Must succeed; both are formats. */
void sluice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void ip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the command says with --json; to be given back. */
json_t *sluice_json(const char *arguments);

/*
 * Run the program of that name on a frame that came in by NEAR; @frame becomes what came out.
 * Returns the verdict.
 */
int world_run(const char *program, struct frame *frame);
int world_send(struct frame *frame); /* the load balancer's program */

/* Run on the first or second CPU from now on; false when there is no such CPU. */
bool world_cpu(unsigned int number);

struct counts {
	long packets;
	long bytes;
	long new_flows;
	long open_flows;
	long established;
	long syn_retransmits;
};

/* As `sluice stats` shows them. drop_counts(NULL) is the sum of all reasons. */
struct counts service_counts(const char *service);
struct counts backend_counts(const char *service, const char *backend);
struct counts drop_counts(const char *reason);

/* Of the node program. */
struct node_counters node_counts(void);

/* @frame must be dropped for @reason, counted once, and come out as it went in. */
void assert_dropped(const char *name, const struct frame *frame, const char *reason);

#endif
