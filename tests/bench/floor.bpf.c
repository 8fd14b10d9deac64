/* SPDX-License-Identifier: GPL-2.0-only */
/* The floors: programs that do one thing, to see what this machine charges for it. */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "maps/flow.h"
#include "maps/hash.h"

#define LINES     (1 << 17) /* as many as the flow table has for a million flows */
#define LRU_FLOWS 1500000

struct key {
	__be32 source;
	__be32 destination;
	__be32 ports;
	__u32 protocol;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} counter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LINES);
	__type(key, __u32);
	__type(value, struct flow_set);
} lines SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct key);
	__type(value, __u64);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LRU_FLOWS);
	__type(key, struct key);
	__type(value, __u64);
} lru SEC(".maps");

/* Keeps the compiler from leaving out what leads to @value. */
static __always_inline void use(__u64 value)
{
	asm volatile("" : : "r"(value));
}

static __always_inline bool parse(struct xdp_md *ctx, struct key *key)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(ip + 1) + sizeof(key->ports) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->version != 4 || ip->ihl != 5 || ip->protocol != IPPROTO_TCP)
		return false;
	key->source = ip->saddr;
	key->destination = ip->daddr;
	key->ports = *(__be32 *)(ip + 1);
	key->protocol = ip->protocol;
	return true;
}

SEC("xdp.frags")
int array_read(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *value = bpf_map_lookup_elem(&array, &zero);

	if (!value)
		return XDP_DROP;
	use(*value);
	return XDP_TX;
}

SEC("xdp.frags")
int percpu_counter(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *value = bpf_map_lookup_elem(&counter, &zero);

	if (!value)
		return XDP_DROP;
	++*value;
	return XDP_TX;
}

SEC("xdp.frags")
int hash_lookup(struct xdp_md *ctx)
{
	struct key key = {.ports = 1};
	__u64 *value = bpf_map_lookup_elem(&hash, &key);
	__u64 one = 1;

	if (value)
		use(*value);
	else
		bpf_map_update_elem(&hash, &key, &one, BPF_ANY);
	return XDP_TX;
}

SEC("xdp.frags")
int adjust_head(struct xdp_md *ctx)
{
	return bpf_xdp_adjust_head(ctx, -(int)sizeof(struct iphdr)) ? XDP_DROP : XDP_TX;
}

SEC("xdp.frags")
int ktime(struct xdp_md *ctx)
{
	use(bpf_ktime_get_ns());
	return XDP_TX;
}

SEC("xdp.frags")
int parse_only(struct xdp_md *ctx)
{
	struct key key;

	if (!parse(ctx, &key))
		return XDP_DROP;
	use(key.source);
	use(key.destination);
	use(key.ports);
	return XDP_TX;
}

SEC("xdp.frags")
int parse_line(struct xdp_md *ctx)
{
	const struct hash_key hash_key = {
		{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0x2545f4914f6cdd1d}};
	struct flow_set *line;
	struct key key;
	__u32 index;

	if (!parse(ctx, &key))
		return XDP_DROP;
	index = hash_words(&hash_key, key.source, key.destination, key.ports) & (LINES - 1);
	line = bpf_map_lookup_elem(&lines, &index);
	if (!line)
		return XDP_DROP;
	use(line->tag[0]);
	return XDP_TX;
}

SEC("xdp.frags")
int parse_lru(struct xdp_md *ctx)
{
	__u64 one = 1;
	__u64 *value;
	struct key key;

	if (!parse(ctx, &key))
		return XDP_DROP;
	value = bpf_map_lookup_elem(&lru, &key);
	if (value)
		use(*value);
	else
		bpf_map_update_elem(&lru, &key, &one, BPF_ANY);
	return XDP_TX;
}

char LICENSE[] SEC("license") = "GPL";
