/* SPDX-License-Identifier: GPL-2.0-only */
#include "link.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
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

int link_find(const char *pin_dir, const struct xdp_device *device, char path[PATH_MAX])
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
		/*
		 * An index is unique in one network namespace only, so the program has to be the
		 * one that the device runs, too.
		 */
		if (fd >= 0 && info.type == BPF_LINK_TYPE_XDP &&
		    (int)info.xdp.ifindex == device->ifindex && info.prog_id == device->program_id)
			found = fd;
		else if (fd >= 0)
			close(fd);
	}
	closedir(links);
	return found;
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
