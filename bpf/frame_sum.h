/* SPDX-License-Identifier: GPL-2.0-only */
/* The Internet checksum of more than the verifier can follow. */
#ifndef SLUICE_BPF_FRAME_SUM_H
#define SLUICE_BPF_FRAME_SUM_H

#include "../maps/maps.bpf.h"

/*
 * The sum of a part of the frame in whatever buffers it lies, or negative: it is not all there. A
 * function with a verification of its own, or each caller would pay for 128 rounds.
 */
__noinline __s64 sum_frame(struct xdp_md *ctx, __u32 at_bytes, __u32 bytes)
{
	__u32 zero = 0;
	__u8 *chunk = bpf_map_lookup_elem(&scratch, &zero);
	__u32 whole_bytes, sum = 0, least = 1;

	if (!chunk || bytes > 65535)
		return -1;
	while (bytes >= SCRATCH_BYTES) {
		if (bpf_xdp_load_bytes(ctx, at_bytes, chunk, SCRATCH_BYTES))
			return -1;
		sum = bpf_csum_diff(NULL, 0, (__be32 *)chunk, SCRATCH_BYTES, sum);
		at_bytes += SCRATCH_BYTES;
		bytes -= SCRATCH_BYTES;
	}
	/* From "not 0" 6.1 does not learn that it is 1 at least. */
	barrier_var(least);
	if (bytes < least)
		return sum;
	/* bpf_csum_diff takes words of four bytes: the last is filled up, or all, with zeros. */
	whole_bytes = bytes & ~3u;
	*(__u32 *)(chunk + whole_bytes) = 0;
	if (bpf_xdp_load_bytes(ctx, at_bytes, chunk, bytes))
		return -1;
	return (__u32)bpf_csum_diff(NULL, 0, (__be32 *)chunk, whole_bytes + 4, sum);
}

#endif
