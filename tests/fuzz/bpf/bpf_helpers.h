/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes the place of libbpf's header, so that the programs' own files compile for userspace: the
 * helpers that they call are functions of tests/fuzz/kernel.c.
 */
#ifndef SLUICE_TESTS_FUZZ_BPF_HELPERS_H
#define SLUICE_TESTS_FUZZ_BPF_HELPERS_H

#include <stddef.h>
#include <linux/bpf.h>

#define SEC(name)
#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name
#define __array(name, value) typeof(value) *name[]

#undef __always_inline
#undef __noinline
#define __always_inline inline __attribute__((always_inline))
#define __noinline      __attribute__((noinline))

#define barrier_var(variable) asm volatile("" : "+r"(variable))

void *bpf_map_lookup_elem(const void *map, const void *key);

long bpf_xdp_adjust_head(struct xdp_md *ctx, int delta_bytes);
long bpf_xdp_adjust_tail(struct xdp_md *ctx, int delta_bytes);
long bpf_xdp_load_bytes(struct xdp_md *ctx, __u32 at_bytes, void *to, __u32 bytes);
__u64 bpf_xdp_get_buff_len(struct xdp_md *ctx);
long bpf_redirect(__u32 ifindex, __u64 flags);
__s64 bpf_csum_diff(const __be32 *from, __u32 from_bytes, const __be32 *to, __u32 to_bytes,
		    __u32 seed);

__u32 bpf_get_smp_processor_id(void);
__u64 bpf_jiffies64(void);
__u64 bpf_ktime_get_coarse_ns(void);
__u64 bpf_ktime_get_ns(void);
__u32 bpf_get_prandom_u32(void);

void *bpf_ringbuf_reserve(void *ring, __u64 bytes, __u64 flags);
void bpf_ringbuf_submit(void *record, __u64 flags);

long bpf_fib_lookup(void *ctx, struct bpf_fib_lookup *way, int bytes, __u32 flags);
struct bpf_sock *bpf_skc_lookup_tcp(void *ctx, const struct bpf_sock_tuple *tuple,
				    __u32 tuple_bytes, __u64 netns, __u64 flags);
long bpf_tcp_check_syncookie(void *socket, const void *ip, __u32 ip_bytes, const void *tcp,
			     __u32 tcp_bytes);
long bpf_sk_release(void *socket);

#endif
