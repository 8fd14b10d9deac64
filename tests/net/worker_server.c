/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * worker_server NODE PORT WORKERS BODY-BYTES DIRECTORY exponential|uniform: an HTTP server of so many
 * workers, a request each at a time; who comes while all are busy waits in the kernel's queue. A
 * worker thinks (sleeps) for a random time, exponential or from half to one and a half of the mean,
 * which, in ms, is read from DIRECTORY/service_ms ten times a second. What the server knows of itself goes into DIRECTORY/load.json, as `sluice agent`
 * takes it: how busy the workers are, or, with a number of 0 to 1 in DIRECTORY/cpu, that as what its
 * CPU is. The header Node of an answer is NODE.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX 64
#define BODY_MAX    65536
#define QUEUE_MAX   4096
#define TICK_NS     100000000L
#define TICKS       20 /* that an average is of: 2 s */
#define FILE_TICKS  5
#define NS_PER_S    1000000000LL

static const char *node, *directory;
static unsigned int workers, body_bytes;
static int listener;
static bool exponential;
static double mean_ms;

/* Sums since the start. */
struct sums {
	int64_t at_ns;
	int64_t busy_ns; /* of all workers */
	uint64_t done;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sums sums;
static unsigned int busy;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* @change workers more are busy. */
static struct sums account(int change)
{
	struct sums copy;
	int64_t now;

	pthread_mutex_lock(&lock);
	now = now_ns();
	sums.busy_ns += busy * (now - sums.at_ns);
	sums.at_ns = now;
	sums.done += change < 0;
	busy += change;
	copy = sums;
	pthread_mutex_unlock(&lock);
	return copy;
}

static void think(unsigned int *seed)
{
	double random = (rand_r(seed) + 1.0) / (RAND_MAX + 2.0), mean;
	struct timespec time;
	int64_t ns;

	__atomic_load(&mean_ms, &mean, __ATOMIC_RELAXED);
	ns = (exponential ? -log(random) : 0.5 + random) * mean * 1e6;
	time = (struct timespec){ns / NS_PER_S, ns % NS_PER_S};
	nanosleep(&time, NULL);
}

/* A connection that asks for nothing is a health check's. */
static bool read_request(int fd)
{
	char text[1024];
	size_t bytes = 0;
	ssize_t got;

	while (bytes < sizeof(text) - 1) {
		got = recv(fd, text + bytes, sizeof(text) - 1 - bytes, 0);
		if (got <= 0)
			return false;
		bytes += got;
		text[bytes] = '\0';
		if (strstr(text, "\r\n\r\n"))
			return true;
	}
	return false;
}

static void answer(int fd)
{
	static const char body[BODY_MAX];
	char header[256];
	int bytes = snprintf(header, sizeof(header),
			     "HTTP/1.1 200 OK\r\nNode: %s\r\nContent-Length: %u\r\n"
			     "Connection: close\r\n\r\n",
			     node, body_bytes);

	if (send(fd, header, bytes, MSG_NOSIGNAL | MSG_MORE) == bytes)
		send(fd, body, body_bytes, MSG_NOSIGNAL);
}

static void *work(void *argument)
{
	const struct timeval timeout = {.tv_sec = 2};
	unsigned int seed = (uintptr_t)argument;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0 || errno == ECONNABORTED) {
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
		if (read_request(fd)) {
			account(1);
			think(&seed);
			account(-1);
			answer(fd);
		}
		close(fd);
	}
	die("accept");
	return NULL;
}

/* The number in that file, or @otherwise. */
static double read_number(const char *name, double otherwise)
{
	char path[256];
	double value;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "r");
	if (!file)
		return otherwise;
	if (fscanf(file, "%lf", &value) != 1)
		value = otherwise;
	fclose(file);
	return value;
}

/* Connections that no worker has taken yet: of a listener, this is what it counts (tcp_get_info). */
static unsigned int queued(void)
{
	struct tcp_info info = {};
	socklen_t bytes = sizeof(info);

	if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &bytes))
		return 0;
	return info.tcpi_unacked;
}

static void write_load(const struct sums *from, const struct sums *to)
{
	char path[256], new[264];
	double seconds = (to->at_ns - from->at_ns) / 1e9;
	double utilization = (to->busy_ns - from->busy_ns) / 1e9 / seconds / workers;
	double cpu = read_number("cpu", NAN);
	FILE *file;

	snprintf(path, sizeof(path), "%s/load.json", directory);
	snprintf(new, sizeof(new), "%s.new", path);
	file = fopen(new, "w");
	if (!file)
		die(new);
	fprintf(file, "{\"workers\": %u, \"inflight\": %u, \"rps_fractional\": %.2f", workers,
		__atomic_load_n(&busy, __ATOMIC_RELAXED) + queued(),
		(to->done - from->done) / seconds);
	if (isnan(cpu))
		fprintf(file, ", \"application_utilization\": %.4f}\n", utilization);
	else
		fprintf(file, ", \"cpu_utilization\": %.4f}\n", cpu);
	if (fclose(file) || rename(new, path))
		die(path);
}

static void tell_for_ever(void)
{
	const struct timespec tick = {.tv_nsec = TICK_NS};
	struct sums ring[TICKS];
	unsigned int turn;

	for (turn = 0; turn < TICKS; turn++)
		ring[turn] = sums;
	for (turn = 1;; turn++) {
		struct sums now;
		double mean = read_number("service_ms", mean_ms);

		__atomic_store(&mean_ms, &mean, __ATOMIC_RELAXED);
		nanosleep(&tick, NULL);
		now = account(0);
		if (turn % FILE_TICKS == 0)
			write_load(&ring[turn % TICKS], &now);
		ring[turn % TICKS] = now;
	}
}

static void listen_at(uint16_t port)
{
	struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int on = 1;

	listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0); /* which takes IPv4 as well */
	if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(listener, (struct sockaddr *)&own, sizeof(own)) || listen(listener, QUEUE_MAX))
		die("listen");
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 7)
		return 2;
	node = argv[1];
	workers = atoi(argv[3]);
	body_bytes = atoi(argv[4]);
	directory = argv[5];
	exponential = !strcmp(argv[6], "exponential");
	if (!workers || workers > WORKERS_MAX || body_bytes > BODY_MAX)
		return 2;
	mean_ms = read_number("service_ms", 0);
	sums.at_ns = now_ns();
	listen_at(atoi(argv[2]));
	for (unsigned int i = 0; i < workers; i++) {
		errno = pthread_create(&thread, NULL, work,
				       (void *)(uintptr_t)(atoi(node) * 1000 + i));
		if (errno)
			die("thread");
	}
	tell_for_ever();
}
