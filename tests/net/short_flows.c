/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * short_flows tcp|udp ADDRESS PORT COUNT THREADS close|wait|abort [FIRST-PORT]: COUNT flows that
 * ask once each. Then they close, or wait for the server to close first, or send a reset. Each of
 * these may happen on another CPU. With FIRST-PORT, flow number n comes from that port + n. Prints
 * what became of them.
 */
#include <pthread.h>
#include <time.h>

#include "flow.h"

#define PORT_WAIT_NS   1000000
#define PORT_WAITS_MAX 20000 /* for a free port, a flow */

static struct target target;
static struct tally tally;
static unsigned long count, next_flow;
static const char *ending;
static uint16_t first_port;

/* All ports may be in TIME_WAIT for a moment, which is not a failure of anybody's. */
static int open_patiently(unsigned long number)
{
	const struct timespec wait = {.tv_nsec = PORT_WAIT_NS};
	int fd, waits = 0;

	while ((fd = flow_open(&target, first_port ? first_port + number : 0)) == -EADDRNOTAVAIL &&
	       waits++ < PORT_WAITS_MAX)
		nanosleep(&wait, NULL);
	return fd;
}

static int end_flow(int fd)
{
	const struct linger reset = {.l_onoff = 1};
	char byte;

	if (!strcmp(ending, "wait")) {
		ssize_t got = recv(fd, &byte, 1, 0);

		return got < 0 ? -errno : got ? -EANOTHERSERVER : 0;
	}
	if (!strcmp(ending, "abort"))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return 0;
}

static void one_flow(unsigned long number)
{
	uint8_t server = 0;
	int fd, err;

	hop_to_cpu(number);
	fd = err = open_patiently(number);
	if (fd >= 0) {
		hop_to_cpu(number / 2);
		err = flow_ask(fd, number, &server);
		hop_to_cpu(number / 4);
		if (!err)
			err = end_flow(fd);
		close(fd);
	}
	if (err) {
		tally_error(&tally, err);
		return;
	}
	__atomic_add_fetch(&tally.ok, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&tally.by_server[server], 1, __ATOMIC_RELAXED);
}

static void *run(void *unused)
{
	unsigned long number;

	(void)unused;
	while ((number = __atomic_fetch_add(&next_flow, 1, __ATOMIC_RELAXED)) < count)
		one_flow(number);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[64];
	int threads, i;

	if (argc < 7)
		return 2;
	target = target_parse(argv + 1);
	count = atol(argv[4]);
	threads = atoi(argv[5]);
	ending = argv[6];
	first_port = argc > 7 ? atoi(argv[7]) : 0;
	if (threads < 1 || threads > 64)
		return 2;
	for (i = 0; i < threads; i++) {
		errno = pthread_create(&thread[i], NULL, run, NULL);
		if (errno)
			die("thread");
	}
	for (i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	tally_print(&tally, stdout);
	return 0;
}
