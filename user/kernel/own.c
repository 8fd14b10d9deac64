/* SPDX-License-Identifier: GPL-2.0-only */
#include "own.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>

static int describe(int fd, struct own_program *program)
{
	struct bpf_prog_info info = {
		.map_ids = (unsigned long)program->maps,
		.nr_map_ids = OWN_MAPS_MAX,
	};
	__u32 info_bytes = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &info_bytes))
		return -errno;
	program->id = info.id;
	program->map_count = info.nr_map_ids < OWN_MAPS_MAX ? info.nr_map_ids : OWN_MAPS_MAX;
	memcpy(program->name, info.name, sizeof(program->name));
	return 0;
}

int own_open(const char *pin_dir, struct own_programs *own)
{
	char path[PATH_MAX];
	int err;

	memset(own, 0, sizeof(*own));
	for (int role = 0; role < ATTACH_ROLES; role++)
		own->role[role].fd = -1;
	for (int role = 0; role < ATTACH_ROLES; role++) {
		struct own_program *program = &own->role[role];

		snprintf(path, sizeof(path), "%s/%s", pin_dir, attach_role_name(role));
		program->fd = bpf_obj_get(path);
		if (program->fd < 0 && errno == ENOENT)
			continue;
		err = program->fd < 0 ? -errno : describe(program->fd, program);
		if (err) {
			own_close(own);
			return err;
		}
	}
	return 0;
}

void own_close(struct own_programs *own)
{
	for (int role = 0; role < ATTACH_ROLES; role++) {
		if (own->role[role].fd >= 0)
			close(own->role[role].fd);
	}
}

int own_describe(__u32 program_id, struct own_program *program)
{
	int fd = bpf_prog_get_fd_by_id(program_id);
	int err;

	memset(program, 0, sizeof(*program));
	program->fd = -1;
	if (fd < 0)
		return -errno;
	err = describe(fd, program);
	close(fd);
	return err;
}

static bool share_a_map(const struct own_program *a, const struct own_program *b)
{
	for (__u32 i = 0; i < a->map_count; i++) {
		for (__u32 j = 0; j < b->map_count; j++) {
			if (a->maps[i] == b->maps[j])
				return true;
		}
	}
	return false;
}

bool own_recognise(const struct own_programs *own, __u32 program_id, bool linked,
		   enum attach_role *role)
{
	struct own_program program;

	if (own_describe(program_id, &program))
		return false;
	for (int i = 0; i < ATTACH_ROLES; i++) {
		const struct own_program *pinned = &own->role[i];
		const char *name = pinned->id ? pinned->name : attach_role_name(i);

		if (pinned->id == program.id ||
		    (!strcmp(name, program.name) && (linked || share_a_map(pinned, &program)))) {
			*role = i;
			return true;
		}
	}
	return false;
}
