/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * server ID LOG PORT...: answers TCP and UDP, IPv4 and IPv6, on every PORT (see flow.h). On a PORT
 * with a "c" behind it (81c), TCP is closed after the first answer: then this end is the one that
 * closes first. LOG gets "ready" and then a line for each flow: "tcp 81" or "udp 81", once for
 * each source port of UDP.
 */
#include <fcntl.h>
#include <pthread.h>

#include "flow.h"

static uint8_t id;
static int log_fd;

struct listener {
	int fd;
	uint16_t port;
	bool closes;
	bool known[65536]; /* source ports of UDP */
};

struct connection {
	int fd;
	bool closes;
};

static void note(const char *protocol, uint16_t port)
{
	char line[32];
	int bytes = snprintf(line, sizeof(line), "%s %u\n", protocol, port);

	if (write(log_fd, line, bytes) != bytes)
		die("log");
}

static void answer(uint8_t *data, ssize_t bytes)
{
	ssize_t i;

	for (i = 0; i < bytes; i++)
		data[i] ^= id;
}

static bool send_all(int fd, const uint8_t *data, ssize_t bytes)
{
	while (bytes > 0) {
		ssize_t sent = send(fd, data, bytes, MSG_NOSIGNAL);

		if (sent < 0)
			return false;
		data += sent;
		bytes -= sent;
	}
	return true;
}

static void *serve_connection(void *argument)
{
	struct connection *connection = argument;
	uint8_t data[16384];
	ssize_t got;

	while ((got = recv(connection->fd, data, sizeof(data), 0)) > 0) {
		answer(data, got);
		if (!send_all(connection->fd, data, got) || connection->closes)
			break;
	}
	close(connection->fd);
	free(connection);
	return NULL;
}

static void start(void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 65536);
	errno = pthread_create(&thread, &attributes, run, argument);
	if (errno)
		die("thread");
	pthread_attr_destroy(&attributes);
}

static void *accept_tcp(void *argument)
{
	const struct listener *listener = argument;
	int on = 1;
	int fd;

	while ((fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct connection *connection = malloc(sizeof(*connection));

		if (!connection)
			die("memory");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		note("tcp", listener->port);
		*connection = (struct connection){.fd = fd, .closes = listener->closes};
		start(serve_connection, connection);
	}
	die("accept");
	return NULL;
}

/* The answer's source must be what the client asked: a VIP. The control message goes back as is. */
static void serve_datagram(struct listener *listener)
{
	uint8_t data[16384], control[256];
	struct iovec part = {data, sizeof(data)};
	struct sockaddr_in6 from;
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct in6_pktinfo *info;
	ssize_t got = recvmsg(listener->fd, &message, 0);

	if (got < 0)
		return; /* an ICMP error about an earlier answer */
	if (!listener->known[ntohs(from.sin6_port)])
		note("udp", listener->port);
	listener->known[ntohs(from.sin6_port)] = true;
	info = (struct in6_pktinfo *)CMSG_DATA(CMSG_FIRSTHDR(&message));
	info->ipi6_ifindex = 0; /* by the route, not the way it came */
	answer(data, got);
	part.iov_len = got;
	sendmsg(listener->fd, &message, 0);
}

static void *serve_udp(void *argument)
{
	while (argument)
		serve_datagram(argument);
	return NULL;
}

static void listen_at(const char *text, int type)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	int on = 1, off = 0;

	if (!listener)
		die("memory");
	listener->port = atoi(text);
	listener->closes = strchr(text, 'c') != NULL;
	any.sin6_port = htons(listener->port);
	listener->fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (type == SOCK_DGRAM)
		setsockopt(listener->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	if (bind(listener->fd, (struct sockaddr *)&any, sizeof(any)) ||
	    (type == SOCK_STREAM && listen(listener->fd, 4096)))
		die("listen");
	start(type == SOCK_STREAM ? accept_tcp : serve_udp, listener);
}

int main(int argc, char **argv)
{
	int i;

	if (argc < 4)
		return 2;
	id = atoi(argv[1]);
	log_fd = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0)
		die(argv[2]);
	for (i = 3; i < argc; i++) {
		listen_at(argv[i], SOCK_STREAM);
		listen_at(argv[i], SOCK_DGRAM);
	}
	if (write(log_fd, "ready\n", 6) != 6)
		die("log");
	for (;;)
		pause();
}
