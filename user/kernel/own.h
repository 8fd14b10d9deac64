/* SPDX-License-Identifier: GPL-2.0-only */
/* Which programs are ours: those pinned in one directory, and their copies. */
#ifndef SLUICE_KERNEL_OWN_H
#define SLUICE_KERNEL_OWN_H

#include <linux/bpf.h>

#include "attach.h"

#define OWN_MAPS_MAX 64

struct own_program {
	int fd;     /* -1: not pinned */
	__u32 id;   /* 0: not pinned */
	__u32 type; /* enum bpf_prog_type */
	char name[BPF_OBJ_NAME_LEN];
	__u32 maps[OWN_MAPS_MAX];
	__u32 map_count;
};

struct own_programs {
	struct own_program role[ATTACH_ROLES];
};

/* A program that is not pinned is no error. Returns 0 or negative errno, nothing to close then. */
int own_open(const char *pin_dir, struct own_programs *own);
void own_close(struct own_programs *own);

/* What the kernel says of a program, without an open file. Returns 0 or negative errno. */
int own_describe(__u32 program_id, struct own_program *program);

/*
 * Whether @program_id is the pinned program of a role; or has its name, and shares a map with it
 * (a copy made for the dispatcher, or what ran before an upgrade) or is @linked (a link of ours
 * holds it).
 */
bool own_recognise(const struct own_programs *own, __u32 program_id, bool linked,
		   enum attach_role *role);

/* The maps that are pinned in one directory. */
struct own_maps {
	__u32 ids[OWN_MAPS_MAX];
	__u32 count;
};

/* Returns 0 or negative errno. */
int own_read_maps(const char *pin_dir, struct own_maps *maps);

/*
 * The first loaded program that uses one of @maps, other than @after and those before it (0: the
 * first of all), and that is no copy for a dispatcher: such a one can be open in this very process
 * after it was detached, because libxdp 1.3.1 leaves it so. Returns its id and what the kernel says
 * of it, or 0.
 */
__u32 own_user_of(const struct own_maps *maps, __u32 after, struct own_program *program);

#endif
