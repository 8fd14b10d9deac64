/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test's clients and server agree on: the server answers every byte with that byte XOR its
 * own id (1..255). So each answer says who gave it, and shows when a byte was lost or damaged.
 */
#ifndef SLUICE_TESTS_NET_FLOW_H
#define SLUICE_TESTS_NET_FLOW_H

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ASK_BYTES      32
#define TIMEOUT_S      5
#define SERVERS_MAX    256
#define EANOTHERSERVER EBADMSG /* what flow_ask() says of an answer that is not as it must be */

struct target {
	struct sockaddr_storage address;
	socklen_t address_bytes;
	int type; /* SOCK_STREAM or SOCK_DGRAM */
};

/* What became of flows, and which server has how many of them. */
struct tally {
	unsigned long ok, resets, timeouts, wrong, failed;
	unsigned long by_server[SERVERS_MAX];
};

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

/* "tcp" or "udp", an address and a port. */
static inline struct target target_parse(char **argv)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found;
	struct target target = {};

	hints.ai_socktype = strcmp(argv[0], "udp") ? SOCK_STREAM : SOCK_DGRAM;
	if (getaddrinfo(argv[1], argv[2], &hints, &found)) {
		fprintf(stderr, "bad address %s or port %s\n", argv[1], argv[2]);
		exit(2);
	}
	memcpy(&target.address, found->ai_addr, found->ai_addrlen);
	target.address_bytes = found->ai_addrlen;
	target.type = hints.ai_socktype;
	freeaddrinfo(found);
	return target;
}

static inline int flow_bind(int fd, const struct target *target, uint16_t port)
{
	struct sockaddr_storage own = {.ss_family = target->address.ss_family};
	int on = 1;

	/* The port is in the same place for both families. */
	((struct sockaddr_in *)&own)->sin_port = htons(port);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&own, target->address_bytes))
		return -errno;
	return 0;
}

/* A connected socket, from @source_port if that is not 0; or a negative errno. */
static inline int flow_open(const struct target *target, uint16_t source_port)
{
	struct timeval timeout = {.tv_sec = TIMEOUT_S};
	int fd = socket(target->address.ss_family, target->type | SOCK_CLOEXEC, 0);
	int on = 1;
	int err = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (target->type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (source_port)
		err = flow_bind(fd, target, source_port);
	if (!err && connect(fd, (const struct sockaddr *)&target->address, target->address_bytes))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* @answer must be what the server @server says to @question. */
static inline bool answer_fits(const uint8_t *question, const uint8_t *answer, size_t bytes,
			       uint8_t server)
{
	size_t i;

	for (i = 0; i < bytes; i++) {
		if ((question[i] ^ answer[i]) != server)
			return false;
	}
	return server != 0;
}

/*
 * Ask who is there. *@server is 0 before the first answer of a flow, and stays what that one said.
 * Returns 0 or a negative errno.
 */
static inline int flow_ask(int fd, unsigned long number, uint8_t *server)
{
	uint8_t question[ASK_BYTES], answer[ASK_BYTES];
	ssize_t got;
	int i;

	for (i = 0; i < ASK_BYTES; i++)
		question[i] = number * 31 + i;
	got = send(fd, question, sizeof(question), MSG_NOSIGNAL);
	if (got == sizeof(question))
		got = recv(fd, answer, sizeof(answer), MSG_WAITALL);
	if (got < 0)
		return -errno;
	if (got != sizeof(answer))
		return -ECONNRESET; /* closed by the other end */
	if (!*server)
		*server = question[0] ^ answer[0];
	return answer_fits(question, answer, sizeof(answer), *server) ? 0 : -EANOTHERSERVER;
}

/*
 * Go on at another CPU. veth delivers on the CPU that sends, so this decides where the balancer
 * meets the next packet.
 */
static inline void hop_to_cpu(unsigned long turn)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(turn % count, &one);
	sched_setaffinity(0, sizeof(one), &one); /* may be refused: then the flow stays here */
}

static inline void tally_error(struct tally *tally, int err)
{
	switch (-err) {
	case ECONNRESET:
	case ECONNREFUSED:
	case EPIPE:
		__atomic_add_fetch(&tally->resets, 1, __ATOMIC_RELAXED);
		break;
	case EAGAIN:
	case EINPROGRESS:
	case ETIMEDOUT:
		__atomic_add_fetch(&tally->timeouts, 1, __ATOMIC_RELAXED);
		break;
	case EANOTHERSERVER:
		__atomic_add_fetch(&tally->wrong, 1, __ATOMIC_RELAXED);
		break;
	default:
		fprintf(stderr, "flow: %s\n", strerror(-err));
		__atomic_add_fetch(&tally->failed, 1, __ATOMIC_RELAXED);
	}
}

static inline void tally_print(const struct tally *tally, FILE *file)
{
	int i;

	fprintf(file, "ok %lu\nresets %lu\ntimeouts %lu\nwrong %lu\nfailed %lu\n", tally->ok,
		tally->resets, tally->timeouts, tally->wrong, tally->failed);
	for (i = 1; i < SERVERS_MAX; i++) {
		if (tally->by_server[i])
			fprintf(file, "node%d %lu\n", i, tally->by_server[i]);
	}
}

#endif
