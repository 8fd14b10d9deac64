/* SPDX-License-Identifier: GPL-2.0-only */
#include "link.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>

static int open_pin(const char *path, struct bpf_link_info *info)
{
	__u32 info_bytes = sizeof(*info);
	int fd = bpf_obj_get(path);
	int err;

	if (fd < 0)
		return -errno;
	memset(info, 0, sizeof(*info));
	if (bpf_obj_get_info_by_fd(fd, info, &info_bytes)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

typedef bool wanted_link(const struct bpf_link_info *info, const char *name, const void *context);

/* The first link that is @wanted. Returns its file descriptor and pin, or negative errno. */
static int find_pin(const char *pin_dir, wanted_link *wanted, const void *context,
		    char path[PATH_MAX])
{
	struct bpf_link_info info;
	struct dirent *entry;
	int found = -ENOENT;
	DIR *links;

	snprintf(path, PATH_MAX, "%s/links", pin_dir);
	links = opendir(path);
	if (!links)
		return -errno;
	while (found < 0 && (entry = readdir(links))) {
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, PATH_MAX, "%s/links/%s", pin_dir, entry->d_name);
		fd = open_pin(path, &info);
		if (fd >= 0 && info.type == BPF_LINK_TYPE_XDP &&
		    wanted(&info, entry->d_name, context))
			found = fd;
		else if (fd >= 0)
			close(fd);
	}
	closedir(links);
	return found;
}

/*
 * An index is unique in one network namespace only, so the program has to be the one that the
 * device runs, too.
 */
static bool holds(const struct bpf_link_info *info, const struct xdp_device *device)
{
	return (int)info->xdp.ifindex == device->ifindex && info->prog_id == device->program_id;
}

static bool holds_by_name(const struct bpf_link_info *info, const char *name, const void *context)
{
	const struct xdp_device *device = context;

	return holds(info, device) && !strcmp(name, device->name);
}

static bool holds_by_any_name(const struct bpf_link_info *info, const char *name,
			      const void *context)
{
	(void)name;
	return holds(info, context);
}

/* The first devices of two namespaces have one index: of links of one program names decide. */
int link_find(const char *pin_dir, const struct xdp_device *device, char path[PATH_MAX])
{
	int fd;

	if (!xdp_device_is_linked(device))
		return -ENOENT;
	fd = find_pin(pin_dir, holds_by_name, device, path);
	return fd >= 0 ? fd : find_pin(pin_dir, holds_by_any_name, device, path);
}

static __u32 link_id(int fd)
{
	struct bpf_link_info info = {};
	__u32 info_bytes = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &info_bytes) ? 0 : info.id;
}

struct link_ids {
	__u32 *ids;
	size_t count;
};

static bool is_another(const struct bpf_link_info *info, const char *name, const void *context)
{
	const struct link_ids *known = context;

	(void)name;
	for (size_t i = 0; i < known->count; i++) {
		if (info->id == known->ids[i])
			return false;
	}
	return info->xdp.ifindex;
}

int link_find_elsewhere(const char *pin_dir, const struct xdp_device *devices, size_t count,
			char path[PATH_MAX])
{
	struct link_ids here = {.ids = calloc(count + 1, sizeof(__u32))};
	int fd;

	if (!here.ids)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		fd = link_find(pin_dir, &devices[i], path);
		if (fd < 0)
			continue;
		here.ids[here.count++] = link_id(fd);
		close(fd);
	}
	fd = find_pin(pin_dir, is_another, &here, path);
	free(here.ids);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static bool holds_nothing(const struct bpf_link_info *info, const char *name, const void *context)
{
	(void)name;
	(void)context;
	return !info->xdp.ifindex;
}

int link_drop_all_stale(const char *pin_dir)
{
	char path[PATH_MAX];
	int fd;

	while ((fd = find_pin(pin_dir, holds_nothing, NULL, path)) >= 0) {
		close(fd);
		if (unlink(path))
			return -errno;
	}
	return fd == -ENOENT ? 0 : fd;
}

__u32 link_of_anybody(const struct xdp_device *device)
{
	struct bpf_link_info info;
	__u32 id = 0;

	if (!xdp_device_is_linked(device))
		return 0;
	while (!bpf_link_get_next_id(id, &id)) {
		__u32 info_bytes = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);
		int err;

		if (fd < 0)
			continue;
		memset(&info, 0, sizeof(info));
		err = bpf_obj_get_info_by_fd(fd, &info, &info_bytes);
		close(fd);
		if (!err && info.type == BPF_LINK_TYPE_XDP && holds(&info, device))
			return id;
	}
	return 0;
}

int link_open(const struct xdp_device *device, int program_fd, enum attach_mode mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = xdp_device_flags(mode));
	int fd = bpf_link_create(program_fd, device->ifindex, BPF_XDP, &options);

	return fd < 0 ? -errno : fd;
}

int link_pin(const char *pin_dir, const char *device, int link_fd)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/links", pin_dir);
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	if (link_drop_stale(pin_dir, device) == -EEXIST)
		return -EEXIST;
	snprintf(path, sizeof(path), "%s/links/%s", pin_dir, device);
	return bpf_obj_pin(link_fd, path) ? -errno : 0;
}

int link_drop_stale(const char *pin_dir, const char *device)
{
	struct bpf_link_info info;
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/links/%s", pin_dir, device);
	fd = open_pin(path, &info);
	if (fd < 0)
		return fd;
	close(fd);
	if (info.xdp.ifindex)
		return -EEXIST;
	return unlink(path) ? -errno : 0;
}

int link_remove(int link_fd, const char *path)
{
	if (bpf_link_detach(link_fd))
		return -errno;
	return unlink(path) ? -errno : 0;
}
