/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * open_loop ADDRESS PORT RATE SECONDS TIMEOUT-S >FILE: HTTP requests at a fixed rate, each on a
 * connection of its own, whether or not those before have been answered. Each prints a line when it
 * has ended: when it was to start (Unix time, ms), how long after that it ended (us), the number in
 * the answer's header Node (0: no answer), and "ok" or an error's name. The time counts from when it
 * was to start, so that a generator that is late hides nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S     1000000000LL
#define HEADER_BYTES 256
#define EVENTS       64
#define NO_REQUEST   UINT32_MAX
#define LATE_NS      (NS_PER_S / 2) /* how often timeouts are looked for */

struct request {
	int fd; /* -1: ended, or not begun */
	bool sent;
	uint32_t header_bytes; /* as much as there is room for */
	uint64_t bytes;
	char header[HEADER_BYTES];
};

static struct sockaddr_in target = {.sin_family = AF_INET};
static char question[128];
static struct request *requests;
static uint32_t count, begun, oldest, ended;
static int64_t start_ns, step_ns, timeout_ns, unix_offset_ns;
static int poller, timer;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t due_ns(uint32_t index)
{
	return start_ns + index * step_ns;
}

static void end(uint32_t index, int err, unsigned int node)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC);

	printf("%lld %lld %u %s\n", (long long)((due_ns(index) + unix_offset_ns) / 1000000),
	       (long long)((now - due_ns(index)) / 1000), node, err ? strerrorname_np(err) : "ok");
	if (requests[index].fd >= 0)
		close(requests[index].fd);
	requests[index].fd = -1;
	ended++;
}

static void begin(uint32_t index)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = index};
	struct request *request = &requests[index];

	request->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (request->fd < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, request->fd, &event))
		die("socket");
	if (connect(request->fd, (struct sockaddr *)&target, sizeof(target)) &&
	    errno != EINPROGRESS)
		end(index, errno, 0);
}

/* The whole answer is there: is it one, and whose? */
static void judge(uint32_t index)
{
	struct request *request = &requests[index];
	unsigned int node = 0, body_bytes;
	char *body;

	request->header[request->header_bytes] = '\0';
	body = strstr(request->header, "\r\n\r\n");
	if (!body ||
	    sscanf(request->header, "HTTP/1.1 200 OK\r\nNode: %u\r\nContent-Length: %u", &node,
		   &body_bytes) != 2 ||
	    request->bytes != (uint64_t)(body + 4 - request->header) + body_bytes)
		end(index, EBADMSG, node);
	else
		end(index, 0, node);
}

static void receive(uint32_t index)
{
	struct request *request = &requests[index];
	char data[16384];
	ssize_t got;

	while ((got = recv(request->fd, data, sizeof(data), 0)) > 0) {
		size_t room = HEADER_BYTES - 1 - request->header_bytes;
		size_t part = (size_t)got < room ? (size_t)got : room;

		memcpy(request->header + request->header_bytes, data, part);
		request->header_bytes += part;
		request->bytes += got;
	}
	if (!got)
		judge(index);
	else if (errno != EAGAIN)
		end(index, errno, 0);
}

static void go_on(uint32_t index, uint32_t what)
{
	struct request *request = &requests[index];
	ssize_t bytes = strlen(question);

	if (request->fd < 0)
		return;
	if (!request->sent && (what & EPOLLOUT) && !(what & (EPOLLERR | EPOLLHUP))) {
		request->sent = true;
		if (send(request->fd, question, bytes, MSG_NOSIGNAL) != bytes) {
			end(index, errno, 0);
			return;
		}
	}
	if (what & (EPOLLIN | EPOLLERR | EPOLLHUP))
		receive(index);
}

static void give_up_late_ones(int64_t now)
{
	for (; oldest < begun; oldest++) {
		if (requests[oldest].fd < 0)
			continue;
		if (now - due_ns(oldest) < timeout_ns)
			break;
		end(oldest, ETIMEDOUT, 0);
	}
}

static void set_timer(int64_t at_ns)
{
	struct itimerspec at = {.it_value = {at_ns / NS_PER_S, at_ns % NS_PER_S}};

	if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL))
		die("timerfd");
}

static void on_timer(void)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC);
	uint64_t times;

	while (read(timer, &times, sizeof(times)) > 0)
		;
	while (begun < count && due_ns(begun) <= now)
		begin(begun++);
	give_up_late_ones(now);
	set_timer(begun < count ? due_ns(begun) : now + LATE_NS);
}

static void prepare(char **argv)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = NO_REQUEST};
	struct rlimit files = {1048576, 1048576};
	int rate = atoi(argv[3]);

	if (inet_pton(AF_INET, argv[1], &target.sin_addr) != 1 || rate < 1)
		exit(2);
	target.sin_port = htons(atoi(argv[2]));
	snprintf(question, sizeof(question), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", argv[1]);
	step_ns = NS_PER_S / rate;
	count = rate * atoi(argv[4]);
	timeout_ns = atoi(argv[5]) * NS_PER_S;
	setrlimit(RLIMIT_NOFILE, &files);
	requests = calloc(count, sizeof(*requests));
	poller = epoll_create1(EPOLL_CLOEXEC);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (!requests || poller < 0 || timer < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event))
		die("prepare");
	for (uint32_t i = 0; i < count; i++)
		requests[i].fd = -1;
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];

	if (argc != 6)
		return 2;
	prepare(argv);
	start_ns = clock_ns(CLOCK_MONOTONIC);
	unix_offset_ns = clock_ns(CLOCK_REALTIME) - start_ns;
	set_timer(start_ns);
	while (ended < count) {
		int got = epoll_wait(poller, events, EVENTS, -1);

		for (int i = 0; i < got; i++) {
			if (events[i].data.u32 == NO_REQUEST)
				on_timer();
			else
				go_on(events[i].data.u32, events[i].events);
		}
	}
	return 0;
}
