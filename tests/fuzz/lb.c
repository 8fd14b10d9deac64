/* SPDX-License-Identifier: GPL-2.0-only */
/* libFuzzer's target: the load balancer's program, whole, on a few frames. */
#include "lb_check.h"
#include "lb_world.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const __u8 *bytes, size_t count);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	lb_world_make();
	return 0;
}

static struct lb_counts count(void)
{
	return (struct lb_counts){
		.drops = lb_world_all_drops(),
		.too_big = lb_world_drops(DROP_TOO_BIG),
		.forwarded = lb_world_forwarded(),
		.echo_replies = lb_world_echo_replies(),
		.errors = lb_world_errors(),
		.by_rules = lb_world_drops_by_rules(),
		.told = lb_world_told(),
	};
}

int LLVMFuzzerTestOneInput(const __u8 *bytes, size_t count_bytes)
{
	struct input input = {bytes, count_bytes};
	static struct packet_in in;
	static __u8 out[OUT_MAX];

	kernel_reset();
	for (int i = 0; i < PACKETS_MAX && next_packet(&input, &in); i++) {
		struct lb_run run = {.in = &in, .out = out, .before = count()};

		lb_world_flip(in.half, in.policed);
		run.verdict = lb(frame_arrive(in.frame, in.frame_bytes, &in.arrival));
		run.out_bytes = frame_leave(out);
		run.after = count();
		lb_check(&run);
	}
	return 0;
}
