/* SPDX-License-Identifier: GPL-2.0-only */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"

#define OUTPUT_BYTES_MAX (64 << 20)

extern char **environ;

enum { INPUT, OUTPUT, ERRORS, STREAMS };

struct child {
	pid_t pid;
	int pid_fd;
	int streams[STREAMS]; /* files in memory */
	struct event *event;
	void (*on_end)(void *context, const struct child_result *result);
	void *context;
};

static int exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void child_free(struct child *child)
{
	if (child->event)
		event_free(child->event);
	for (int i = 0; i < STREAMS; i++) {
		if (child->streams[i] >= 0)
			close(child->streams[i]);
	}
	if (child->pid_fd >= 0)
		close(child->pid_fd);
	free(child);
}

void child_cancel(struct child *child)
{
	child->on_end = NULL;
}

static char *read_stream(int fd, size_t *bytes)
{
	lseek(fd, 0, SEEK_SET);
	return file_read_fd(fd, OUTPUT_BYTES_MAX, bytes);
}

static void on_exit_event(evutil_socket_t fd, short what, void *context)
{
	struct child_result result = {};
	struct child *child = context;
	char *output, *errors;
	int status = 0;

	(void)fd;
	(void)what;
	if (waitpid(child->pid, &status, WNOHANG) != child->pid)
		return;
	output = read_stream(child->streams[OUTPUT], &result.output_bytes);
	errors = read_stream(child->streams[ERRORS], &result.errors_bytes);
	result.status = exit_status(status);
	result.output = output ? output : "";
	result.errors = errors ? errors : "";
	if (child->on_end)
		child->on_end(child->context, &result);
	free(output);
	free(errors);
	child_free(child);
}

/* A process of this program, with no signals blocked or caught. Returns 0 or negative errno. */
static int spawn(char *const *argv, const char *cwd, const int streams[STREAMS], pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int err;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	for (int i = 0; i < STREAMS && streams; i++)
		posix_spawn_file_actions_adddup2(&actions, streams[i], i);
	if (cwd)
		posix_spawn_file_actions_addchdir_np(&actions, cwd);
	err = posix_spawn(pid, "/proc/self/exe", &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -err;
}

static int open_streams(struct child *child, const struct child_request *request)
{
	size_t written = 0;
	ssize_t bytes;

	for (int i = 0; i < STREAMS; i++) {
		child->streams[i] = memfd_create("sluice", MFD_CLOEXEC);
		if (child->streams[i] < 0)
			return -errno;
	}
	while (written < request->input_bytes) {
		bytes = write(child->streams[INPUT], request->input + written,
			      request->input_bytes - written);
		if (bytes < 0 && errno != EINTR)
			return -errno;
		written += bytes > 0 ? bytes : 0;
	}
	lseek(child->streams[INPUT], 0, SEEK_SET);
	return 0;
}

struct child *child_start(struct event_base *base, const struct child_request *request)
{
	struct child *child = calloc(1, sizeof(*child));
	int err;

	if (!child)
		return NULL;
	child->pid_fd = -1;
	memset(child->streams, -1, sizeof(child->streams));
	child->on_end = request->on_end;
	child->context = request->context;
	err = open_streams(child, request);
	if (!err)
		err = spawn(request->argv, request->cwd, child->streams, &child->pid);
	if (err)
		goto fail;
	child->pid_fd = pidfd_open(child->pid, 0);
	if (child->pid_fd >= 0)
		child->event =
			event_new(base, child->pid_fd, EV_READ | EV_PERSIST, on_exit_event, child);
	if (child->event && !event_add(child->event, NULL))
		return child;
	/* Nobody would hear of its end. */
	err = -ENOMEM;
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
fail:
	child_free(child);
	errno = -err;
	return NULL;
}

int child_run(char *const *argv)
{
	int status = 0;
	pid_t pid;

	if (spawn(argv, NULL, NULL, &pid))
		return 127;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return exit_status(status);
}
