/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A node's XDP program: takes the outer headers off packets that a balancer sent in IPIP or GUE, so
 * that a node needs no tunnel device. Everything else is passed on as it came.
 *
 * GUE packets carry a list of hops, and so have a second chance: one that belongs to a TCP
 * connection which this node does not know goes to the next hop. Balancers that choose different
 * nodes for a flow then do not break it, as long as the right one is among the hops.
 *
 * Only packets whose outer destination is one of this node's own addresses are opened: a tunnel end
 * that opens anything is a way round every source filter (RFC 6169, 3.2).
 */
#include "node_hop.h"
#include "node_socket.h"
#include "node_tunnel.h"

/* Two addresses and two tags. */
#define LINK_WORDS_MAX (2 * ETH_ALEN / 4 + VLAN_TAGS_MAX)

/* Memory: what this node took out of its tunnels, and what it passed on. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct node_counters);
} node_counters SEC(".maps");

/* Congestion met on the way through the tunnel is told to the inner packet (RFC 6040, 4.2). */
static __always_inline void keep_congestion_ipv4(struct iphdr *ip)
{
	__u8 ecn = ip->tos & ECN_MASK;

	if (ecn == 0 || ecn == ECN_CONGESTION)
		return;
	ip->check = adjust_checksum(ip->check, (__u16)~bpf_htons(ip->tos) +
						       bpf_htons(ip->tos | ECN_CONGESTION));
	ip->tos |= ECN_CONGESTION;
}

static __always_inline void keep_congestion_ipv6(struct ipv6hdr *ip)
{
	if (ip->flow_lbl[0] & ECN_MASK << 4)
		ip->flow_lbl[0] |= ECN_CONGESTION << 4;
}

static __always_inline void keep_congestion(const struct tunnel *tunnel, void *data, void *end)
{
	void *at = data + tunnel->ip_at + (tunnel->outer_bytes & GUE_OUTER_MASK);

	if (tunnel->inner_protocol == IPPROTO_IPIP) {
		if (at + sizeof(struct iphdr) <= end)
			keep_congestion_ipv4(at);
	} else {
		if (at + sizeof(struct ipv6hdr) <= end)
			keep_congestion_ipv6(at);
	}
}

/*
 * Take the outer headers off. The link header moves up to the inner packet, with its tags (each the
 * type of a tag and then the tag, so that they are words behind the addresses) and another type.
 */
static __always_inline int open(struct xdp_md *ctx, const struct tunnel *tunnel,
				struct node_counters *counters)
{
	__u32 outer_bytes = tunnel->outer_bytes & GUE_OUTER_MASK;
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 link[LINK_WORDS_MAX];
	__u32 *to;

	if (data + sizeof(link) > end)
		return XDP_PASS;
	__builtin_memcpy(link, data, sizeof(link));
	if (tunnel->congestion)
		keep_congestion(tunnel, data, end);
	if (bpf_xdp_adjust_head(ctx, outer_bytes))
		return XDP_PASS;

	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	to = data;
	if (data + sizeof(link) + sizeof(__be16) > end)
		return XDP_DROP;
	__builtin_memcpy(to, link, 2 * ETH_ALEN);
	if (tunnel->ip_at >= ETH_HLEN + sizeof(struct vlan_tag))
		to[3] = link[3];
	if (tunnel->ip_at == ETH_HLEN + VLAN_TAGS_MAX * sizeof(struct vlan_tag))
		to[4] = link[4];
	*(__be16 *)(data + tunnel->ip_at - sizeof(__be16)) =
		bpf_htons(tunnel->inner_protocol == IPPROTO_IPIP ? ETH_P_IP : ETH_P_IPV6);

	counters->packets++;
	counters->bytes += tunnel->frame_bytes - outer_bytes;
	return XDP_PASS;
}

SEC("xdp.frags")
int node(struct xdp_md *ctx)
{
	struct node_counters *counters;
	struct tunnel tunnel = {};
	__u32 zero = 0;
	int verdict;

	if (!read_tunnel(ctx, &tunnel))
		return XDP_PASS;
	counters = bpf_map_lookup_elem(&node_counters, &zero);
	if (!counters)
		return XDP_PASS;
	if (tunnel.has_hops && is_stranger(ctx, &tunnel)) {
		verdict = pass_on(ctx, &tunnel, counters);
		if (verdict != NEXT)
			return verdict;
		counters->no_hop_left++;
	}
	return open(ctx, &tunnel, counters);
}

char _license[] SEC("license") = "GPL";
