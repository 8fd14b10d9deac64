/* SPDX-License-Identifier: GPL-2.0-only */
#include "grace.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Without membarrier(2): longer than any packet takes, and any tick. */
#define WAIT_NS 200000000

void grace_wait(void)
{
	struct timespec wait = {.tv_nsec = WAIT_NS};

	/* Waits for an RCU grace period, and XDP programs run within RCU read sections. */
	if (!syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		return;
	while (nanosleep(&wait, &wait) && errno == EINTR)
		;
}
