/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kill_writer PIN-DIR start|write MICROSECONDS COMMAND...: run COMMAND and send it SIGKILL that long
 * after its start, or after it began to write the maps. Prints "unharmed" if it was faster, else
 * "killed" and whether the new state was in use by then: "before" or "after" the flip of the
 * generation.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "maps/control.h"
#include "maps/service.h"

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static const volatile void *map_memory(const char *pin_dir, const char *name, size_t bytes)
{
	char path[PATH_MAX];
	union bpf_attr attr;
	void *memory;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", pin_dir, name);
	memset(&attr, 0, sizeof(attr)); /* an initialiser clears its first member only */
	attr.pathname = (unsigned long)path;
	fd = syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
	if (fd < 0)
		die(path);
	memory = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		die(path);
	return memory;
}

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Writer and watcher side by side, where there are two CPUs. */
static void stay_on_cpu(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = {};

	return !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

/*
 * The writer begins by emptying a half, so that the name of service 1 goes. If an earlier writer was
 * killed after that, it comes back instead, and only later. Of a writer that works, the half is the
 * one that no packet reads; it is not for this program to trust that.
 */
static void await_store(pid_t pid, const volatile struct service_info_halves *info)
{
	const volatile char *name[2] = {info[1].half[0].name, info[1].half[1].name};
	const char was[2] = {*name[0], *name[1]};
	unsigned int turn = 0;

	while (*name[0] == was[0] && *name[1] == was[1]) {
		if (++turn % 1024 == 0 && has_ended(pid))
			return;
	}
}

int main(int argc, char **argv)
{
	const volatile struct service_info_halves *info;
	const volatile struct control *control;
	unsigned long long generation;
	long until_us;
	int status;
	pid_t pid;

	if (argc < 5)
		return 2;
	control = map_memory(argv[1], "control", sizeof(*control));
	info = map_memory(argv[1], "service_info", sizeof(*info) * SERVICES_MAX);
	generation = control->generation;
	pid = fork();
	if (pid < 0)
		die("fork");
	stay_on_cpu(!pid);
	if (!pid) {
		execv(argv[4], argv + 4);
		die(argv[4]);
	}
	if (!strcmp(argv[2], "write"))
		await_store(pid, info);
	until_us = now_us() + atol(argv[3]);
	while (now_us() < until_us && !has_ended(pid))
		;
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		die("wait");
	if (!WIFSIGNALED(status))
		puts("unharmed");
	else
		printf("killed %s\n", control->generation == generation ? "before" : "after");
	return WIFSIGNALED(status) ? 0 : WEXITSTATUS(status);
}
