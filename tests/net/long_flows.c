/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * long_flows tcp|udp ADDRESS PORT COUNT PERIOD-MS FILE: COUNT flows that ask every PERIOD-MS until
 * SIGTERM, each a thread that goes to another CPU before every question. FILE always has what
 * became of the flows so far: "ok" counts answers, "open" and the nodes count flows that live.
 */
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "flow.h"

static struct target target;
static struct tally tally;
static unsigned long open_flows;
static long period_ms;
static volatile sig_atomic_t stop;

static void on_term(int signal)
{
	(void)signal;
	stop = 1;
}

static void sleep_ms(long ms)
{
	struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&wait, NULL);
}

static void *run(void *argument)
{
	unsigned long number = (unsigned long)argument;
	unsigned long turn = number;
	uint8_t server = 0;
	int fd = flow_open(&target, 0);
	int err = fd < 0 ? fd : 0;

	while (!err && !stop) {
		bool first = !server;

		hop_to_cpu(turn++);
		err = flow_ask(fd, turn, &server);
		if (err)
			break;
		__atomic_add_fetch(&tally.ok, 1, __ATOMIC_RELAXED);
		if (first) {
			__atomic_add_fetch(&open_flows, 1, __ATOMIC_RELAXED);
			__atomic_add_fetch(&tally.by_server[server], 1, __ATOMIC_RELAXED);
		}
		sleep_ms(period_ms);
	}
	if (err) {
		tally_error(&tally, err);
		fprintf(stderr, "# flow %lu of node%d: %s\n", number, server, strerror(-err));
		if (server) {
			__atomic_sub_fetch(&open_flows, 1, __ATOMIC_RELAXED);
			__atomic_sub_fetch(&tally.by_server[server], 1, __ATOMIC_RELAXED);
		}
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* A reader never sees half of it. */
static void write_tally(const char *path)
{
	char new_path[4096];
	FILE *file;

	snprintf(new_path, sizeof(new_path), "%s.new", path);
	file = fopen(new_path, "w");
	if (!file)
		die(new_path);
	fprintf(file, "open %lu\n", open_flows);
	tally_print(&tally, file);
	fclose(file);
	if (rename(new_path, path))
		die(path);
}

int main(int argc, char **argv)
{
	unsigned long count, i;
	pthread_t *thread;

	if (argc < 7)
		return 2;
	target = target_parse(argv + 1);
	count = atol(argv[4]);
	period_ms = atol(argv[5]);
	thread = calloc(count, sizeof(*thread));
	if (!thread)
		die("memory");
	signal(SIGTERM, on_term);
	for (i = 0; i < count; i++) {
		errno = pthread_create(&thread[i], NULL, run, (void *)i);
		if (errno)
			die("thread");
	}
	while (!stop) {
		write_tally(argv[6]);
		sleep_ms(50);
	}
	for (i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
	write_tally(argv[6]);
	return 0;
}
