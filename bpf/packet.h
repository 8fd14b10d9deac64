/* SPDX-License-Identifier: GPL-2.0-only */
/* What the stages know of a packet: values and ids, never pointers into it or into maps. */
#ifndef SLUICE_BPF_PACKET_H
#define SLUICE_BPF_PACKET_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* What a stage returns when the next one is to go on; anything else is the packet's XDP verdict. */
#define NEXT (-1)

struct packet {
	/* Network order, IPv4 as ::ffff:a.b.c.d, as two words so that they compare and hash fast. */
	__u64 source[2];
	__u64 destination[2];
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 ttl;
	__u8 traffic_class;
	bool ipv4;
	bool opens;  /* a TCP SYN: the first packet of a new flow */
	bool closes; /* a TCP FIN or RST */
	__u16 length_bytes; /* of the IP packet */
	__u32 frame_bytes;

	__u32 cpu;	 /* that this runs on */
	__u32 half;	 /* of the state maps that this packet reads */
	__u64 flow_hash; /* of this balancer only */
	__u16 backend;	 /* id; BACKEND_NONE until one is found */
	bool remembered; /* the main set of flows has an entry, whatever it says */
	bool new_flow;
};

#endif
