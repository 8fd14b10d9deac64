/* SPDX-License-Identifier: GPL-2.0-only */
/* What one CPU's packet path remembers between packets; only that CPU writes it. */
#ifndef SLUICE_MAPS_CPU_H
#define SLUICE_MAPS_CPU_H

#include <linux/types.h>

#define SCRATCH_BYTES 512 /* bpf_csum_diff takes no more at a time */

struct cpu_memory {
	__u64 swept_sets;     /* since boot; the next set to sweep is this, modulo main sets */
	__u64 visits_jiffies; /* the tick that visits_left is for */
	__u32 visits_left;    /* other CPUs' regions that may still be looked into this tick */
	__u32 spare;
	__u64 found_elsewhere; /* flows taken over from another CPU's region */
	__u64 answers_jiffies; /* when the two below were last filled up */
	__u32 echoes_left;     /* echo replies that may be sent */
	__u32 errors_left;     /* ICMP errors that may be sent */
	__u64 echo_replies;    /* sent */
	__u64 too_big_errors;  /* sent: fragmentation needed, packet too big */
};
_Static_assert(sizeof(struct cpu_memory) == 64, "struct cpu_memory: one cache line, none shared");

#endif
