/* SPDX-License-Identifier: GPL-2.0-only */
/* The services and backends that fuzzed packets find: every way to forward, in both families. */
#ifndef SLUICE_TESTS_FUZZ_LB_WORLD_H
#define SLUICE_TESTS_FUZZ_LB_WORLD_H

#include <stdbool.h>
#include <linux/bpf.h>

#include "maps/backend.h"
#include "maps/cpu.h"
#include "maps/service.h"
#include "maps/verdict.h"

#define GUE_PORT_HERE 19523

/* Each service has four backends; the id of the first is 4 times the service's id. */
#define BACKENDS_EACH 4

void lb_world_make(void);

/* Which half of the state packets read from now on. In half 1 each service's last backend drains. */
void lb_world_flip(__u32 half);

const struct service *lb_world_service(__u32 id); /* NULL behind the last; the first is 1 */
const struct backend *lb_world_backend(__u32 id); /* NULL: nobody's id */

__u64 lb_world_drops(enum drop_reason reason);
__u64 lb_world_all_drops(void);
__u64 lb_world_forwarded(void); /* packets, by the services' counters */
__u64 lb_world_echo_replies(void);
__u64 lb_world_errors(void);

int lb(struct xdp_md *ctx);

#endif
