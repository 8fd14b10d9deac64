/* SPDX-License-Identifier: GPL-2.0-only */
/* Network devices, and which XDP program the kernel says they run. */
#ifndef SLUICE_KERNEL_XDP_DEVICE_H
#define SLUICE_KERNEL_XDP_DEVICE_H

#include "attach.h"

struct xdp_device {
	char name[IF_NAMESIZE];
	int ifindex;
	__u32 mtu_bytes;
	__u32 program_id;      /* 0: none */
	enum attach_mode mode; /* of that program */
};

/* Returns 0, -ENODEV, or negative errno when netlink fails. */
int xdp_device_find(const char *name, struct xdp_device *device);

/*
 * Put @program_fd (-1: nothing) in the place of the program that @device runs, if it still does and
 * no link holds it. Returns 0 or negative errno.
 */
int xdp_device_exchange(const struct xdp_device *device, int program_fd);

/* Whether a link holds the program that @device runs; others can be taken off by anybody. */
bool xdp_device_is_linked(const struct xdp_device *device);

/* XDP_FLAGS_* of @mode. */
__u32 xdp_device_flags(enum attach_mode mode);

/* All devices that run a program. *@devices is to be freed with free(). */
int xdp_device_list(struct xdp_device **devices, size_t *count);

#endif
