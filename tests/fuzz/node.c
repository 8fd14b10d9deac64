/* SPDX-License-Identifier: GPL-2.0-only */
/* libFuzzer's target: the node's program, whole, on a few frames. */
#include "node_check.h"
#include "node_world.h"
#include "wire.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const __u8 *bytes, size_t count);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	node_world_make();
	return 0;
}

int LLVMFuzzerTestOneInput(const __u8 *bytes, size_t count)
{
	struct input input = {bytes, count};
	static struct packet_in in;
	static __u8 out[OUT_MAX];

	kernel_reset();
	for (int i = 0; i < PACKETS_MAX && next_packet(&input, &in); i++) {
		struct node_run run = {.in = &in, .out = out, .before = node_world_counters()};

		run.verdict = node(frame_arrive(in.frame, in.frame_bytes, &in.arrival));
		run.out_bytes = frame_leave(out);
		run.after = node_world_counters();
		must(!sockets_held(), "kept a socket");
		node_check(&run);
	}
	return 0;
}
