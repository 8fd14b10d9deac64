/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * copy tcp|udp ADDRESS PORT BYTES: send BYTES to a server and have them back, intact and all from
 * the same one. UDP goes in datagrams of 1,000 bytes, one at a time. Prints the server's name.
 */
#include <pthread.h>

#include "flow.h"

#define DATAGRAM_BYTES 1000

static uint8_t *sent, *received;
static size_t total_bytes;

static void *send_all(void *argument)
{
	int fd = *(int *)argument;
	size_t done = 0;

	while (done < total_bytes) {
		ssize_t got = send(fd, sent + done, total_bytes - done, MSG_NOSIGNAL);

		if (got < 0)
			die("send");
		done += got;
	}
	return NULL;
}

/* Both ways at once, at full speed. */
static void copy_stream(int fd)
{
	pthread_t sender;
	ssize_t got;

	errno = pthread_create(&sender, NULL, send_all, &fd);
	if (errno)
		die("thread");
	got = recv(fd, received, total_bytes, MSG_WAITALL);
	if (got < 0)
		die("recv");
	if ((size_t)got != total_bytes) {
		fprintf(stderr, "only %zd bytes came back\n", got);
		exit(1);
	}
	pthread_join(sender, NULL);
}

static void copy_datagrams(int fd)
{
	size_t done, bytes;

	for (done = 0; done < total_bytes; done += bytes) {
		bytes = total_bytes - done < DATAGRAM_BYTES ? total_bytes - done : DATAGRAM_BYTES;
		if (send(fd, sent + done, bytes, 0) < 0)
			die("send");
		if (recv(fd, received + done, bytes, 0) != (ssize_t)bytes)
			die("recv");
	}
}

int main(int argc, char **argv)
{
	struct target target;
	uint32_t random = 1;
	size_t i;
	int fd;

	if (argc < 5)
		return 2;
	target = target_parse(argv + 1);
	total_bytes = atol(argv[4]);
	sent = malloc(total_bytes);
	received = malloc(total_bytes);
	if (!sent || !received)
		die("memory");
	for (i = 0; i < total_bytes; i++) {
		random = random * 1664525 + 1013904223;
		sent[i] = random >> 24;
	}
	fd = flow_open(&target, 0);
	if (fd < 0) {
		errno = -fd;
		die("connect");
	}
	if (target.type == SOCK_STREAM)
		copy_stream(fd);
	else
		copy_datagrams(fd);
	if (!answer_fits(sent, received, total_bytes, sent[0] ^ received[0])) {
		fputs("what came back is not what was sent\n", stderr);
		return 1;
	}
	printf("node%d\n", sent[0] ^ received[0]);
	return 0;
}
