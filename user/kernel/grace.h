/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SLUICE_KERNEL_GRACE_H
#define SLUICE_KERNEL_GRACE_H

/* Returns when every packet that was under way at the call has gone its way: some 10 ms. */
void grace_wait(void);

#endif
