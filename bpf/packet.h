/* SPDX-License-Identifier: GPL-2.0-only */
/* What the stages know of a packet: values and ids, never pointers into it or into maps. */
#ifndef SLUICE_BPF_PACKET_H
#define SLUICE_BPF_PACKET_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Which way most packets go; the compiler keeps the rest out of their way. */
#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* What a stage returns when the next one is to go on; anything else is the packet's verdict. */
#define NEXT (-1)

/*
 * A verdict: the packet is lost. With it go the reason, the rule that asked for it and the service
 * that it was for (ids, or 0), so that lb() counts all drops in one place; to XDP it says XDP_DROP.
 */
#define DROPPED               (1 << 30)
#define DROPPED_RULE_SHIFT    8
#define DROPPED_SERVICE_SHIFT 20

/*
 * A verdict: the packet is for none of our services, and that there may be rules for such packets is
 * not ruled out. Other verdicts are XDP's own.
 */
#define NOT_OURS (-4)

#define L3_BYTES_MAX (ETH_HLEN + 2 * 4) /* behind two tags */

struct packet {
	/*
	 * The flow: of the packet, or of the one that an ICMP error quotes. Network order, IPv4 as
	 * ::ffff:a.b.c.d, as two words so that they compare and hash fast.
	 */
	__u64 source[2];
	__u64 destination[2];
	__u32 ports; /* source and destination as they travel; 0: a datagram whose ports nobody saw */
	__be16 service_port; /* that the service is looked for with */
	__u8 protocol;       /* likewise: TCP or UDP */

	/* The packet itself. */
	__u8 ttl;
	__u8 traffic_class;
	bool ipv4;
	__u8 tcp_flags;     /* those that open and close flows, see opens(); 0: not TCP */
	bool error;         /* an ICMP error, about a packet that went the other way */
	bool echo;          /* an ICMP echo request */
	bool fragment;      /* a part of a datagram */
	bool later;         /* a part that is not the first: no TCP or UDP header is in it */
	bool checksummed;   /* whole, plain TCP or UDP whose checksum covers all of it */
	__u16 length_bytes; /* of the IP packet */
	__u32 frame_bytes;
	__u32 l3_bytes; /* in front of the IP header: Ethernet and its tags */
	__u32 l4_bytes; /* in front of what IP carries */

	__u32 cpu;       /* that this runs on */
	__u32 half;      /* of the state maps that this packet reads */
	__u32 policy;    /* the rule set that decides over it: the lower half of control.policy */
	__u64 flow_hash; /* of this balancer only */
	__u16 backend;   /* id; BACKEND_NONE until one is found */
	__u16 rule;      /* id of the rule whose limits hold for it; 0: none */
	bool remembered; /* the main set of flows has an entry, whatever it says */
	bool new_flow;
	bool syn_again;   /* a SYN of a flow that has shown nothing else */
	bool established; /* the first packet of its flow that is not its beginning */
};

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* The verifier forgets the bounds of what lies in memory. */
static __always_inline __u32 half_of(const struct packet *packet)
{
	return packet->half & 1;
}

/* The first packet of a new flow. */
static __always_inline bool opens(const struct packet *packet)
{
	return packet->tcp_flags == TCP_SYN;
}

static __always_inline bool closes(const struct packet *packet)
{
	return packet->tcp_flags & (TCP_FIN | TCP_RST);
}

#endif
