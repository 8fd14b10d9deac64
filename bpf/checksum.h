/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Internet checksum (RFC 1071) of headers at hand. Words may be added up in any order, as they
 * stand, of 32 bits as well as of 16: what is carried out of them goes round in the end.
 */
#ifndef SLUICE_BPF_CHECKSUM_H
#define SLUICE_BPF_CHECKSUM_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* @bytes: a multiple of 4. */
static __always_inline __u64 add_words(__u64 sum, const void *words, __u32 bytes)
{
	const __u32 *word = words;

#pragma unroll
	for (__u32 i = 0; i < bytes / 4; i++)
		sum += word[i];
	return sum;
}

/* Of a sum below 2^47. The last carry goes from the lower half to the upper one, which has the same. */
static __always_inline __u16 fold(__u64 sum)
{
	__u32 folded = (sum & 0xffff) + (sum >> 16);

	return (folded + (folded << 16) + (folded >> 16)) >> 16;
}

/* @check with @difference added to what it covers (RFC 1624, 3). */
static __always_inline __u16 adjust_checksum(__u16 check, __u64 difference)
{
	return ~fold((__u16)~check + difference);
}

#endif
