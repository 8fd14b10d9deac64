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

/*
 * A header between the IPv6 header and what it carries (RFC 8200, 4). Bytes 2 and 3 of options are
 * written as padding where they are 0.
 */
struct extension {
	__u8 type;
	__u8 length;  /* words of 8 bytes behind the first */
	__u8 third;   /* byte: routing type, or the upper one of a fragment's offset */
	__u8 fourth;  /* segments left, or the lower one */
	__u32 number; /* identification */
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

/* As the other side of the flow sends it. */
void fields_turn(struct packet_fields *fields);

void frame_build(struct frame *frame, const struct packet_fields *fields);

/* Make room at @at and fill it; the bytes behind move back. */
void frame_insert(struct frame *frame, __u32 at, const __u8 *bytes, __u32 count);

/* Put on up to two tags: 802.1Q, the outer one of two 802.1ad. */
void frame_tag(struct frame *frame, unsigned int count);

/* The IPv4 checksum is put right afterwards, so that nobody can refuse the frame for it. */
void frame_edit(struct frame *frame, const struct edit *edit);

/* Write the checksum that the IPv4 header should have. */
void frame_seal(struct frame *frame);

/* The same for the ICMP message behind the IP header at @ip_at. */
void frame_seal_icmp(struct frame *frame, __u32 ip_at);

/* IPv4: options of @words words of 4 bytes behind the header, which has none. */
void frame_add_options(struct frame *frame, const __u8 *options, __u32 words);

/* IPv6: headers in this order, right behind the first. */
void frame_add_extensions(struct frame *frame, const struct extension *extensions, __u32 count);

/*
 * The part of a datagram that begins @offset_bytes (a multiple of 8) into what its IP header
 * carries. @bytes: how many; those that are not the last must be a multiple of 8.
 */
void frame_fragment(struct frame *fragment, const struct frame *whole, __u32 offset_bytes,
		    __u32 bytes, __u32 identification);

/*
 * An ICMP error of @reporter, addressed to the source of the packet in @quoted (without tags), of
 * which it has the first @quote_bytes.
 */
void frame_error(struct frame *error, const struct frame *quoted, const char *reporter, __u8 type,
		 __u8 code, __u32 quote_bytes);

/* As a router sends it on: one hop less. */
void frame_hop(struct frame *frame);
void frame_address(struct frame *frame, const struct mac *to, const struct mac *from);

/* RFC 2003, RFC 2473, RFC 4213: a header before the IP packet, which ends where its length says. */
void frame_encapsulate(struct frame *frame, const struct outer_fields *outer);

/* Every byte and the length, or the test fails with both in hexadecimal. @name: which case it is. */
void assert_frame(const char *name, const struct frame *got, const struct frame *expected);

#endif
