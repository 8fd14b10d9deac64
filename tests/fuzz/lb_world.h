/* SPDX-License-Identifier: GPL-2.0-only */
/* The services and backends that fuzzed packets find: every way to forward, in both families. */
#ifndef SLUICE_TESTS_FUZZ_LB_WORLD_H
#define SLUICE_TESTS_FUZZ_LB_WORLD_H

#include <stdbool.h>
#include <linux/bpf.h>

#include "maps/backend.h"
#include "maps/cpu.h"
#include "maps/event.h"
#include "maps/service.h"
#include "maps/verdict.h"

#define GUE_PORT_HERE 19523

/* Each service has four backends; the id of the first is 4 times the service's id. */
#define BACKENDS_EACH 4

void lb_world_make(void);

/*
 * Which half of the state packets read from now on, and whether there are rules. In half 1 each
 * service's last backend drains.
 */
void lb_world_flip(__u32 half, bool policed);

const struct service *lb_world_service(__u32 id); /* NULL behind the last; the first is 1 */
const struct backend *lb_world_backend(__u32 id); /* NULL: nobody's id */

__u64 lb_world_drops(enum drop_reason reason);
__u64 lb_world_all_drops(void);
__u64 lb_world_forwarded(void); /* packets, by the services' counters */
__u64 lb_world_echo_replies(void);
__u64 lb_world_errors(void);
__u64 lb_world_drops_by_rules(void);
__u64 lb_world_told(void);

/*
 * The rules, for all traffic, of sources 203.0.113.x and 2001:db8:ff:x::. Those whose x has its top
 * bit set are denied, of these those with the next bit set as well are allowed; the others may send a
 * little. Service LIMITED_SERVICE lets all sources have a few new flows, in half 1; port DENIED_PORT
 * of service ALL_PORTS_SERVICE is closed to everybody.
 */
#define LIMITED_SERVICE   2
#define ALL_PORTS_SERVICE 9
#define DENIED_PORT       7

int lb(struct xdp_md *ctx);

#endif
