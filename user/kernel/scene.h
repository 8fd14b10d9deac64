/* SPDX-License-Identifier: GPL-2.0-only */
/* What XDP programs run on a device, and what of it is ours. */
#ifndef SLUICE_KERNEL_SCENE_H
#define SLUICE_KERNEL_SCENE_H

#include <limits.h>

#include "own.h"
#include "xdp_device.h"

struct scene {
	struct xdp_device device;
	bool ours;       /* attachment says which and how */
	bool dispatcher; /* ours or not, it may be joined */
	struct attachment attachment;
	int link_fd; /* -1: not by link */
	char link_path[PATH_MAX];
};

/* @device is looked at, not asked for again. Closed by scene_close(). */
void scene_look(const char *pin_dir, const struct own_programs *own,
		const struct xdp_device *device, struct scene *scene);

/* The same by name. Returns 0, or negative errno with a sentence in @error, nothing to close then. */
int scene_open(const char *pin_dir, const struct own_programs *own, const char *device,
	       struct scene *scene, struct text_error *error);
void scene_close(struct scene *scene);

#endif
