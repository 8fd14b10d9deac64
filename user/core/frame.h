/* SPDX-License-Identifier: GPL-2.0-only */
/* Ethernet frames, read and made for people: not what the packet path does, which is in bpf/. */
#ifndef SLUICE_CORE_FRAME_H
#define SLUICE_CORE_FRAME_H

#include <linux/types.h>

#include "address.h"

#define FRAME_MADE_BYTES 128 /* room for any that is made here */

struct frame_flow {
	struct address source;
	struct address destination;
	__u16 source_port; /* host order; 0: it has none, or none that could be read */
	__u16 destination_port;
	__u8 protocol; /* IPPROTO_... */
};

/*
 * Read who talks to whom, as far as the first @bytes say. Returns whether that is an IP packet's
 * frame; tags and IPv6 extension headers are passed over.
 */
bool frame_read(const void *frame, size_t bytes, struct frame_flow *flow);

/* The shortest frame that may open such a flow, of TCP or UDP. Returns its length. */
size_t frame_make(const struct frame_flow *flow, __u8 frame[FRAME_MADE_BYTES]);

/* "tcp", "icmpv6", ...; NULL: one that has no name here. */
const char *frame_protocol_name(__u8 protocol);

#endif
