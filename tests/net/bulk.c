/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bulk serve PORT DELAY-MS: a server of both families that answers a number (8 bytes, of the host's
 * order) with as many bytes, after a while. Says "ready".
 *
 * bulk fetch tcp ADDRESS PORT CONNECTIONS BYTES: ask for BYTES on each of so many connections at
 * once. Says "done" when all have come, and keeps the connections open until it is killed.
 */
#include <pthread.h>

#include "flow.h"

enum { WAIT_S = 30 };

static unsigned int delay_ms;
static size_t wanted_bytes;

static bool pass_all(int fd, void *bytes, size_t count)
{
	return recv(fd, bytes, count, MSG_WAITALL) == (ssize_t)count;
}

static void *answer_all(void *argument)
{
	static const char zeros[65536];
	int fd = (int)(intptr_t)argument;
	uint64_t left;

	while (pass_all(fd, &left, sizeof(left))) {
		usleep(delay_ms * 1000);
		while (left) {
			size_t bytes = left < sizeof(zeros) ? left : sizeof(zeros);
			ssize_t done = send(fd, zeros, bytes, MSG_NOSIGNAL);

			if (done < 0)
				break;
			left -= done;
		}
	}
	close(fd);
	return NULL;
}

static void serve(const char *port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(port))};
	int listener = socket(AF_INET6, SOCK_STREAM, 0);
	int on = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 256))
		die("listen");
	puts("ready");
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		pthread_t thread;

		if (fd < 0)
			die("accept");
		errno = pthread_create(&thread, NULL, answer_all, (void *)(intptr_t)fd);
		if (errno)
			die("thread");
		pthread_detach(thread);
	}
}

static void *fetch(void *argument)
{
	const struct timeval patience = {.tv_sec = WAIT_S};
	const struct target *target = argument;
	uint64_t left = wanted_bytes;
	int fd = flow_open(target, 0);
	char bytes[65536];

	if (fd < 0) {
		errno = -fd;
		die("connect");
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, &left, sizeof(left), MSG_NOSIGNAL) != sizeof(left))
		die("send");
	while (left) {
		ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

		if (got <= 0)
			die("recv");
		left -= got;
	}
	return NULL;
}

static void fetch_all(char **argv)
{
	struct target target = target_parse(argv);
	int count = atoi(argv[3]);
	pthread_t threads[count];
	int i;

	wanted_bytes = atol(argv[4]);
	for (i = 0; i < count; i++) {
		errno = pthread_create(&threads[i], NULL, fetch, &target);
		if (errno)
			die("thread");
	}
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	puts("done");
	fflush(stdout);
	pause();
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "serve")) {
		delay_ms = atoi(argv[3]);
		serve(argv[2]);
	} else if (argc == 7 && !strcmp(argv[1], "fetch")) {
		fetch_all(argv + 2);
	}
	return 2;
}
