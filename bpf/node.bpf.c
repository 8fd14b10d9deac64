/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A node's XDP program: takes the outer header off packets that a balancer sent in IPIP, so that a
 * node needs no tunnel device. Everything else is passed on as it came.
 *
 * Only packets whose outer destination is one of this node's own addresses are opened: a tunnel end
 * that opens anything is a way round every source filter (RFC 6169, 3.2).
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../maps/node.h"

/* Set by the loader; the rest stays 0, which is nobody's address. */
const volatile struct node_address node_addresses[NODE_ADDRESSES_MAX] = {};

/* Memory: what this node took out of its tunnels. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct node_counters);
} node_counters SEC(".maps");

#define ECN_MASK       3
#define ECN_CONGESTION 3

static __always_inline bool is_ours(__u64 high, __u64 low)
{
	bool ours = false;

#pragma unroll
	for (int i = 0; i < NODE_ADDRESSES_MAX; i++)
		ours |= node_addresses[i].high == high && node_addresses[i].low == low;
	return ours && (high | low);
}

/* Congestion met on the way through the tunnel is told to the inner packet (RFC 6040, 4.2). */
static __always_inline void keep_congestion_ipv4(struct iphdr *ip)
{
	__u32 check;

	if ((ip->tos & ECN_MASK) == 0 || (ip->tos & ECN_MASK) == ECN_CONGESTION)
		return;
	check = (__u16)~ip->check + (__u16)~bpf_htons(ip->tos);
	check += bpf_htons(ip->tos | ECN_CONGESTION);
	check = (check & 0xffff) + (check >> 16);
	check = (check & 0xffff) + (check >> 16);
	ip->check = ~check;
	ip->tos |= ECN_CONGESTION;
}

static __always_inline void keep_congestion_ipv6(struct ipv6hdr *ip)
{
	if (ip->flow_lbl[0] & ECN_MASK << 4)
		ip->flow_lbl[0] |= ECN_CONGESTION << 4;
}

/*
 * Is a whole packet of the family inside that the outer header names? Then open it. Inside is what
 * the outer packet's own length, @packet_bytes, spans: bytes behind it are Ethernet's padding.
 */
static __always_inline int decapsulate(struct xdp_md *ctx, __u32 outer_bytes, __u32 packet_bytes,
				       __u8 inner_protocol, bool congestion)
{
	__be16 eth_protocol = bpf_htons(inner_protocol == IPPROTO_IPIP ? ETH_P_IP : ETH_P_IPV6);
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct node_counters *counters;
	struct ethhdr eth;
	__u32 zero = 0;

	if (data + sizeof(eth) + outer_bytes > end || sizeof(eth) + packet_bytes > end - data)
		return XDP_PASS;
	__builtin_memcpy(&eth, data, sizeof(eth));
	eth.h_proto = eth_protocol;

	data += sizeof(eth) + outer_bytes;
	if (inner_protocol == IPPROTO_IPIP) {
		struct iphdr *ip = data;

		if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5 ||
		    outer_bytes + bpf_ntohs(ip->tot_len) > packet_bytes)
			return XDP_PASS;
		if (congestion)
			keep_congestion_ipv4(ip);
	} else {
		struct ipv6hdr *ip = data;

		if ((void *)(ip + 1) > end || ip->version != 6 ||
		    outer_bytes + sizeof(*ip) + bpf_ntohs(ip->payload_len) > packet_bytes)
			return XDP_PASS;
		if (congestion)
			keep_congestion_ipv6(ip);
	}

	if (bpf_xdp_adjust_head(ctx, outer_bytes))
		return XDP_PASS;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + sizeof(eth) > end)
		return XDP_DROP;
	__builtin_memcpy(data, &eth, sizeof(eth));

	counters = bpf_map_lookup_elem(&node_counters, &zero);
	if (counters) {
		counters->packets++;
		counters->bytes += end - data;
	}
	return XDP_PASS;
}

SEC("xdp")
int node(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = (void *)(eth + 1);

		if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl != 5 ||
		    ip->frag_off & bpf_htons(0x3fff))
			return XDP_PASS;
		if (ip->protocol != IPPROTO_IPIP && ip->protocol != IPPROTO_IPV6)
			return XDP_PASS;
		if (!is_ours(0, (__u64)ip->daddr << 32 | 0xffff0000))
			return XDP_PASS;
		return decapsulate(ctx, sizeof(*ip), bpf_ntohs(ip->tot_len), ip->protocol,
				   (ip->tos & ECN_MASK) == ECN_CONGESTION);
	}
	if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(eth + 1);
		__u64 *destination = (void *)&ip->daddr;

		if ((void *)(ip + 1) > end || ip->version != 6)
			return XDP_PASS;
		if (ip->nexthdr != IPPROTO_IPIP && ip->nexthdr != IPPROTO_IPV6)
			return XDP_PASS;
		if (!is_ours(destination[0], destination[1]))
			return XDP_PASS;
		return decapsulate(ctx, sizeof(*ip), sizeof(*ip) + bpf_ntohs(ip->payload_len),
				   ip->nexthdr,
				   (ip->flow_lbl[0] >> 4 & ECN_MASK) == ECN_CONGESTION);
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
