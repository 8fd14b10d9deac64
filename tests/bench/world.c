/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "maps/service.h"
#include "harness.h"
#include "world.h"

#define BACKENDS_MAX 1000
#define PIN_ROOT     "/sys/fs/bpf"

/* Addresses that a policy denies; others than clients are of 64.0.0.0/3. */
#define DENIED       1000000
#define OTHERS_FROM  0x40000000u
#define OTHERS_COUNT 0x20000000u

extern char **environ;

/* Run a command, its standard output thrown away. 0, -EIO when it fails, or negative errno. */
static int run(char *const argv[])
{
	posix_spawn_file_actions_t actions;
	pid_t child;
	int status, err;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	err = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err) {
		fprintf(stderr, "bench: %s: %s\n", argv[0], strerror(err));
		return -err;
	}
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "bench: %s failed\n", argv[0]);
		return -EIO;
	}
	return 0;
}

/* A file without a name, for a child to read by its number. NULL with errno set. */
static FILE *nameless_file(char path[static 32])
{
	int fd = memfd_create("bench", 0);
	FILE *file;

	if (fd < 0)
		return NULL;
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	file = fdopen(fd, "w");
	if (!file)
		close(fd);
	return file;
}

static const char *backend_address(unsigned int number, bool ipv6, char text[static 32])
{
	if (ipv6)
		snprintf(text, 32, "fd00:99::1:%x", number);
	else
		snprintf(text, 32, "10.99.%u.%u", 1 + (number >> 8), number & 0xff);
	return text;
}

static void write_links(FILE *file)
{
	char address[32];

	fputs("link set lo up\n"
	      "link add egress type veth peer name far\n"
	      "link set egress mtu 1600 up\n"
	      "link set far mtu 1600 up\n"
	      "address add 10.99.0.1/16 dev egress\n"
	      "address add fd00:99::1/64 dev egress nodad\n",
	      file);
	for (unsigned int i = 1; i <= BACKENDS_MAX; i++) {
		fprintf(file, "neighbour add %s lladdr 02:99:00:04:%02x:%02x dev egress\n",
			backend_address(i, false, address), i >> 8, i & 0xff);
		fprintf(file, "neighbour add %s lladdr 02:99:00:06:%02x:%02x dev egress\n",
			backend_address(i, true, address), i >> 8, i & 0xff);
	}
}

static int make_links(struct world *world)
{
	char path[32];
	char *argv[] = {"ip", "-batch", path, NULL};
	FILE *file = nameless_file(path);
	int err;

	if (!file)
		return -errno;
	write_links(file);
	fflush(file);
	err = run(argv);
	fclose(file);
	if (err)
		return err;
	world->egress_ifindex = if_nametoindex("egress");
	world->elsewhere_ifindex = if_nametoindex("lo");
	return 0;
}

static int find_sluice(struct world *world, const char *sluice)
{
	char self[PATH_MAX];
	ssize_t length;

	if (sluice)
		return snprintf(world->sluice, sizeof(world->sluice), "%s", sluice) < PATH_MAX
			       ? 0
			       : -ENAMETOOLONG;
	length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (length < 0)
		return -errno;
	self[length] = '\0';
	if (snprintf(world->sluice, PATH_MAX, "%s/../../sluice", dirname(self)) >= PATH_MAX)
		return -ENAMETOOLONG;
	return 0;
}

int world_open(struct world *world, const char *sluice)
{
	int err;

	memset(world, 0, sizeof(*world));
	world->program = -1;
	world->service_counters = -1;
	snprintf(world->pin, sizeof(world->pin), PIN_ROOT "/sluice-bench");
	err = find_sluice(world, sluice);
	if (err)
		return err;
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", PIN_ROOT, "bpf", 0, NULL))
		return -errno;
	return make_links(world);
}

static void write_service(FILE *file, const struct bench_service *service)
{
	char address[32];

	fprintf(file,
		"  - name: %s\n    vip: \"%s\"\n    port: %u\n    proto: %s\n    forward: %s\n",
		service->name, service->vip, service->port,
		service->protocol == IPPROTO_TCP ? "tcp" : "udp", service->forward);
	if (service->options)
		fprintf(file, "    %s\n", service->options);
	fputs("    backends:\n", file);
	for (unsigned int i = 1; i <= service->backends; i++)
		fprintf(file, "      - name: b%u\n        address: \"%s\"\n", i,
			backend_address(i, service->ipv6_backends, address));
}

/* Lists of denied addresses, for the command to read. */
struct lists {
	struct list {
		FILE *file;
		char path[32];
	} list[2];
};

static void lists_close(struct lists *lists)
{
	for (int i = 0; i < 2; i++) {
		if (lists->list[i].file)
			fclose(lists->list[i].file);
	}
}

/* In turns, so that no two neighbours are of one list, and would be one range. */
static int lists_open(struct lists *lists, enum denied denied)
{
	for (int i = 0; i < 2 && denied != DENY_NOBODY; i++) {
		lists->list[i].file = nameless_file(lists->list[i].path);
		if (!lists->list[i].file)
			return -errno;
	}
	for (__u32 i = 0; i < DENIED && denied != DENY_NOBODY; i++) {
		__u32 address = denied == DENY_CLIENTS
					? HARNESS_SOURCE_IPV4 + i
					: OTHERS_FROM + i * 0x9e3779b1u % OTHERS_COUNT;

		fprintf(lists->list[i % 2].file, "%u.%u.%u.%u\n", address >> 24,
			address >> 16 & 0xff, address >> 8 & 0xff, address & 0xff);
	}
	for (int i = 0; i < 2 && denied != DENY_NOBODY; i++)
		fflush(lists->list[i].file);
	return 0;
}

static void write_policy(FILE *file, const struct bench_policy *policy, const struct lists *lists)
{
	fputs("policy:\n  rules:\n", file);
	if (policy->rules)
		fputs(policy->rules, file);
	for (int i = 0; i < 2; i++) {
		if (lists->list[i].file)
			fprintf(file, "    - {action: deny, feed: %s}\n", lists->list[i].path);
	}
}

static int open_pins(struct world *world)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/lb", world->pin);
	world->program = bpf_obj_get(path);
	if (world->program < 0) {
		fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
		return -errno;
	}
	snprintf(path, sizeof(path), "%s/service_counters", world->pin);
	world->service_counters = bpf_obj_get(path);
	if (world->service_counters < 0) {
		fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
		return -errno;
	}
	return 0;
}

int world_load(struct world *world, const struct bench_service *services, size_t count,
	       const struct bench_policy *policy)
{
	char path[32];
	char *argv[] = {world->sluice, "--pin", world->pin, "load", "--config", path, NULL};
	FILE *file = nameless_file(path);
	struct lists lists = {};
	int err = file ? 0 : -errno;

	if (!err && policy)
		err = lists_open(&lists, policy->denied);
	if (err)
		goto out;
	/* More answers than a round asks for, or the rest of it would measure drops. */
	fputs("load:\n  flows_per_cpu: 1000000\n  seed: 1\n  icmp_rate: 100000000\nservices:\n",
	      file);
	for (size_t i = 0; i < count; i++)
		write_service(file, &services[i]);
	if (policy)
		write_policy(file, policy, &lists);
	fflush(file);
	err = run(argv);
	if (err)
		goto out;
	world->services = count;
	err = open_pins(world);
	if (err)
		world_unload(world);
out:
	lists_close(&lists);
	if (file)
		fclose(file);
	return err;
}

void world_unload(struct world *world)
{
	char *argv[] = {world->sluice, "--pin", world->pin, "unload", NULL};

	if (world->program >= 0)
		close(world->program);
	if (world->service_counters >= 0)
		close(world->service_counters);
	world->program = -1;
	world->service_counters = -1;
	run(argv);
}

int world_count(const struct world *world, struct world_counts *counts)
{
	int cpus = libbpf_num_possible_cpus();
	struct service_counters *values;
	int err = 0;

	memset(counts, 0, sizeof(*counts));
	if (cpus < 0)
		return cpus;
	values = calloc(cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (__u32 id = 1; id <= world->services && !err; id++) {
		err = bpf_map_lookup_elem(world->service_counters, &id, values);
		for (int cpu = 0; cpu < cpus && !err; cpu++) {
			counts->packets += values[cpu].packets;
			counts->new_flows += values[cpu].new_flows;
		}
	}
	free(values);
	return err;
}
