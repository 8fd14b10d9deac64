/* SPDX-License-Identifier: GPL-2.0-only */
/* Asking the packet path's own program what it would do with a packet. */
#ifndef SLUICE_KERNEL_POLICY_ASK_H
#define SLUICE_KERNEL_POLICY_ASK_H

#include "maps.h"

/*
 * Run the program "explain" (bpf/explain.h) on @frame, with the maps pinned at @pin_dir: it changes
 * none of them. Returns 0, -ENOMSG when the packet path does not understand the frame, or another
 * negative errno, with @error filled in.
 */
int policy_ask(const char *pin_dir, const struct settings *settings, const void *frame,
	       size_t frame_bytes, struct policy_answer *answer, struct text_error *error);

#endif
