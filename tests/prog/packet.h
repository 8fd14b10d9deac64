/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames, built byte by byte from the RFCs and from nothing of the code under test: what goes in,
 * and what must come out.
 */
#ifndef SLUICE_TESTS_PROG_PACKET_H
#define SLUICE_TESTS_PROG_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define FRAME_BYTES_MAX 9216 /* the usual jumbo frame's MTU, and room for headers */

/* Offsets in a frame without tags, options and extension headers. */
enum {
	AT_ETHERTYPE = 12,
	AT_IP = 14,
	AT_IPV4_TTL = AT_IP + 8,
	AT_IPV4_L4 = AT_IP + 20,
	AT_IPV6_L4 = AT_IP + 40,
};

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10 };

struct mac {
	__u8 byte[6];
};

struct frame {
	__u32 length_bytes;
	__u8 bytes[FRAME_BYTES_MAX];
};

/* A TCP segment or UDP datagram; the family is that of the addresses. */
struct packet_fields {
	const char *source;
	const char *destination;
	__u16 source_port;
	__u16 destination_port;
	__u8 protocol;
	__u8 tcp_flags;
	__u8 ttl;
	__u8 traffic_class; /* DSCP and ECN */
	__u16 id;           /* IPv4 only */
	__u16 payload_bytes;
};

/* An outer header; the family is that of the addresses. */
struct outer_fields {
	const char *source;
	const char *destination;
	__u8 traffic_class;
	__u32 flow_label; /* IPv6 only */
};

/* How to spoil a frame: bytes put in, then bytes replaced. */
struct edit {
	struct {
		__u16 at; /* 0: none, or no more of them */
		__u8 value;
	} pokes[3];
	struct {
		__u16 at;
		__u16 count; /* 0: none */
		const char *bytes;
	} insert;
};

/* From a client to the load balancer's device. */
extern const struct mac client_mac;
extern const struct mac balancer_mac;

__u16 read16(const struct frame *frame, __u32 at);
void write16(struct frame *frame, __u32 at, __u16 value);
bool is_ipv6(const struct frame *frame);

/* RFC 1071, word for word. */
__u16 checksum(const __u8 *bytes, size_t count);

void frame_build(struct frame *frame, const struct packet_fields *fields);

/* Make room at @at and fill it; the bytes behind move back. */
void frame_insert(struct frame *frame, __u32 at, const __u8 *bytes, __u32 count);

/* The IPv4 checksum is put right afterwards, so that nobody can refuse the frame for it. */
void frame_edit(struct frame *frame, const struct edit *edit);

/* Write the checksum that the IPv4 header should have. */
void frame_seal(struct frame *frame);

/* The same for the ICMP message behind the IP header at @ip_at. */
void frame_seal_icmp(struct frame *frame, __u32 ip_at);

/* As a router sends it on: one hop less. */
void frame_hop(struct frame *frame);
void frame_address(struct frame *frame, const struct mac *to, const struct mac *from);

/* RFC 2003, RFC 2473, RFC 4213: a header before the IP packet, which ends where its length says. */
void frame_encapsulate(struct frame *frame, const struct outer_fields *outer);

/* Every byte and the length, or the test fails with both in hexadecimal. @name: which case it is. */
void assert_frame(const char *name, const struct frame *got, const struct frame *expected);

#endif
