/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Part of stage forward: VLAN tags. They are taken off once it is sure that the frame is ours and
 * put back when it leaves, so that only these frames pay for them.
 */
#ifndef SLUICE_BPF_TAGS_H
#define SLUICE_BPF_TAGS_H

#include "packet.h"

#define TAG_BYTES 4

/* The words between the addresses and the protocol of what is inside: two at most. */
union tags {
	__u32 word[2];
	__u64 words;
};

static __always_inline void move_macs(void *to, const void *from)
{
	__u32 macs[3];

	__builtin_memcpy(macs, from, sizeof(macs));
	__builtin_memcpy(to, macs, sizeof(macs));
}

/* Take off the tags of a frame whose IP header begins at @l3_bytes. 0: it cannot be done. */
__noinline __u64 untag(struct xdp_md *ctx, __u32 l3_bytes)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	union tags tags = {};
	bool two = l3_bytes > ETH_HLEN + TAG_BYTES;

	if (data + L3_BYTES_MAX > end)
		return 0;
	tags.word[0] = *(__u32 *)(data + 2 * ETH_ALEN);
	if (two) {
		tags.word[1] = *(__u32 *)(data + 2 * ETH_ALEN + TAG_BYTES);
		move_macs(data + 2 * TAG_BYTES, data);
	} else {
		move_macs(data + TAG_BYTES, data);
	}
	return bpf_xdp_adjust_head(ctx, two ? 2 * TAG_BYTES : TAG_BYTES) ? 0 : tags.words;
}

/* Put tags back on. False: the driver left no headroom, which cannot be where it gave some before. */
__noinline bool retag(struct xdp_md *ctx, __u64 words)
{
	union tags tags = {.words = words};
	bool two = tags.word[1];
	void *data, *end;

	if (bpf_xdp_adjust_head(ctx, two ? -2 * TAG_BYTES : -TAG_BYTES))
		return false;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + L3_BYTES_MAX > end)
		return false;
	if (two) {
		move_macs(data, data + 2 * TAG_BYTES);
		*(__u32 *)(data + 2 * ETH_ALEN + TAG_BYTES) = tags.word[1];
	} else {
		move_macs(data, data + TAG_BYTES);
	}
	*(__u32 *)(data + 2 * ETH_ALEN) = tags.word[0];
	return true;
}

#endif
