/* SPDX-License-Identifier: GPL-2.0-only */
/* The network namespaces of this machine. */
#ifndef SLUICE_KERNEL_NAMESPACES_H
#define SLUICE_KERNEL_NAMESPACES_H

#include <stdbool.h>

/*
 * Called within a network namespace; @where tells people which: "blue" (with the quotes), or: of
 * process 42. False ends the visits.
 */
typedef bool namespaces_visit(void *context, const char *where);

/*
 * Visit every network namespace but the caller's that has a name in /run/netns or a process in
 * /proc, and that the caller may enter; there may be others. Returns 0 or negative errno.
 */
int namespaces_others(namespaces_visit *visit, void *context);

#endif
