/* SPDX-License-Identifier: GPL-2.0-only */
#include "own.h"

#include <dirent.h>
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
	program->type = info.type;
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

static bool uses(const struct own_program *program, const __u32 *map_ids, __u32 count)
{
	for (__u32 i = 0; i < program->map_count; i++) {
		for (__u32 j = 0; j < count; j++) {
			if (program->maps[i] == map_ids[j])
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
		    (!strcmp(name, program.name) &&
		     (linked || uses(&program, pinned->maps, pinned->map_count)))) {
			*role = i;
			return true;
		}
	}
	return false;
}

/* The id of the map that is pinned there; 0: it is no map. */
static __u32 map_id(const char *path)
{
	struct bpf_map_info info = {};
	__u32 info_bytes = sizeof(info);
	char link[64], kind[32] = "";
	int fd = bpf_obj_get(path);

	if (fd < 0)
		return 0;
	/* The kernel answers for a program as well, and with the id in the same place. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, kind, sizeof(kind) - 1) < 0 || !strstr(kind, "bpf-map") ||
	    bpf_obj_get_info_by_fd(fd, &info, &info_bytes))
		info.id = 0;
	close(fd);
	return info.id;
}

int own_read_maps(const char *pin_dir, struct own_maps *maps)
{
	DIR *pins = opendir(pin_dir);
	struct dirent *entry;
	char path[PATH_MAX];

	maps->count = 0;
	if (!pins)
		return -errno;
	while ((entry = readdir(pins)) && maps->count < OWN_MAPS_MAX) {
		__u32 id;

		if (entry->d_type == DT_DIR)
			continue;
		snprintf(path, sizeof(path), "%s/%s", pin_dir, entry->d_name);
		id = map_id(path);
		if (id)
			maps->ids[maps->count++] = id;
	}
	closedir(pins);
	return 0;
}

__u32 own_user_of(const struct own_maps *maps, __u32 after, struct own_program *program)
{
	__u32 id = after;

	while (!bpf_prog_get_next_id(id, &id)) {
		if (!own_describe(id, program) && program->type != BPF_PROG_TYPE_EXT &&
		    uses(program, maps->ids, maps->count))
			return id;
	}
	return 0;
}
