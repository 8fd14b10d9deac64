/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What network tests put at the ends of a veth pair: VLAN tags without a VLAN device, and a program
 * that lets everything in, so that frames of native XDP arrive (README, limits).
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define TAG       100
#define OUTER_TAG 200

SEC("xdp.frags")
int wire_in(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

static __always_inline int push(struct __sk_buff *skb, __u16 protocol, __u16 tag)
{
	return bpf_skb_vlan_push(skb, bpf_htons(protocol), tag) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("tc/push1")
int push_one(struct __sk_buff *skb)
{
	return push(skb, ETH_P_8021Q, TAG);
}

SEC("tc/push2")
int push_two(struct __sk_buff *skb)
{
	if (push(skb, ETH_P_8021Q, TAG) == TC_ACT_SHOT)
		return TC_ACT_SHOT;
	return push(skb, ETH_P_8021AD, OUTER_TAG);
}

/* What does not come with the tags that this side sends is nobody's. */
static __always_inline int pop(struct __sk_buff *skb, __u16 tag)
{
	if (!skb->vlan_present || (skb->vlan_tci & 0xfff) != tag)
		return TC_ACT_SHOT;
	return bpf_skb_vlan_pop(skb) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("tc/pop1")
int pop_one(struct __sk_buff *skb)
{
	return pop(skb, TAG);
}

SEC("tc/pop2")
int pop_two(struct __sk_buff *skb)
{
	if (pop(skb, OUTER_TAG) == TC_ACT_SHOT)
		return TC_ACT_SHOT;
	return pop(skb, TAG);
}

char _license[] SEC("license") = "GPL";
