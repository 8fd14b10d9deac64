/* SPDX-License-Identifier: GPL-2.0-only */
#include "object.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <linux/magic.h>

#include <bpf/bpf.h>

#include "../../maps/flow.h"
#include "../../maps/policy.h"
#include "../core/keys.h"
#include "bpf/lb.skel.h"
#include "bpf/node.skel.h"
#include "apply.h"
#include "complaint.h"
#include "maps.h"
#include "tick.h"

/* Clients that vanished leave the counts of open flows after two of these. */
#define SWEEP_PERIOD_S 150

/* How long the rest of a datagram may take: RFC 791 (3.2) says 15 s at least, RFC 8200 (4.5) 60. */
#define FRAGMENT_LIFE_S	      30
#define FRAGMENT_TICK_JIFFIES 64 /* maps/fragment.h */

/* Most clients come back sooner than this. */
#define KNOWN_LIFE_S 3600

/* Pinned last: maps_open() takes a directory without it for an empty one. */
#define LAST_PIN "control"

static void path_of(char path[PATH_MAX], const char *pin_dir, const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", pin_dir, name);
}

static __u64 sets_per_jiffy(__u32 main_sets)
{
	return ((__uint128_t)main_sets << 32) * tick_ns() / (SWEEP_PERIOD_S * 1000000000ULL);
}

/* Rounded up: what is shared out over ticks must not come to nothing. */
static __u32 per_jiffy(__u32 per_second)
{
	return ((__u64)per_second * tick_ns() + 999999999) / 1000000000;
}

static __u16 in_ticks(__u32 seconds, __u32 tick_jiffies)
{
	return seconds * 1000000000ULL / (tick_jiffies * tick_ns());
}

static void set_constants(struct lb_bpf *skeleton, const struct settings *settings)
{
	struct hash_key slot_key;

	key_from_seed(settings->seed, KEY_SLOT, 0, &slot_key);
	skeleton->rodata->cpu_count = settings->cpu_count;
	skeleton->rodata->backends_max = settings->backends_max;
	skeleton->rodata->flow_main_sets = settings->flow_main_sets;
	skeleton->rodata->flow_region_sets = settings->flow_main_sets + FLOW_PROBATION_SETS;
	skeleton->rodata->flow_sweep_rate = sets_per_jiffy(settings->flow_main_sets);
	skeleton->rodata->gue_port = settings->gue_port;
	skeleton->rodata->icmp_per_jiffy = per_jiffy(settings->icmp_rate);
	skeleton->rodata->icmp_burst = settings->icmp_rate;
	skeleton->rodata->fragment_life_ticks =
		in_ticks(FRAGMENT_LIFE_S, FRAGMENT_TICK_JIFFIES);
	skeleton->rodata->known_life_ticks = in_ticks(KNOWN_LIFE_S, KNOWN_TICK_JIFFIES);
	skeleton->rodata->tick_ns = tick_ns();
	memcpy((void *)&skeleton->rodata->flow_key, &settings->flow_key, sizeof(struct hash_key));
	memcpy((void *)&skeleton->rodata->slot_key, &slot_key, sizeof(slot_key));
}

static int set_sizes(struct lb_bpf *skeleton, const struct settings *settings)
{
	__u32 region_sets = settings->flow_main_sets + FLOW_PROBATION_SETS;
	const struct {
		struct bpf_map *map;
		__u32 entries;
	} sizes[] = {
		{skeleton->maps.slots, settings->slots_max},
		{skeleton->maps.weights, settings->backends_max},
		{skeleton->maps.backends, settings->backends_max},
		{skeleton->maps.backend_info, settings->backends_max},
		{skeleton->maps.server_ids, settings->backends_max},
		{skeleton->maps.backend_counters, settings->backends_max},
		{skeleton->maps.open_flows, settings->backends_max * settings->cpu_count},
		{skeleton->maps.flows, region_sets * settings->cpu_count},
		{skeleton->maps.cpus, settings->cpu_count},
	};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && !err; i++)
		err = bpf_map__set_max_entries(sizes[i].map, sizes[i].entries);
	return err;
}

static int reuse_pinned(struct bpf_object *object, const char *pin_dir)
{
	struct bpf_map *map;
	char path[PATH_MAX];
	int fd, err;

	bpf_object__for_each_map(map, object) {
		if (bpf_map__is_internal(map))
			continue;
		path_of(path, pin_dir, bpf_map__name(map));
		fd = bpf_obj_get(path);
		if (fd < 0)
			return -errno;
		err = bpf_map__reuse_fd(map, fd);
		close(fd);
		if (err)
			return err;
	}
	return 0;
}

static struct lb_bpf *open_lb(const char *pin_dir, const struct settings *settings, bool reuse)
{
	struct lb_bpf *skeleton = lb_bpf__open();
	int err;

	if (!skeleton)
		return NULL;
	set_constants(skeleton, settings);
	err = reuse ? reuse_pinned(skeleton->obj, pin_dir) : set_sizes(skeleton, settings);
	if (err) {
		lb_bpf__destroy(skeleton);
		errno = -err;
		return NULL;
	}
	return skeleton;
}

struct bpf_object *object_open_lb(const char *pin_dir, const struct settings *settings)
{
	struct lb_bpf *skeleton = open_lb(pin_dir, settings, true);
	struct bpf_object *object;

	if (!skeleton)
		return NULL;
	object = skeleton->obj;
	skeleton->obj = NULL; /* the object outlives its skeleton */
	lb_bpf__destroy(skeleton);
	return object;
}

/* Put a program where another may be pinned, without a moment in which there is none. */
static int pin_over(const struct bpf_program *program, const char *pin_dir, const char *name)
{
	char path[PATH_MAX], new_path[PATH_MAX + 8];

	path_of(path, pin_dir, name);
	snprintf(new_path, sizeof(new_path), "%s_new", path);
	unlink(new_path);
	if (bpf_obj_pin(bpf_program__fd(program), new_path))
		return -errno;
	return rename(new_path, path) ? -errno : 0;
}

static int pin_maps(struct bpf_object *object, const char *pin_dir)
{
	char path[PATH_MAX], last_path[PATH_MAX];
	struct bpf_map *map;
	int last_fd = -1;

	bpf_object__for_each_map(map, object) {
		if (bpf_map__is_internal(map))
			continue;
		if (!strcmp(bpf_map__name(map), LAST_PIN)) {
			last_fd = bpf_map__fd(map);
			continue;
		}
		path_of(path, pin_dir, bpf_map__name(map));
		unlink(path); /* of a load that was killed */
		if (bpf_obj_pin(bpf_map__fd(map), path))
			return -errno;
	}
	path_of(last_path, pin_dir, LAST_PIN);
	return bpf_obj_pin(last_fd, last_path) ? -errno : 0;
}

/* The directory itself, or the one that it would be made in. */
static bool on_bpffs(const char *pin_dir)
{
	char path[PATH_MAX];
	struct statfs fs;

	snprintf(path, sizeof(path), "%s", pin_dir);
	return (statfs(path, &fs) && statfs(dirname(path), &fs)) || fs.f_type == BPF_FS_MAGIC;
}

int object_check_place(const char *pin_dir, struct text_error *error)
{
	if (on_bpffs(pin_dir))
		return 0;
	return text_refuse(error, -EINVAL, NULL,
			   "%s is not on a BPF file system, expected a directory below /sys/fs/bpf",
			   pin_dir);
}

static int make_pin_dir(const char *pin_dir, struct text_error *error)
{
	int err = maps_mount_bpffs();

	if (err)
		return text_refuse(error, err, NULL, "cannot mount the BPF file system: %s",
				   strerror(-err));
	err = object_check_place(pin_dir, error);
	if (err)
		return err;
	if (mkdir(pin_dir, 0700) && errno != EEXIST)
		return text_refuse(error, -errno, NULL, "cannot make %s: %s%s", pin_dir,
				   strerror(errno),
				   strchr(pin_dir, '.') ? "; the BPF file system allows no dot in "
							  "a name" : "");
	return 0;
}

static int refuse_load(struct text_error *error, int err)
{
	const char *said = complaint_text();
	struct utsname system;

	if (err == -EPERM)
		return text_refuse(error, err, NULL, "the kernel refuses BPF programs: run as root");
	if (complaint_of_verifier() && !uname(&system))
		return text_refuse(error, err, NULL,
				   "this kernel refuses the BPF program: %s; Linux %s is running, "
				   "6.1 and later are expected to take it",
				   said, system.release);
	return text_refuse(error, err, NULL, "cannot load the BPF program: %s%s%s", strerror(-err),
			   *said ? ": " : "", said);
}

int object_load_lb(const char *pin_dir, const struct settings *settings, struct text_error *error)
{
	struct lb_bpf *skeleton = NULL;
	char control_path[PATH_MAX];
	bool reuse;
	int err = make_pin_dir(pin_dir, error);

	if (err)
		return err;
	path_of(control_path, pin_dir, LAST_PIN);
	reuse = !access(control_path, F_OK);

	complaint_begin();
	skeleton = open_lb(pin_dir, settings, reuse);
	err = skeleton ? lb_bpf__load(skeleton) : -errno;
	if (!err)
		err = pin_over(skeleton->progs.lb, pin_dir, "lb");
	if (!err && !reuse)
		err = apply_settings(bpf_map__fd(skeleton->maps.control),
				     bpf_map__fd(skeleton->maps.settings), settings);
	if (!err && !reuse)
		err = pin_maps(skeleton->obj, pin_dir);
	complaint_end();
	if (err)
		refuse_load(error, err);
	if (err && !reuse) {
		struct text_error ignored;

		object_unpin_all(pin_dir, &ignored);
	}
	lb_bpf__destroy(skeleton);
	return err;
}

int object_load_node(const char *pin_dir, const struct node_address *addresses, __u32 count,
		     __u16 gue_port, struct text_error *error)
{
	struct node_bpf *skeleton;
	char path[PATH_MAX];
	int err = make_pin_dir(pin_dir, error);

	if (err)
		return err;
	complaint_begin();
	skeleton = node_bpf__open();
	err = skeleton ? 0 : -errno;
	if (!err) {
		memcpy((void *)skeleton->rodata->node_addresses, addresses,
		       count * sizeof(*addresses));
		skeleton->rodata->gue_port = htons(gue_port);
		path_of(path, pin_dir, "node_counters");
		if (!access(path, F_OK)) /* of an earlier program: its counts go on */
			err = reuse_pinned(skeleton->obj, pin_dir);
	}
	if (!err) {
		err = node_bpf__load(skeleton);
	}
	if (!err)
		err = pin_over(skeleton->progs.node, pin_dir, "node");
	if (!err && access(path, F_OK))
		err = bpf_obj_pin(bpf_map__fd(skeleton->maps.node_counters), path) ? -errno : 0;
	complaint_end();
	node_bpf__destroy(skeleton);
	return err ? refuse_load(error, err) : 0;
}

static void unpin(const char *pin_dir, const char *name)
{
	char path[PATH_MAX];

	path_of(path, pin_dir, name);
	unlink(path);
}

static int unpin_maps(const char *pin_dir)
{
	struct lb_bpf *skeleton = lb_bpf__open();
	struct bpf_map *map;

	if (!skeleton)
		return -errno;
	bpf_object__for_each_map(map, skeleton->obj)
		unpin(pin_dir, bpf_map__name(map));
	lb_bpf__destroy(skeleton);
	return 0;
}

int object_unpin_all(const char *pin_dir, struct text_error *error)
{
	static const char *const others[] = {"lb", "lb_new", "node", "node_new", "node_counters"};
	char path[PATH_MAX];
	size_t i;
	int err;

	unpin(pin_dir, LAST_PIN); /* first: without it the rest counts for nothing */
	err = unpin_maps(pin_dir);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		unpin(pin_dir, others[i]);
	path_of(path, pin_dir, "links");
	rmdir(path);
	if (!err && rmdir(pin_dir) && errno != ENOENT)
		err = -errno;
	if (err)
		return text_refuse(error, err, NULL, "cannot remove all of %s: %s", pin_dir,
				   strerror(-err));
	return 0;
}
