/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "driver.h"
#include "tests/bench/harness.skel.h"

struct driver {
	struct harness_bpf *skeleton;
	struct frame frame;
	__u32 ifindex;
	int entries[HARNESS_SLOTS]; /* harness programs that fit the frame */
};

static int put_program(struct driver *driver, enum harness_slot slot, int program)
{
	int map = bpf_map__fd(driver->skeleton->maps.programs);
	__u32 key = slot;

	return bpf_map_update_elem(map, &key, &program, BPF_ANY);
}

struct driver *driver_open(void)
{
	struct driver *driver = calloc(1, sizeof(*driver));
	int err = -ENOMEM;

	if (!driver)
		goto failed;
	driver->skeleton = harness_bpf__open_and_load();
	if (!driver->skeleton) {
		err = -errno;
		goto failed;
	}
	err = put_program(driver, HARNESS_NULL, bpf_program__fd(driver->skeleton->progs.null));
	if (err)
		goto failed;
	return driver;

failed:
	driver_close(driver);
	errno = -err;
	return NULL;
}

void driver_close(struct driver *driver)
{
	if (!driver)
		return;
	harness_bpf__destroy(driver->skeleton);
	free(driver);
}

int driver_set_target(struct driver *driver, int program)
{
	return put_program(driver, HARNESS_TARGET, program);
}

void driver_forget_target(struct driver *driver)
{
	__u32 slot = HARNESS_TARGET;

	bpf_map__delete_elem(driver->skeleton->maps.programs, &slot, sizeof(slot), 0);
}

static __u64 greatest_common_divisor(__u64 a, __u64 b)
{
	while (b) {
		__u64 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/*
 * The golden section of all flows: far apart from one to the next, as even as can be over time.
 * (x 0.618 as 2654435769 / 2^32, so that flows up to 2^32 do not overflow.)
 */
static __u64 stride_over(__u64 flows)
{
	__u64 stride = (flows * 2654435769u >> 32) ?: 1;

	while (greatest_common_divisor(flows, stride) != 1)
		stride++;
	return stride;
}

static void choose_entries(struct driver *driver)
{
	const struct ethhdr *eth = (const void *)driver->frame.bytes;
	struct harness_bpf *skeleton = driver->skeleton;
	struct bpf_program *null = skeleton->progs.null_fixed;
	struct bpf_program *target = skeleton->progs.target_fixed;

	if (!driver->frame.varies) {
		/* one flow is all there is of it */
	} else if (eth->h_proto == htobe16(ETH_P_IP)) {
		null = skeleton->progs.null_ipv4;
		target = skeleton->progs.target_ipv4;
	} else if (eth->h_proto == htobe16(ETH_P_IPV6)) {
		null = skeleton->progs.null_ipv6;
		target = skeleton->progs.target_ipv6;
	}
	driver->entries[HARNESS_NULL] = bpf_program__fd(null);
	driver->entries[HARNESS_TARGET] = bpf_program__fd(target);
}

void driver_set_traffic(struct driver *driver, const struct frame *frame, __u64 flows,
			__u32 ifindex)
{
	struct harness_state *state = &driver->skeleton->bss->state;

	driver->frame = *frame;
	driver->ifindex = ifindex;
	choose_entries(driver);

	memset(state, 0, sizeof(*state));
	state->flows = flows;
	state->frame_bytes = frame->length_bytes;
	state->checksum = frame->checksum;
	state->answer_bytes = frame->answer_bytes;
	state->cut_bytes = frame->cut_bytes;
	memcpy(state->frame, frame->bytes, HARNESS_FRAME_BYTES);
}

/* The time that other tasks take from this CPU does not count. */
static double thread_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

int driver_run(struct driver *driver, enum harness_slot slot, struct driver_run *run)
{
	struct harness_state *state = &driver->skeleton->bss->state;
	struct xdp_md ctx = {
		.data_end = driver->frame.length_bytes,
		.ingress_ifindex = driver->ifindex,
	};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = driver->frame.bytes,
		    .data_size_in = driver->frame.length_bytes, .data_out = run->frame.bytes,
		    .data_size_out = sizeof(run->frame.bytes), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = run->packets);
	double started_ns;
	int err;

	state->dwell = run->warm ? WARM_DWELL : 1;
	state->stride = run->warm ? 1 : stride_over(state->flows);
	state->dwelt = 0;
	started_ns = thread_time_ns();
	err = bpf_prog_test_run_opts(driver->entries[slot], &options);
	run->elapsed_ns = thread_time_ns() - started_ns;
	if (err)
		return err;
	run->verdict = options.retval;
	run->frame.length_bytes = options.data_size_out;
	return state->failures ? -EPROTO : 0;
}
