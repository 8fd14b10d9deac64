/* SPDX-License-Identifier: GPL-2.0-only */
/* A program that no verifier lets pass: it reads behind the end of a frame. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int refused(struct xdp_md *ctx)
{
	return *(__u8 *)(long)ctx->data_end;
}

char _license[] SEC("license") = "GPL";
