/* SPDX-License-Identifier: GPL-2.0-only */
#include "maps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

/* Where each map's memory goes in struct maps, and what an element must measure. */
static const struct mapped_map {
	const char *name;
	size_t pointer; /* offset in struct maps */
	__u32 value_bytes;
	bool state; /* written by userspace */
} mapped_maps[] = {
	{"control", offsetof(struct maps, control), sizeof(struct control), true},
	{"settings", offsetof(struct maps, settings), sizeof(struct settings), true},
	{"services", offsetof(struct maps, services), sizeof(struct service_place), true},
	{"slots", offsetof(struct maps, slots), sizeof(struct slot), true},
	{"weights", offsetof(struct maps, weights), sizeof(struct weight), true},
	{"backends", offsetof(struct maps, backends), sizeof(struct backend_halves), true},
	{"service_info", offsetof(struct maps, service_info), sizeof(struct service_info_halves),
	 true},
	{"backend_info", offsetof(struct maps, backend_info), sizeof(struct backend_info_halves),
	 true},
	{"policy_filter", offsetof(struct maps, policy_filter), sizeof(__u64), true},
	{"policy_scopes", offsetof(struct maps, policy_scopes), sizeof(struct policy_scope), true},
	{"policy_rules", offsetof(struct maps, policy_rules), sizeof(struct policy_rule), true},
	{"policy_rule_info", offsetof(struct maps, policy_rule_info),
	 sizeof(struct policy_rule_info), true},
	{"policy_buckets", offsetof(struct maps, policy_buckets), sizeof(struct policy_buckets),
	 true},
	{"sheds", offsetof(struct maps, sheds), sizeof(struct shed), true},
	{"flows", offsetof(struct maps, flows), sizeof(struct flow_set), false},
	{"open_flows", offsetof(struct maps, open_flows), sizeof(int64_t), false},
	{"cpus", offsetof(struct maps, cpus), sizeof(struct cpu_memory), false},
};

#define MAPPED_MAPS (sizeof(mapped_maps) / sizeof(mapped_maps[0]))

/* Maps without memory to share. */
static const struct opened_map {
	const char *name;
	size_t fd; /* offset in struct maps */
} opened_maps[] = {
	{"vips", offsetof(struct maps, vips_fd)},
	{"server_ids", offsetof(struct maps, server_ids_fd)},
	{"service_counters", offsetof(struct maps, service_counters_fd)},
	{"backend_counters", offsetof(struct maps, backend_counters_fd)},
	{"drop_counters", offsetof(struct maps, drop_counters_fd)},
	{"policy_ports", offsetof(struct maps, policy_ports_fd)},
	{"policy_boundaries", offsetof(struct maps, policy_boundaries_fd)},
	{"policy_prefixes", offsetof(struct maps, policy_prefixes_fd)},
	{"policy_tokens", offsetof(struct maps, policy_tokens_fd)},
	{"rule_counters", offsetof(struct maps, rule_counters_fd)},
	{"event_budget", offsetof(struct maps, event_budget_fd)},
	{"drop_events", offsetof(struct maps, drop_events_fd)},
};

#define OPENED_MAPS (sizeof(opened_maps) / sizeof(opened_maps[0]))

_Static_assert(MAPPED_MAPS == sizeof(((struct maps *)0)->mapped) / sizeof(struct mapped),
	       "room for every mapping");

static int open_pin(const char *pin_dir, const char *name, struct bpf_map_info *info,
		    struct text_error *error)
{
	__u32 info_bytes = sizeof(*info);
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", pin_dir, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return text_refuse(error, -errno, NULL, "cannot open the pinned map %s: %s", path,
				   strerror(errno));
	memset(info, 0, sizeof(*info));
	if (bpf_obj_get_info_by_fd(fd, info, &info_bytes)) {
		int err = -errno;

		close(fd);
		return text_refuse(error, err, NULL, "cannot inspect %s: %s", path, strerror(-err));
	}
	return fd;
}

static int map_memory(const char *pin_dir, const struct mapped_map *map, bool write,
		      struct maps *maps, struct text_error *error)
{
	int protection = PROT_READ | (write && map->state ? PROT_WRITE : 0);
	size_t page_bytes = sysconf(_SC_PAGESIZE);
	struct bpf_map_info info;
	struct mapped mapped;
	int fd = open_pin(pin_dir, map->name, &info, error);
	int err;

	if (fd < 0)
		return fd;
	if (info.value_size != map->value_bytes) {
		close(fd);
		return text_refuse(error, -EPROTO, NULL,
				   "%s/%s is another version's: its elements are %u bytes, "
				   "expected %u; use the sluice that loaded it, or `sluice unload`",
				   pin_dir, map->name, info.value_size, map->value_bytes);
	}
	mapped.bytes = (size_t)info.value_size * info.max_entries;
	mapped.bytes = (mapped.bytes + page_bytes - 1) / page_bytes * page_bytes;
	mapped.memory = mmap(NULL, mapped.bytes, protection, MAP_SHARED, fd, 0);
	err = -errno;
	close(fd);
	if (mapped.memory == MAP_FAILED)
		return text_refuse(error, err, NULL, "cannot map %s/%s: %s", pin_dir, map->name,
				   strerror(-err));
	maps->mapped[maps->mapped_count++] = mapped;
	memcpy((char *)maps + map->pointer, &mapped.memory, sizeof(mapped.memory));
	return 0;
}

static int *fd_in(struct maps *maps, size_t index)
{
	return (int *)((char *)maps + opened_maps[index].fd);
}

static int open_fds(const char *pin_dir, struct maps *maps, struct text_error *error)
{
	struct bpf_map_info info;
	size_t i;

	for (i = 0; i < OPENED_MAPS; i++) {
		int fd = open_pin(pin_dir, opened_maps[i].name, &info, error);

		if (fd < 0)
			return fd;
		*fd_in(maps, i) = fd;
	}
	return 0;
}

int maps_lock(const struct maps *maps, enum maps_lock lock)
{
	static const int operations[] = {
		[MAPS_UNLOCKED] = LOCK_UN,
		[MAPS_SHARED] = LOCK_SH,
		[MAPS_EXCLUSIVE] = LOCK_EX,
		[MAPS_EXCLUSIVE_NOW] = LOCK_EX | LOCK_NB,
	};

	while (flock(maps->lock_fd, operations[lock])) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static int lock_pins(const char *pin_dir, bool write, struct maps *maps, struct text_error *error)
{
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s/control", pin_dir);
	maps->lock_fd = open(pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (maps->lock_fd < 0 || access(path, F_OK)) {
		if (errno == EACCES)
			return text_refuse(error, -EACCES, NULL, "cannot read %s: run as root",
					   pin_dir);
		return text_refuse(error, -ENOENT, NULL,
				   "nothing is loaded at %s: `sluice load` comes first", pin_dir);
	}
	err = maps_lock(maps, write ? MAPS_EXCLUSIVE : MAPS_SHARED);
	if (err)
		return text_refuse(error, err, NULL, "cannot lock %s: %s", pin_dir, strerror(-err));
	return 0;
}

int maps_open(const char *pin_dir, bool write, struct maps *maps, struct text_error *error)
{
	size_t i;
	int err;

	memset(maps, 0, sizeof(*maps));
	maps->lock_fd = -1;
	for (i = 0; i < OPENED_MAPS; i++)
		*fd_in(maps, i) = -1;

	err = lock_pins(pin_dir, write, maps, error);
	for (i = 0; i < MAPPED_MAPS && !err; i++) {
		err = map_memory(pin_dir, &mapped_maps[i], write, maps, error);
		if (!err && i == 0 && maps->control->abi != SLUICE_ABI)
			err = text_refuse(error, -EPROTO, NULL,
					  "the maps at %s have ABI %u, this sluice has %u; use the "
					  "sluice that loaded them, or `sluice unload`",
					  pin_dir, maps->control->abi, SLUICE_ABI);
	}
	if (!err)
		err = open_fds(pin_dir, maps, error);
	if (err)
		maps_close(maps);
	return err;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void maps_close(struct maps *maps)
{
	size_t i;

	for (i = 0; i < maps->mapped_count; i++)
		munmap(maps->mapped[i].memory, maps->mapped[i].bytes);
	maps->mapped_count = 0;
	for (i = 0; i < OPENED_MAPS; i++)
		close_fd(*fd_in(maps, i));
	close_fd(maps->lock_fd);
}

int maps_mount_bpffs(void)
{
	struct statfs fs;

	if (!statfs("/sys/fs/bpf", &fs) && fs.f_type == BPF_FS_MAGIC)
		return 0;
	return mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700") ? -errno : 0;
}
