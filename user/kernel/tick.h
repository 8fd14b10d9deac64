/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's tick: what a jiffy lasts, which the packet path counts in. */
#ifndef SLUICE_KERNEL_TICK_H
#define SLUICE_KERNEL_TICK_H

#include <linux/types.h>

__u64 tick_ns(void);

/* The lower half of the kernel's count of them, as the packet path sees it. 0 or negative errno. */
int tick_jiffies(__u32 *jiffies);

#endif
