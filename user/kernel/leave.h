/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking what is pinned in one directory off the devices and out of the kernel. */
#ifndef SLUICE_KERNEL_LEAVE_H
#define SLUICE_KERNEL_LEAVE_H

#include "../core/text_error.h"

/*
 * Detach our programs from all devices, drop the links of devices that are gone, and remove the
 * pins of the programs. What else is pinned is for object_unpin_all(), which needs that nobody runs
 * any more. Refused, with nothing changed, where a program runs in another network namespace; where
 * that cannot be seen, the program outlives its pin, which is then put back. Killed half-way, it
 * can be called again. Returns 0 or negative errno with @error filled in.
 */
int leave(const char *pin_dir, struct text_error *error);

#endif
