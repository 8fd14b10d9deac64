/* SPDX-License-Identifier: GPL-2.0-only */
/* The largest segment that a SYN asks for, lowered to what the way to the client carries. */
#ifndef SLUICE_BPF_MSS_H
#define SLUICE_BPF_MSS_H

#include <linux/tcp.h>

#include "checksum.h"
#include "chain.h"
#include "packet.h"

#define TCP_OPTION_BYTES_MAX 40 /* all that fit behind the fixed header */
#define TCP_OPTION_END       0
#define TCP_OPTION_NOP       1
#define TCP_OPTION_MSS       2
#define TCP_OPTION_MSS_BYTES 4

/*
 * The checksum is updated as in RFC 1624, (3). A value that begins at an odd offset lies across two
 * words of the sum; to that sum it is the value with its bytes swapped (RFC 1071, 2 (B)).
 */
static __always_inline void lower_mss(struct tcphdr *tcp, __u8 *value, bool odd, __u16 mss_bytes)
{
	__u16 asked = *(__u16 *)value;
	__u16 lowered = bpf_htons(mss_bytes);

	if (bpf_ntohs(asked) <= mss_bytes)
		return;
	*(__u16 *)value = lowered;
	if (odd) {
		asked = asked << 8 | asked >> 8;
		lowered = lowered << 8 | lowered >> 8;
	}
	tcp->check = adjust_checksum(tcp->check, (__u16)~asked + lowered);
}

/*
 * Lower the MSS option of the SYN whose TCP header begins at @l4_bytes in the frame to @mss_bytes;
 * never raise it. All of them, should there be several: which one counts is the receiver's choice.
 * As a receiver does, the walk ends at the first option whose length lies.
 *
 * A SYN without the option is left alone: its receiver assumes 536 bytes, in IPv6 1220 (RFC 9293,
 * 3.7.1); less than that would need an option for which there is no room. Returns 0.
 */
__noinline int clamp_mss(struct xdp_md *ctx, __u32 l4_bytes, __u32 mss_bytes)
{
	struct tcphdr *tcp = at(ctx, l4_bytes, sizeof(*tcp));
	void *end = (void *)(long)ctx->data_end;
	__u32 offset = sizeof(*tcp);
	__u32 header_bytes;

	if (!tcp)
		return 0;
	header_bytes = tcp->doff * 4;
	if ((void *)tcp + header_bytes > end)
		return 0;

	for (int i = 0; i < TCP_OPTION_BYTES_MAX; i++) {
		__u8 *option = (void *)tcp + offset;

		/* Behind this no MSS option fits. The second test is the verifier's. */
		if (offset + TCP_OPTION_MSS_BYTES > header_bytes ||
		    (void *)option + TCP_OPTION_MSS_BYTES > end)
			break;
		if (option[0] == TCP_OPTION_NOP) {
			offset++;
			continue;
		}
		if (option[0] == TCP_OPTION_END || option[1] < 2)
			break;
		if (option[0] == TCP_OPTION_MSS && option[1] == TCP_OPTION_MSS_BYTES)
			lower_mss(tcp, option + 2, offset & 1, mss_bytes);
		offset += option[1];
	}
	return 0;
}

#endif
