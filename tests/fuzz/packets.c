/* SPDX-License-Identifier: GPL-2.0-only */
#include "packets.h"

#include <string.h>

bool next_packet(struct input *input, struct packet_in *packet)
{
	static const __u32 jiffies[] = {0, 1, 1000, 100000};
	const __u8 *record = input->bytes;
	__u32 given, filled;

	if (input->left < RECORD_BYTES)
		return false;
	input->left -= RECORD_BYTES;
	given = record[2] | record[3] << 8;
	if (given > input->left)
		given = input->left;
	if (given > FRAME_BYTES_MAX / 2)
		given = FRAME_BYTES_MAX / 2;
	filled = record[1] * 8;
	memcpy(packet->frame, record + RECORD_BYTES, given);
	for (__u32 i = 0; i < filled; i++)
		packet->frame[given + i] = i;
	input->bytes += RECORD_BYTES + given;
	input->left -= given;

	packet->frame_bytes = given + filled;
	packet->half = !!(record[0] & ARRIVES_OTHER_HALF);
	packet->policed = record[0] & ARRIVES_POLICED;
	packet->arrival = (struct arrival){
		.cpu = record[0] & ARRIVES_CPU,
		.later_jiffies = jiffies[(record[0] & ARRIVES_LATER) >> 1],
		.ifindex = record[0] & ARRIVES_FAR ? IFINDEX_FAR : IFINDEX_NEAR,
		.headroom_bytes = record[0] & ARRIVES_CRAMPED ? 0 : HEADROOM_BYTES,
		.linear_bytes = record[0] & ARRIVES_SPLIT ? SPLIT_BYTES : FRAME_BYTES_MAX,
	};
	return true;
}
