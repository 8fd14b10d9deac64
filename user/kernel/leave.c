/* SPDX-License-Identifier: GPL-2.0-only */
#include "leave.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>

#include "attach.h"
#include "link.h"
#include "namespaces.h"
#include "object.h"
#include "own.h"
#include "xdp_device.h"

/*
 * How long it may take until a network namespace that was removed has let go of its devices, and
 * the kernel of a program that nobody uses any more.
 */
#define LET_GO_MS    2000
#define LOOK_NEXT_MS 10

static void wait_a_little(void)
{
	nanosleep(&(struct timespec){.tv_nsec = LOOK_NEXT_MS * 1000000}, NULL);
}

struct search {
	const char *pin_dir;
	struct text_error *error;
	int err;
};

static bool refuse_visited(void *context, const char *where)
{
	struct search *search = context;
	struct text_error ignored;
	struct attachment *list;
	size_t count;

	if (attach_list(search->pin_dir, &list, &count, &ignored))
		return true;
	if (count)
		search->err = text_refuse(search->error, -EBUSY, NULL,
					  "%s still runs the program in another network namespace "
					  "(%s); detach it there first. Nothing was removed",
					  list[0].device, where);
	free(list);
	return !search->err;
}

/* Links also tell of namespaces that cannot be visited. */
static int find_hidden_link(const char *pin_dir, char path[PATH_MAX])
{
	int err = -ENOENT;

	for (int waited_ms = 0; waited_ms < LET_GO_MS; waited_ms += LOOK_NEXT_MS) {
		struct xdp_device *devices;
		size_t count;

		err = xdp_device_list(&devices, &count);
		if (err)
			return err;
		err = link_find_elsewhere(pin_dir, devices, count, path);
		free(devices);
		if (err)
			return err;
		wait_a_little();
	}
	return err;
}

static int refuse_elsewhere(const char *pin_dir, struct text_error *error)
{
	struct search search = {.pin_dir = pin_dir, .error = error};
	char path[PATH_MAX];
	int err = namespaces_others(refuse_visited, &search);

	if (search.err)
		return search.err;
	if (err)
		return text_refuse(error, err, NULL,
				   "cannot look into other network namespaces: %s", strerror(-err));
	err = find_hidden_link(pin_dir, path);
	if (!err)
		return text_refuse(error, -EBUSY, NULL,
				   "%s still runs the program in a network namespace that cannot "
				   "be seen from here; detach it there first. Nothing was removed",
				   strrchr(path, '/') + 1);
	return err == -ENOENT ? 0
			      : text_refuse(error, err, NULL, "cannot read %s/links: %s", pin_dir,
					    strerror(-err));
}

static int detach_here(const char *pin_dir, struct text_error *error)
{
	struct attachment *list, was;
	size_t count;
	int err = attach_list(pin_dir, &list, &count, error);

	if (err)
		return err;
	for (size_t i = 0; i < count && !err; i++) {
		err = attach_detach(pin_dir, list[i].device, &was, error);
		if (err == -ENODEV)
			err = 0; /* it has just gone */
	}
	free(list);
	return err;
}

static void pin_path(char path[PATH_MAX], const char *pin_dir, const char *name, const char *suffix)
{
	snprintf(path, PATH_MAX, "%s/%s%s", pin_dir, name, suffix);
}

static void unpin_programs(const char *pin_dir)
{
	char path[PATH_MAX];

	for (int role = 0; role < ATTACH_ROLES; role++) {
		pin_path(path, pin_dir, attach_role_name(role), "");
		unlink(path);
		pin_path(path, pin_dir, attach_role_name(role), "_new");
		unlink(path);
	}
}

/* So that whoever comes to detach it finds it; of several the first. */
static void pin_again(const char *pin_dir, const struct own_maps *maps)
{
	struct own_program program;
	char path[PATH_MAX];
	__u32 id = 0;

	while ((id = own_user_of(maps, id, &program))) {
		for (int role = 0; role < ATTACH_ROLES; role++) {
			int fd;

			if (strcmp(program.name, attach_role_name(role)))
				continue;
			pin_path(path, pin_dir, program.name, "");
			fd = bpf_prog_get_fd_by_id(id);
			if (fd >= 0) {
				bpf_obj_pin(fd, path);
				close(fd);
			}
		}
	}
}

/* What lives on without its pin runs somewhere. Nothing else tells, where nothing can be visited. */
static int end_programs(const char *pin_dir, struct text_error *error)
{
	struct own_program program;
	struct own_maps maps;
	__u32 id = 0;
	int err = own_read_maps(pin_dir, &maps);

	if (err)
		return text_refuse(error, err, NULL, "cannot read %s: %s", pin_dir, strerror(-err));
	unpin_programs(pin_dir);
	for (int waited_ms = 0; waited_ms < LET_GO_MS; waited_ms += LOOK_NEXT_MS) {
		id = own_user_of(&maps, 0, &program);
		if (!id)
			return 0;
		wait_a_little();
	}
	pin_again(pin_dir, &maps);
	return text_refuse(
		error, -EBUSY, NULL,
		"program %u is still held, by a network namespace that cannot be seen "
		"from here (detach it there first) or by another process; detached here, "
		"nothing else was removed",
		id);
}

int leave(const char *pin_dir, struct text_error *error)
{
	int err = object_check_place(pin_dir, error);

	if (!err)
		err = refuse_elsewhere(pin_dir, error);
	if (err)
		return err;
	err = detach_here(pin_dir, error);
	if (err)
		return err;
	err = link_drop_all_stale(pin_dir);
	if (err)
		return text_refuse(error, err, NULL, "cannot remove the links in %s: %s", pin_dir,
				   strerror(-err));
	return end_programs(pin_dir, error);
}
