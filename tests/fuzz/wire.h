/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a frame says, read byte by byte from the RFCs: the judge of what the programs make of it. It
 * shares no code and no headers with them.
 */
#ifndef SLUICE_TESTS_FUZZ_WIRE_H
#define SLUICE_TESTS_FUZZ_WIRE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	WIRE_ICMP = 1,
	WIRE_IPIP = 4,
	WIRE_TCP = 6,
	WIRE_UDP = 17,
	WIRE_IPV6 = 41,
	WIRE_ICMPV6 = 58
};

struct packet_view {
	const uint8_t *ip;
	uint32_t ip_bytes;     /* of the packet, as its header says */
	uint32_t header_bytes; /* in front of L4, extension headers included */
	uint8_t protocol;      /* of L4 */
	bool ipv4;
	bool checksum_right; /* of the IPv4 header */
	bool fragment;
	bool later;                          /* not the first fragment */
	bool extended;                       /* options or extension headers */
	bool plain_chain;                    /* what is chained to the IPv6 header was understood */
	const uint8_t *source, *destination; /* 4 or 16 bytes */
};

struct frame_view {
	const uint8_t *bytes;
	uint32_t frame_bytes;
	uint32_t l3_bytes; /* Ethernet and tags */
	struct packet_view packet;
};

uint16_t read16(const uint8_t *at);
uint32_t read32(const uint8_t *at);

/* RFC 1071, in whole: the folded sum of @bytes with @sum before them. */
uint16_t ones_sum(const uint8_t *at, uint32_t bytes, uint32_t sum);

/* The sum of an L4 message with its pseudo header; 0xffff: its checksum is right. */
uint16_t l4_sum(const struct packet_view *packet, uint8_t protocol);

/* False: no IP packet of this family that fits into @bytes. */
bool read_packet(struct packet_view *packet, const uint8_t *at, uint32_t bytes, bool ipv4);

/* False: not Ethernet with up to two tags and IP behind it, or lengths that lie. */
bool read_frame(struct frame_view *view, const uint8_t *frame, uint32_t bytes);

/* A property does not hold: say which, and end as a crash does. */
void broken(const char *what) __attribute__((noreturn));

static inline void must(bool holds, const char *what)
{
	if (!holds)
		broken(what);
}

#endif
