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

/* Attach. Returns the link's file descriptor, on whose closing it is undone, or negative errno. */
int link_open(const struct xdp_device *device, int program_fd, enum attach_mode mode);

/* Make it last. Returns 0 or negative errno; -EEXIST: a link to another device has that name. */
int link_pin(const char *pin_dir, const char *device, int link_fd);

/*
 * Remove the pin of a link whose device is gone. Returns 0 when it is removed, -ENOENT when there
 * is none, -EEXIST when the link is alive.
 */
int link_drop_stale(const char *pin_dir, const char *device);

/* Detach and remove the pin. Returns 0 or negative errno. */
int link_remove(int link_fd, const char *path);

#endif
