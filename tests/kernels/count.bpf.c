/* SPDX-License-Identifier: GPL-2.0-only */
/* Somebody else's XDP programs: they count frames and pass them on. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} frames SEC(".maps");

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *seen = bpf_map_lookup_elem(&frames, &key);

	if (seen)
		(*seen)++;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
