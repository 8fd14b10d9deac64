/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel says of the machine, or of the container, that this process is in. */
#ifndef SLUICE_IO_PROC_H
#define SLUICE_IO_PROC_H

#include "../core/node_load.h"

/*
 * Read it now. @cgroup is the directory of the control group whose limits hold; what cannot be read
 * is not known. In a container that has a cgroup namespace /sys/fs/cgroup is its own group.
 */
void proc_read(const char *cgroup, struct node_reading *reading);

#endif
