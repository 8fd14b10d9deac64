/* SPDX-License-Identifier: GPL-2.0-only */
#include "namespaces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>

#define NAMES "/run/netns"

struct walk {
	dev_t device; /* of the file system that namespaces are files of */
	ino_t *seen;
	size_t seen_count;
	namespaces_visit *visit;
	void *context;
	bool ended;
};

static int see(struct walk *walk, ino_t inode)
{
	ino_t *grown = reallocarray(walk->seen, walk->seen_count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	walk->seen = grown;
	walk->seen[walk->seen_count++] = inode;
	return 0;
}

static bool is_new(const struct walk *walk, const struct stat *file)
{
	if (file->st_dev != walk->device)
		return false;
	for (size_t i = 0; i < walk->seen_count; i++) {
		if (walk->seen[i] == file->st_ino)
			return false;
	}
	return true;
}

/* What has gone meanwhile, or may not be entered, is passed by. */
static int look(struct walk *walk, const char *path, const char *where)
{
	struct stat file;
	int fd, err;

	if (stat(path, &file) || !is_new(walk, &file))
		return 0;
	err = see(walk, file.st_ino);
	if (err)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (!setns(fd, CLONE_NEWNET))
		walk->ended = !walk->visit(walk->context, where);
	close(fd);
	return 0;
}

static int look_at_name(struct walk *walk, const char *name)
{
	char path[PATH_MAX], where[NAME_MAX + 3];

	snprintf(path, sizeof(path), NAMES "/%s", name);
	snprintf(where, sizeof(where), "\"%s\"", name);
	return look(walk, path, where);
}

static int look_at_process(struct walk *walk, const char *name)
{
	char path[PATH_MAX], where[NAME_MAX + 12];

	if (*name < '0' || *name > '9')
		return 0;
	snprintf(path, sizeof(path), "/proc/%s/ns/net", name);
	snprintf(where, sizeof(where), "of process %s", name);
	return look(walk, path, where);
}

static int look_in(struct walk *walk, const char *folder,
		   int (*look_at)(struct walk *walk, const char *name))
{
	DIR *entries = opendir(folder);
	struct dirent *entry;
	int err = 0;

	if (!entries)
		return 0;
	while (!err && !walk->ended && (entry = readdir(entries))) {
		if (entry->d_name[0] != '.')
			err = look_at(walk, entry->d_name);
	}
	closedir(entries);
	return err;
}

int namespaces_others(namespaces_visit *visit, void *context)
{
	struct walk walk = {.visit = visit, .context = context};
	int own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct stat own;
	int err;

	if (own_fd < 0 || fstat(own_fd, &own)) {
		err = -errno;
		goto out;
	}
	walk.device = own.st_dev;
	err = see(&walk, own.st_ino);
	if (!err)
		err = look_in(&walk, NAMES, look_at_name);
	if (!err)
		err = look_in(&walk, "/proc", look_at_process);
	if (walk.seen_count > 1 && setns(own_fd, CLONE_NEWNET) && !err)
		err = -errno;
out:
	free(walk.seen);
	if (own_fd >= 0)
		close(own_fd);
	return err;
}
