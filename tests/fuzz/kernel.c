/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/in.h>
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <bpf/bpf_helpers.h>

#define CSUM_MAX 512 /* of bpf_csum_diff, on kernels where it uses a buffer */

static void fatal(const char *what)
{
	fprintf(stderr, "fuzz: %s: %s\n", what, strerror(errno));
	exit(1);
}

/*
 * The frame. The context has room for addresses of 32 bits only, so it lies below 4 GB: head, the
 * bytes that the program sees, tail; and out of its reach, what is in fragments.
 */
#define ARENA_AT    ((void *)0x20000000)
#define ARENA_BYTES (1 << 16)

static struct {
	__u8 *head; /* where the headroom begins */
	__u8 fragments[FRAME_BYTES_MAX];
	__u32 fragments_bytes;
	struct xdp_md ctx;
	__u32 cpu;
	__u64 jiffies;
	__u32 random;
	__u32 redirect_ifindex;
	int sockets;
	struct bpf_sock socket;
} now;

static __u8 *arena(void)
{
	static __u8 *memory;

	if (!memory) {
		memory = mmap(ARENA_AT, ARENA_BYTES, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (memory == MAP_FAILED)
			fatal("no memory below 4 GB");
	}
	return memory;
}

static __u8 *frame_data(void)
{
	return (__u8 *)(uintptr_t)now.ctx.data;
}

static __u32 linear_bytes(void)
{
	return now.ctx.data_end - now.ctx.data;
}

/* What is not the frame's is nobody's. */
static void poison_around(void)
{
	ASAN_POISON_MEMORY_REGION(arena(), 2 * FRAME_BYTES_MAX);
	ASAN_UNPOISON_MEMORY_REGION(frame_data(), linear_bytes());
}

struct xdp_md *frame_arrive(const __u8 *frame, __u32 bytes, const struct arrival *arrival)
{
	__u32 linear = arrival->linear_bytes < bytes ? arrival->linear_bytes : bytes;
	__u8 *data = arena() + 2 * HEADROOM_BYTES;

	ASAN_UNPOISON_MEMORY_REGION(arena(), 2 * FRAME_BYTES_MAX);
	/* Old packets' bytes, which nobody may take for new headers. */
	memset(arena(), 0xa5, 3 * HEADROOM_BYTES);
	memcpy(data, frame, linear);
	now.head = data - arrival->headroom_bytes;
	now.fragments_bytes = bytes - linear;
	memcpy(now.fragments, frame + linear, now.fragments_bytes);
	now.ctx = (struct xdp_md){
		.data = (uintptr_t)data,
		.data_end = (uintptr_t)data + linear,
		.data_meta = (uintptr_t)data,
		.ingress_ifindex = arrival->ifindex,
	};
	now.cpu = arrival->cpu;
	now.jiffies += arrival->later_jiffies;
	now.redirect_ifindex = 0;
	poison_around();
	return &now.ctx;
}

__u32 frame_leave(__u8 *frame)
{
	memcpy(frame, frame_data(), linear_bytes());
	memcpy(frame + linear_bytes(), now.fragments, now.fragments_bytes);
	return linear_bytes() + now.fragments_bytes;
}

__u32 redirect_ifindex(void)
{
	return now.redirect_ifindex;
}

int sockets_held(void)
{
	return now.sockets;
}

void kernel_reset(void)
{
	maps_reset();
	now.jiffies = JIFFIES_AT_START;
	now.random = 1;
	now.sockets = 0;
}

/* Not into the headroom that is the kernel's, nor so that less than Ethernet's header is left. */
long bpf_xdp_adjust_head(struct xdp_md *ctx, int delta_bytes)
{
	__u8 *data = frame_data() + delta_bytes;

	if (data < now.head || (__s64)linear_bytes() - delta_bytes < ETHERNET_BYTES)
		return -EINVAL;
	ctx->data = (uintptr_t)data;
	ctx->data_meta = ctx->data;
	poison_around();
	return 0;
}

/* Cuts only, the fragments first; to grow is not for every driver. */
long bpf_xdp_adjust_tail(struct xdp_md *ctx, int delta_bytes)
{
	__u32 cut_bytes = -delta_bytes, of_fragments;

	if (delta_bytes >= 0 || (__s64)bpf_xdp_get_buff_len(ctx) - cut_bytes < ETHERNET_BYTES)
		return -EINVAL;
	of_fragments = cut_bytes < now.fragments_bytes ? cut_bytes : now.fragments_bytes;
	if ((__s64)linear_bytes() - (cut_bytes - of_fragments) < ETHERNET_BYTES)
		return -EINVAL;
	now.fragments_bytes -= of_fragments;
	ctx->data_end -= cut_bytes - of_fragments;
	poison_around();
	return 0;
}

long bpf_xdp_load_bytes(struct xdp_md *ctx, __u32 at_bytes, void *to, __u32 bytes)
{
	__u8 whole[2 * FRAME_BYTES_MAX];

	if ((__u64)at_bytes + bytes > bpf_xdp_get_buff_len(ctx))
		return -EINVAL;
	frame_leave(whole);
	memcpy(to, whole + at_bytes, bytes);
	return 0;
}

__u64 bpf_xdp_get_buff_len(struct xdp_md *ctx)
{
	return ctx->data_end - ctx->data + now.fragments_bytes;
}

long bpf_redirect(__u32 ifindex, __u64 flags)
{
	now.redirect_ifindex = ifindex;
	return flags ? XDP_ABORTED : XDP_REDIRECT;
}

static __u64 sum_words(const __be32 *words, __u32 bytes, bool negative)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < bytes / 4; i++)
		sum += negative ? ~words[i] : words[i];
	return sum;
}

__s64 bpf_csum_diff(const __be32 *from, __u32 from_bytes, const __be32 *to, __u32 to_bytes,
		    __u32 seed)
{
	__u64 sum = seed;

	if ((from_bytes | to_bytes) % 4 || from_bytes + to_bytes > CSUM_MAX)
		return -EINVAL;
	sum += sum_words(from, from_bytes, true) + sum_words(to, to_bytes, false);
	while (sum >> 32)
		sum = (__u32)sum + (sum >> 32);
	return sum;
}

__u32 bpf_get_smp_processor_id(void)
{
	return now.cpu;
}

__u64 bpf_jiffies64(void)
{
	return now.jiffies;
}

__u64 bpf_ktime_get_ns(void)
{
	return now.jiffies * 4000000;
}

/* Xorshift (Marsaglia), from the same start for every input. */
__u32 bpf_get_prandom_u32(void)
{
	now.random ^= now.random << 13;
	now.random ^= now.random >> 17;
	now.random ^= now.random << 5;
	return now.random;
}

__u64 bpf_ktime_get_coarse_ns(void)
{
	return now.jiffies * 4000000;
}

const __u8 way_macs[12] = {2, 0, 0, 9, 0, 1, 2, 0, 0, 9, 0, 2};

long bpf_fib_lookup(void *ctx, struct bpf_fib_lookup *way, int bytes, __u32 flags)
{
	const __u8 *address =
		(const __u8 *)(way->family == AF_INET ? &way->ipv4_dst : way->ipv6_dst);
	__u8 kind = address[way->family == AF_INET ? 3 : 15] % WAY_KINDS;

	(void)ctx;
	if (bytes != sizeof(*way) || flags)
		return -EINVAL;
	if (kind == WAY_NONE)
		return BPF_FIB_LKUP_RET_UNREACHABLE;
	if (kind == WAY_NO_NEIGHBOUR)
		return BPF_FIB_LKUP_RET_NO_NEIGH;
	way->ifindex = kind == WAY_FAR ? IFINDEX_FAR : IFINDEX_NEAR;
	memcpy(way->dmac, way_macs, 6);
	memcpy(way->smac, way_macs + 6, 6);
	return BPF_FIB_LKUP_RET_SUCCESS;
}

/* By the client's port: no socket, a listener's, a connection's. */
struct bpf_sock *bpf_skc_lookup_tcp(void *ctx, const struct bpf_sock_tuple *tuple,
				    __u32 tuple_bytes, __u64 netns, __u64 flags)
{
	bool ipv4 = tuple_bytes == sizeof(tuple->ipv4);
	__u8 kind = (ipv4 ? tuple->ipv4.sport : tuple->ipv6.sport) >> 8 & 3;

	(void)ctx;
	if ((!ipv4 && tuple_bytes != sizeof(tuple->ipv6)) || netns != (__u64)BPF_F_CURRENT_NETNS ||
	    flags || kind < 2)
		return NULL;
	now.socket.state = kind == 2 ? BPF_TCP_LISTEN : BPF_TCP_ESTABLISHED;
	now.sockets++;
	return &now.socket;
}

/* 0: the packet brings a cookie back. Every byte is read, as the kernel may. */
long bpf_tcp_check_syncookie(void *socket, const void *ip, __u32 ip_bytes, const void *tcp,
			     __u32 tcp_bytes)
{
	__u8 sum = 0;

	if (socket != &now.socket || now.sockets <= 0)
		return -EINVAL;
	for (__u32 i = 0; i < ip_bytes; i++)
		sum += ((const __u8 *)ip)[i];
	for (__u32 i = 0; i < tcp_bytes; i++)
		sum += ((const __u8 *)tcp)[i];
	return sum & 1 ? 0 : -ENOENT;
}

long bpf_sk_release(void *socket)
{
	now.sockets -= socket == &now.socket;
	return 0;
}
