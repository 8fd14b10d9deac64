/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The harness: BPF_PROG_TEST_RUN does not restore a frame between repeats, so this does, makes the
 * frame one of the next flow, and tail-calls the program under test. The same over a program that
 * does nothing is what is subtracted, so all that is done here must cost the same whatever the
 * program before did to the frame: no branch depends on it.
 *
 * Where the program cuts the frame's end off, which the null program does not, what it takes to put
 * it back counts as the program's.
 */
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "harness.h"

#define IPV4_CHECKSUM_OFFSET (ETH_HLEN + offsetof(struct iphdr, check))
#define IPV4_SOURCE_OFFSET   (ETH_HLEN + offsetof(struct iphdr, saddr))
#define IPV4_PORTS_OFFSET    (ETH_HLEN + sizeof(struct iphdr))
#define IPV6_SOURCE_OFFSET   (ETH_HLEN + offsetof(struct ipv6hdr, saddr))
#define IPV6_PORTS_OFFSET    (ETH_HLEN + sizeof(struct ipv6hdr))

enum vary {
	VARY_NOTHING,
	VARY_IPV4,
	VARY_IPV6,
};

struct harness_state state;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, HARNESS_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

/* Without a branch, which would be mispredicted as often as not; the barrier keeps it so. */
static __always_inline __u64 flow_after(__u64 flow)
{
	__s64 next = flow + state.stride - state.flows;
	__u64 below_zero = next >> 63;

	asm volatile("" : "+r"(below_zero));
	return next + (state.flows & below_zero);
}

static __always_inline __u32 next_flow(void)
{
	__u64 flow = state.flow;

	if (++state.dwelt >= state.dwell) {
		state.dwelt = 0;
		state.flow = flow_after(flow);
	}
	return flow;
}

/*
 * Words of 8 bytes that start where the IP header does, so that no field which a program reads lies
 * across two of them: a load from two stores in flight waits for both to reach the cache.
 */
static __always_inline void restore_headers(void *data)
{
	*(__u64 *)data = *(__u64 *)state.frame;
	*(__u64 *)(data + ETH_HLEN - 8) = *(__u64 *)(state.frame + ETH_HLEN - 8);
#pragma unroll
	for (int i = ETH_HLEN; i < HARNESS_FRAME_BYTES; i += 8)
		*(__u64 *)(data + i) = *(__u64 *)(state.frame + i);
}

/* Both ports in one store, for the same reason. */
static __always_inline void set_ports(void *data, __u32 offset, __u32 flow)
{
	__be16 source = bpf_htons(HARNESS_SOURCE_PORT + (flow >> HARNESS_ADDRESS_BITS));

	*(__u32 *)(data + offset) = source | (__u32) * (__be16 *)(state.frame + offset + 2) << 16;
}

static __always_inline void set_flow_ipv4(void *data, __u32 flow)
{
	__u32 source = HARNESS_SOURCE_IPV4 + (flow & ((1 << HARNESS_ADDRESS_BITS) - 1));
	__u32 sum = state.checksum + (source >> 16) + (source & 0xffff);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*(__be16 *)(data + IPV4_CHECKSUM_OFFSET) = bpf_htons(~sum);
	*(__be32 *)(data + IPV4_SOURCE_OFFSET) = bpf_htonl(source);
	set_ports(data, IPV4_PORTS_OFFSET, flow);
}

static __always_inline void set_flow_ipv6(void *data, __u32 flow)
{
	__u32 source = flow & ((1 << HARNESS_ADDRESS_BITS) - 1);

	*(__be64 *)(data + IPV6_SOURCE_OFFSET + 8) = bpf_cpu_to_be64(source);
	set_ports(data, IPV6_PORTS_OFFSET, flow);
}

static __always_inline int run(struct xdp_md *ctx, enum vary vary, const __u32 slot)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 flow = next_flow();
	__s64 length_bytes = end - data;

	if (state.answer_bytes && length_bytes == state.answer_bytes) {
		if (bpf_xdp_adjust_tail(ctx, state.cut_bytes))
			goto failed;
		length_bytes += state.cut_bytes;
	}
	/* Else the compiler sums other things up first, which the verifier does not like. */
	asm volatile("" : "+r"(length_bytes));
	if (bpf_xdp_adjust_head(ctx, length_bytes - state.frame_bytes))
		goto failed;
	data = (void *)(long)ctx->data;
	if (data + HARNESS_FRAME_BYTES > (void *)(long)ctx->data_end)
		goto failed;

	restore_headers(data);
	if (vary == VARY_IPV4)
		set_flow_ipv4(data, flow);
	else if (vary == VARY_IPV6)
		set_flow_ipv6(data, flow);
	bpf_tail_call_static(ctx, &programs, slot);
failed:
	state.failures++;
	return XDP_ABORTED;
}

SEC("xdp.frags")
int null_fixed(struct xdp_md *ctx)
{
	return run(ctx, VARY_NOTHING, HARNESS_NULL);
}

SEC("xdp.frags")
int null_ipv4(struct xdp_md *ctx)
{
	return run(ctx, VARY_IPV4, HARNESS_NULL);
}

SEC("xdp.frags")
int null_ipv6(struct xdp_md *ctx)
{
	return run(ctx, VARY_IPV6, HARNESS_NULL);
}

SEC("xdp.frags")
int target_fixed(struct xdp_md *ctx)
{
	return run(ctx, VARY_NOTHING, HARNESS_TARGET);
}

SEC("xdp.frags")
int target_ipv4(struct xdp_md *ctx)
{
	return run(ctx, VARY_IPV4, HARNESS_TARGET);
}

SEC("xdp.frags")
int target_ipv6(struct xdp_md *ctx)
{
	return run(ctx, VARY_IPV6, HARNESS_TARGET);
}

SEC("xdp.frags")
int null(struct xdp_md *ctx)
{
	return XDP_TX;
}

char LICENSE[] SEC("license") = "GPL";
