/* SPDX-License-Identifier: GPL-2.0-only */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

uint16_t read16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

uint32_t read32(const uint8_t *at)
{
	return (uint32_t)read16(at) << 16 | read16(at + 2);
}

uint16_t ones_sum(const uint8_t *at, uint32_t bytes, uint32_t sum)
{
	uint64_t total = sum;

	for (uint32_t i = 0; i < bytes; i++)
		total += i % 2 ? at[i] : at[i] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

uint16_t l4_sum(const struct packet_view *packet, uint8_t protocol)
{
	uint32_t bytes = packet->ip_bytes - packet->header_bytes;
	uint32_t address_bytes = packet->ipv4 ? 4 : 16;
	uint32_t sum = ones_sum(packet->source, address_bytes, 0) +
		       ones_sum(packet->destination, address_bytes, 0) + protocol;

	/* A UDP datagram ends where it says that it does. */
	if (protocol == WIRE_UDP && bytes >= 8 &&
	    read16(packet->ip + packet->header_bytes + 4) >= 8 &&
	    read16(packet->ip + packet->header_bytes + 4) < bytes)
		bytes = read16(packet->ip + packet->header_bytes + 4);
	return ones_sum(packet->ip + packet->header_bytes, bytes, sum + bytes);
}

static bool read_ipv4(struct packet_view *packet, uint32_t bytes)
{
	const uint8_t *ip = packet->ip;
	uint16_t fragment;

	if (bytes < 20 || ip[0] >> 4 != 4)
		return false;
	packet->header_bytes = (ip[0] & 15) * 4;
	packet->ip_bytes = read16(ip + 2);
	if (packet->header_bytes < 20 || packet->ip_bytes < packet->header_bytes ||
	    packet->ip_bytes > bytes)
		return false;
	fragment = read16(ip + 6);
	packet->fragment = fragment & 0x3fff;
	packet->later = fragment & 0x1fff;
	packet->extended = packet->header_bytes > 20;
	packet->plain_chain = true;
	packet->protocol = ip[9];
	packet->checksum_right = ones_sum(ip, packet->header_bytes, 0) == 0xffff;
	packet->source = ip + 12;
	packet->destination = ip + 16;
	return true;
}

/* Hop-by-hop, routing, fragment and destination headers (RFC 8200, 4). */
static void follow_chain(struct packet_view *packet)
{
	uint32_t at = 40, header_bytes;
	uint8_t next = packet->ip[6];

	while (next == 0 || next == 43 || next == 44 || next == 60) {
		if (at + 8 > packet->ip_bytes || packet->later)
			break;
		packet->extended = true;
		header_bytes = next == 44 ? 8 : (packet->ip[at + 1] + 1) * 8;
		if (next == 44) {
			packet->fragment |= (read16(packet->ip + at + 2) & 0xfff9) != 0;
			packet->later = read16(packet->ip + at + 2) & 0xfff8;
		}
		next = packet->ip[at];
		at += header_bytes;
	}
	packet->header_bytes = at;
	packet->protocol = next;
	packet->plain_chain = at <= packet->ip_bytes;
}

static bool read_ipv6(struct packet_view *packet, uint32_t bytes)
{
	if (bytes < 40 || packet->ip[0] >> 4 != 6)
		return false;
	packet->ip_bytes = 40 + read16(packet->ip + 4);
	if (packet->ip_bytes > bytes)
		return false;
	packet->checksum_right = true;
	packet->source = packet->ip + 8;
	packet->destination = packet->ip + 24;
	follow_chain(packet);
	return true;
}

bool read_packet(struct packet_view *packet, const uint8_t *at, uint32_t bytes, bool ipv4)
{
	*packet = (struct packet_view){.ip = at, .ipv4 = ipv4};
	return ipv4 ? read_ipv4(packet, bytes) : read_ipv6(packet, bytes);
}

bool read_frame(struct frame_view *view, const uint8_t *frame, uint32_t bytes)
{
	uint32_t at = 12;

	*view = (struct frame_view){.bytes = frame, .frame_bytes = bytes};
	for (int tags = 0; tags < 2 && at + 2 <= bytes; tags++) {
		if (read16(frame + at) != 0x8100 && read16(frame + at) != 0x88a8)
			break;
		at += 4;
	}
	if (at + 2 > bytes)
		return false;
	view->l3_bytes = at + 2;
	if (read16(frame + at) != 0x0800 && read16(frame + at) != 0x86dd)
		return false;
	return read_packet(&view->packet, frame + at + 2, bytes - at - 2,
			   read16(frame + at) == 0x0800);
}

void broken(const char *what)
{
	fprintf(stderr, "fuzz: broken: %s\n", what);
	abort();
}
