/* SPDX-License-Identifier: GPL-2.0-only */
/* XDP links of ours, pinned at PIN_DIR/links/DEVICE. */
#ifndef SLUICE_KERNEL_LINK_H
#define SLUICE_KERNEL_LINK_H

#include <limits.h>

#include "xdp_device.h"

/*
 * The link that holds the program on @device, by whatever name it is pinned (devices get renamed).
 * Returns a file descriptor and the pin's @path, or -ENOENT.
 */
int link_find(const char *pin_dir, const struct xdp_device *device, char path[PATH_MAX]);

/*
 * A link that is alive and holds nothing on @devices, which are all that run a program in this
 * network namespace: its device is in another one. Returns 0 and the pin's @path, or -ENOENT.
 */
int link_find_elsewhere(const char *pin_dir, const struct xdp_device *devices, size_t count,
			char path[PATH_MAX]);

/* The id of the link that holds the program on @device, ours or not; 0: none does. */
__u32 link_of_anybody(const struct xdp_device *device);

/* Attach. Returns the link's file descriptor, on whose closing it is undone, or negative errno. */
int link_open(const struct xdp_device *device, int program_fd, enum attach_mode mode);

/* Make it last. Returns 0 or negative errno; -EEXIST: a link to another device has that name. */
int link_pin(const char *pin_dir, const char *device, int link_fd);

/*
 * Remove the pin of a link whose device is gone. Returns 0 when it is removed, -ENOENT when there
 * is none, -EEXIST when the link is alive.
 */
int link_drop_stale(const char *pin_dir, const char *device);

/* Remove the pins of all links whose device is gone. Returns 0 or negative errno. */
int link_drop_all_stale(const char *pin_dir);

/* Detach and remove the pin. Returns 0 or negative errno. */
int link_remove(int link_fd, const char *path);

#endif
