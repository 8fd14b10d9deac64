/* SPDX-License-Identifier: GPL-2.0-only */
/* The frames' way: made, sent on by one who does nothing else, and counted where they arrive. */
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "generator.h"

#define TCP_OFFSET          (ETH_HLEN + sizeof(struct iphdr))
#define IP_CHECKSUM_OFFSET  (ETH_HLEN + offsetof(struct iphdr, check))
#define IP_SOURCE_OFFSET    (ETH_HLEN + offsetof(struct iphdr, saddr))
#define TCP_SOURCE_OFFSET   (TCP_OFFSET + offsetof(struct tcphdr, source))
#define TCP_CHECKSUM_OFFSET (TCP_OFFSET + offsetof(struct tcphdr, check))

const volatile struct generator_config config = {};

__u32 flow;
__u32 relay_ifindex;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct generator_count);
} arrived SEC(".maps");

static __always_inline __be16 checksum(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return bpf_htons(~sum);
}

/*
 * Frames come back from the far end with whatever was done to them there, so each is written
 * as a whole.
 */
SEC("xdp")
int send(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 source = GENERATOR_SOURCE_IPV4 + (flow & ((1 << GENERATOR_ADDRESS_BITS) - 1));
	__u32 port = GENERATOR_SOURCE_PORT + (flow >> GENERATOR_ADDRESS_BITS);
	__u32 source_sum = (source >> 16) + (source & 0xffff);

	if (data + GENERATOR_FRAME_BYTES > end)
		return XDP_ABORTED;
#pragma unroll
	for (int i = 0; i < GENERATOR_FRAME_BYTES / sizeof(__u64); i++)
		((__u64 *)data)[i] = config.frame[i];
	*(__be16 *)(data + IP_CHECKSUM_OFFSET) = checksum(config.ip_sum + source_sum);
	*(__be32 *)(data + IP_SOURCE_OFFSET) = bpf_htonl(source);
	*(__be16 *)(data + TCP_SOURCE_OFFSET) = bpf_htons(port);
	*(__be16 *)(data + TCP_CHECKSUM_OFFSET) = checksum(config.tcp_sum + source_sum + port);

	flow = flow + 1 < config.flows ? flow + 1 : 0;
	return bpf_redirect(config.ifindex, 0);
}

SEC("xdp")
int relay(struct xdp_md *ctx)
{
	(void)ctx;
	return bpf_redirect(relay_ifindex, 0);
}

/* ARP and the like are the stack's, so that the balancer finds whom it sends to. */
SEC("xdp")
int sink(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct generator_count *count;
	struct ethhdr *eth = data;
	__u32 zero = 0;

	if ((void *)(eth + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	count = bpf_map_lookup_elem(&arrived, &zero);
	if (count) {
		count->frames++;
		count->bytes += end - data;
	}
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
