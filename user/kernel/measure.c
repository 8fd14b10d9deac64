/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/measure.skel.h"
#include "apply.h"
#include "complaint.h"

/* enum bpf_attach_type of Linux 6.6, which older headers lack. */
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS  47

/*
 * Our filters' name on a device: whoever measures there replaces what a killed process left. They
 * come early, because a filter that decides ends the matter for those behind it.
 */
#define FILTER_PRIORITY 7
#define FILTER_HANDLE   0x51ce

enum direction { SENT, RECEIVED, DIRECTIONS };

struct attachment {
	char device[IF_NAMESIZE]; /* empty: this place is free */
	int ifindex;
	int link_fds[DIRECTIONS]; /* -1: by clsact */
};

struct measure {
	struct measure_bpf *skeleton;
	int cpu_count;
	struct measure_counters *by_cpu;
	struct attachment attachments[MEASURE_DEVICES_MAX];
};

int measure_open(__u32 flows_max, struct measure **measure, struct text_error *error)
{
	struct measure *opened = calloc(1, sizeof(*opened));
	int err = -ENOMEM;

	complaint_begin();
	if (!opened)
		goto fail;
	opened->cpu_count = libbpf_num_possible_cpus();
	if (opened->cpu_count < 0) {
		err = opened->cpu_count;
		goto fail;
	}
	opened->by_cpu = calloc(opened->cpu_count, sizeof(*opened->by_cpu));
	if (!opened->by_cpu)
		goto fail;
	opened->skeleton = measure_bpf__open();
	if (!opened->skeleton) {
		err = -errno;
		goto fail;
	}
	err = bpf_map__set_max_entries(opened->skeleton->maps.measure_flows, flows_max);
	if (!err)
		err = measure_bpf__load(opened->skeleton);
	if (err)
		goto fail;
	complaint_end();
	*measure = opened;
	return 0;
fail:
	complaint_end();
	measure_close(opened);
	if (err == -EPERM)
		return text_refuse(error, err, NULL,
				   "the kernel refuses BPF programs: run as root");
	return text_refuse(error, err, NULL, "cannot load the programs that measure: %s%s%s",
			   strerror(-err), *complaint_text() ? ": " : "", complaint_text());
}

int measure_set_services(struct measure *measure, const struct measure_service *services,
			 size_t count, struct text_error *error)
{
	struct measure_entry entries[MEASURE_SERVICES_MAX];
	int err = measure_entries(services, count, entries);

	if (err == -ERANGE)
		return text_refuse(error, err, NULL, "no more than %d services can be measured",
				   MEASURE_SERVICES_MAX);
	if (err)
		return text_refuse(error, err, NULL, "a service is to be measured twice");
	err = apply_measure(bpf_map__fd(measure->skeleton->maps.measure_services),
			    bpf_map__fd(measure->skeleton->maps.measure_settings), entries, count);
	if (err)
		return text_refuse(error, err, NULL,
				   "cannot write the map of measured services: %s", strerror(-err));
	return 0;
}

static int program_fd(const struct measure *measure, enum direction direction)
{
	return bpf_program__fd(direction == SENT ? measure->skeleton->progs.measure_sent
						 : measure->skeleton->progs.measure_received);
}

static struct bpf_tc_hook filter_hook(const struct attachment *attachment, enum direction direction)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = attachment->ifindex,
		.attach_point = direction == SENT ? BPF_TC_EGRESS : BPF_TC_INGRESS,
	};
}

static struct bpf_tc_opts filter_options(void)
{
	return (struct bpf_tc_opts){
		.sz = sizeof(struct bpf_tc_opts),
		.handle = FILTER_HANDLE,
		.priority = FILTER_PRIORITY,
	};
}

/*
 * The qdisc stays when the filters go. Without filters it costs nothing, and others may have put
 * theirs there.
 */
static int attach_filter(const struct measure *measure, const struct attachment *attachment,
			 enum direction direction)
{
	struct bpf_tc_hook hook = filter_hook(attachment, direction);
	struct bpf_tc_opts options = filter_options();
	int err = bpf_tc_hook_create(&hook);

	if (err && err != -EEXIST)
		return err;
	options.prog_fd = program_fd(measure, direction);
	options.flags = BPF_TC_F_REPLACE;
	return bpf_tc_attach(&hook, &options);
}

static __u32 program_id(int fd)
{
	struct bpf_prog_info info = {};
	__u32 info_bytes = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &info_bytes) ? 0 : info.id;
}

/* Another process may have put its own filter in the place of ours. */
static bool has_filter(const struct measure *measure, const struct attachment *attachment,
		       enum direction direction)
{
	struct bpf_tc_hook hook = filter_hook(attachment, direction);
	struct bpf_tc_opts found = filter_options();

	return !bpf_tc_query(&hook, &found) &&
	       found.prog_id == program_id(program_fd(measure, direction));
}

static void detach_filter(const struct measure *measure, const struct attachment *attachment,
			  enum direction direction)
{
	struct bpf_tc_hook hook = filter_hook(attachment, direction);
	struct bpf_tc_opts options = filter_options();

	if (has_filter(measure, attachment, direction))
		bpf_tc_detach(&hook, &options);
}

static int attach_link(const struct measure *measure, const struct attachment *attachment,
		       enum direction direction)
{
	enum bpf_attach_type type = direction == SENT ? ATTACH_TCX_EGRESS : ATTACH_TCX_INGRESS;
	int fd = bpf_link_create(program_fd(measure, direction), attachment->ifindex, type, NULL);

	return fd < 0 ? -errno : fd;
}

/* A link has no device any more when that was removed. Of TCX it is named where XDP has it, too. */
static bool has_link(const struct attachment *attachment, enum direction direction)
{
	struct bpf_link_info info = {};
	__u32 info_bytes = sizeof(info);

	return !bpf_obj_get_info_by_fd(attachment->link_fds[direction], &info, &info_bytes) &&
	       (int)info.xdp.ifindex == attachment->ifindex;
}

/* Closing a link's descriptor detaches it, so nothing stays of a process that is killed. */
static int attach_direction(const struct measure *measure, struct attachment *attachment,
			    enum direction direction, enum measure_hook hook)
{
	int fd = -EINVAL;

	attachment->link_fds[direction] = -1;
	if (hook != MEASURE_HOOK_CLSACT)
		fd = attach_link(measure, attachment, direction);
	if (fd >= 0) {
		attachment->link_fds[direction] = fd;
		return 0;
	}
	/* What a kernel says to an attach type that it does not know. */
	if (fd == -EINVAL && hook != MEASURE_HOOK_TCX)
		return attach_filter(measure, attachment, direction);
	return fd;
}

static void detach_direction(const struct measure *measure, const struct attachment *attachment,
			     enum direction direction)
{
	if (attachment->link_fds[direction] >= 0)
		close(attachment->link_fds[direction]);
	else
		detach_filter(measure, attachment, direction);
}

static struct attachment *find_attachment(const struct measure *measure, const char *device)
{
	size_t i;

	for (i = 0; i < MEASURE_DEVICES_MAX; i++) {
		if (!strcmp(measure->attachments[i].device, device))
			return (struct attachment *)&measure->attachments[i];
	}
	return NULL;
}

static int attach(const struct measure *measure, struct attachment *attachment,
		  enum measure_hook hook)
{
	int err = attach_direction(measure, attachment, SENT, hook);

	if (err)
		return err;
	err = attach_direction(measure, attachment, RECEIVED, hook);
	if (err)
		detach_direction(measure, attachment, SENT);
	return err;
}

int measure_attach(struct measure *measure, const char *device, enum measure_hook hook,
		   struct text_error *error)
{
	struct attachment attachment = {.ifindex = if_nametoindex(device)};
	struct attachment *place;
	int err;

	if (!attachment.ifindex)
		return text_refuse(error, -ENODEV, NULL, "there is no device \"%s\"", device);
	if (find_attachment(measure, device))
		return text_refuse(error, -EEXIST, NULL, "%s: is measured already", device);
	place = find_attachment(measure, "");
	if (!place)
		return text_refuse(error, -ENOSPC, NULL,
				   "%s: no more than %d devices can be measured", device,
				   MEASURE_DEVICES_MAX);
	complaint_begin();
	err = attach(measure, &attachment, hook);
	complaint_end();
	if (err == -EINVAL && hook == MEASURE_HOOK_TCX)
		return text_refuse(error, err, NULL,
				   "%s: the kernel has no TCX, which came with Linux 6.6", device);
	if (err)
		return text_refuse(error, err, NULL,
				   "%s: cannot attach the programs that measure: %s%s%s", device,
				   strerror(-err), *complaint_text() ? ": " : "", complaint_text());
	strcpy(attachment.device, device);
	*place = attachment;
	return 0;
}

int measure_detach(struct measure *measure, const char *device)
{
	struct attachment *attachment = *device ? find_attachment(measure, device) : NULL;

	if (!attachment)
		return -ENOENT;
	complaint_begin();
	detach_direction(measure, attachment, SENT);
	detach_direction(measure, attachment, RECEIVED);
	complaint_end();
	attachment->device[0] = '\0';
	return 0;
}

static bool is_in_place(const struct measure *measure, const struct attachment *attachment,
			enum direction direction)
{
	return attachment->link_fds[direction] >= 0 ? has_link(attachment, direction)
						    : has_filter(measure, attachment, direction);
}

int measure_check(const struct measure *measure, const char *device)
{
	const struct attachment *attachment = *device ? find_attachment(measure, device) : NULL;
	bool in_place;

	if (!attachment || (int)if_nametoindex(device) != attachment->ifindex)
		return -ENOENT;
	complaint_begin();
	in_place = is_in_place(measure, attachment, SENT) &&
		   is_in_place(measure, attachment, RECEIVED);
	complaint_end();
	return in_place ? 0 : -ENOENT;
}

const char *measure_attached_by(const struct measure *measure, const char *device)
{
	const struct attachment *attachment = *device ? find_attachment(measure, device) : NULL;

	if (!attachment)
		return NULL;
	return attachment->link_fds[SENT] >= 0 ? "tcx" : "clsact";
}

int measure_read(const struct measure *measure, __u32 index, struct measure_counters *sum)
{
	int cpu;

	memset(sum, 0, sizeof(*sum));
	if (bpf_map_lookup_elem(bpf_map__fd(measure->skeleton->maps.measure_counters), &index,
				measure->by_cpu))
		return -errno;
	for (cpu = 0; cpu < measure->cpu_count; cpu++)
		measure_add(sum, &measure->by_cpu[cpu]);
	return 0;
}

void measure_close(struct measure *measure)
{
	size_t i;

	if (!measure)
		return;
	for (i = 0; i < MEASURE_DEVICES_MAX; i++)
		measure_detach(measure, measure->attachments[i].device);
	measure_bpf__destroy(measure->skeleton);
	free(measure->by_cpu);
	free(measure);
}
