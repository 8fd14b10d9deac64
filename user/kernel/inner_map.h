/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arrays of any length within a map of maps, an array for each half of the policy. A half without
 * elements has none.
 */
#ifndef SLUICE_KERNEL_INNER_MAP_H
#define SLUICE_KERNEL_INNER_MAP_H

#include <stddef.h>
#include <linux/types.h>

/*
 * Put an array of these @values there, in place of the one before, or none when @count is 0. Waits
 * for an RCU grace period where there was one. Returns 0 or negative errno.
 */
int inner_map_put(int outer_fd, __u32 half, const char *name, const void *values,
		  size_t value_bytes, size_t count);

struct inner_view {
	const void *values; /* NULL: there are none */
	size_t count;
	size_t bytes; /* to be unmapped */
};

/* Look at the array of a half. Returns 0 or negative errno. */
int inner_map_view(int outer_fd, __u32 half, struct inner_view *view);
void inner_map_leave(struct inner_view *view);

#endif
