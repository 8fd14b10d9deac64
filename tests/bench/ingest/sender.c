/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sender ADDRESS:PORT KEY-FILE NODES REPORTS-PER-SECOND SECONDS PIN-DIR SERVICE DAEMON-PID
 *
 * Sends the reports of NODES nodes in turn, each in an envelope of its own, and watches what becomes of
 * them: after WARM_UP_NS, for SECONDS, the daemon's CPU time and memory, publications, and how long
 * the reports of nodes with a backend of SERVICE take until the weight that they make is in force.
 * Prints one object of JSON; "sent" is of the whole run, everything else of those seconds.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "flips.h"
#include "nodes.h"
#include "user/io/clock.h"
#include "user/io/endpoint.h"
#include "user/io/key_file.h"

#define ARGUMENTS  8
#define BATCH      64
#define NS_PER_S   1000000000LL
#define WARM_UP_NS (4 * NS_PER_S) /* two reports of each node */
#define STEP_NS    500000

struct request {
	struct sockaddr_storage to;
	socklen_t to_bytes;
	const char *key_file;
	size_t nodes;
	__u64 per_second;
	int64_t duration_ns;
	const char *pin_dir;
	const char *service;
	unsigned int daemon_pid;
};

struct sender {
	const struct request *request;
	int fd;
	struct envelope_key *key;
	struct nodes *nodes;
	struct flips *flips;
	__u64 sent;
	int64_t behind_ns; /* the longest that the schedule was missed by */
	struct mmsghdr messages[BATCH];
	struct iovec datagrams[BATCH];
};

/* What /proc says of the daemon. */
struct usage {
	__u64 cpu_ns;
	__u64 waited_ns; /* for a CPU that others had */
	unsigned long rss_kib;
	unsigned long anonymous_kib;
};

static int fail(const char *what)
{
	fprintf(stderr, "sender: %s\n", what);
	return 1;
}

static __u64 parse_number(const char *text, __u64 max)
{
	char *end;
	unsigned long long number = strtoull(text, &end, 10);

	return *end || number > max ? 0 : number;
}

static bool parse(char **argv, struct request *request)
{
	struct address address;
	__u16 port = 0;

	if (address_parse_port(argv[0], &address, &port) || !port)
		return false;
	*request = (struct request){
		.key_file = argv[1],
		.nodes = parse_number(argv[2], 1000000),
		.per_second = parse_number(argv[3], 10000000),
		.duration_ns = parse_number(argv[4], 3600) * NS_PER_S,
		.pin_dir = argv[5],
		.service = argv[6],
		.daemon_pid = parse_number(argv[7], INT32_MAX),
	};
	request->to_bytes = endpoint_to_socket(&address, port, &request->to);
	return request->nodes && request->per_second && request->duration_ns && request->daemon_pid;
}

static bool read_usage(unsigned int pid, struct usage *usage)
{
	char path[64], line[128];
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "/proc/%u/schedstat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	good = fscanf(file, "%llu %llu", &usage->cpu_ns, &usage->waited_ns) == 2;
	fclose(file);
	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "VmRSS: %lu", &usage->rss_kib);
		sscanf(line, "RssAnon: %lu", &usage->anonymous_kib);
	}
	fclose(file);
	return good;
}

static void close_sender(struct sender *sender)
{
	if (sender->fd >= 0)
		close(sender->fd);
	flips_close(sender->flips);
	nodes_free(sender->nodes);
	envelope_key_free(sender->key);
}

static int open_sender(struct sender *sender, struct text_error *error)
{
	const struct request *request = sender->request;

	sender->key = key_file_read(request->key_file, error);
	if (!sender->key)
		return -EINVAL;
	sender->flips = flips_open(request->pin_dir, request->service, request->nodes, error);
	if (!sender->flips)
		return -EINVAL;
	sender->nodes = nodes_new(request->nodes, sender->key);
	if (!sender->nodes)
		return text_refuse(error, -ENOMEM, NULL, "out of memory");
	sender->fd = socket(request->to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sender->fd < 0 ||
	    connect(sender->fd, (const struct sockaddr *)&request->to, request->to_bytes))
		return text_refuse(error, -errno, NULL, "no socket: %s", strerror(errno));
	for (int i = 0; i < BATCH; i++)
		sender->messages[i].msg_hdr =
			(struct msghdr){.msg_iov = &sender->datagrams[i], .msg_iovlen = 1};
	return 0;
}

static bool send_batch(struct sender *sender, int count, int64_t now_ns)
{
	int64_t unix_ms = clock_wall_ms();
	int done = 0, now;

	for (int i = 0; i < count; i++) {
		size_t index = (sender->sent + i) % sender->request->nodes;
		__u64 sequence = (sender->sent + i) / sender->request->nodes + 1;
		const void *datagram;
		int bytes = nodes_seal(sender->nodes, index, sequence, unix_ms, &datagram);

		if (bytes < 0)
			return false;
		sender->datagrams[i] = (struct iovec){(void *)datagram, bytes};
		flips_sent(sender->flips, index, sequence, now_ns);
	}
	for (; done < count; done += now) {
		now = sendmmsg(sender->fd, sender->messages + done, count - done, 0);
		if (now < 0)
			return false;
	}
	sender->sent += count;
	return true;
}

/* Everything that is due now, and no more: a sender that was held up catches up. */
static bool send_due(struct sender *sender, int64_t start_ns, int64_t now_ns)
{
	__u64 per_second = sender->request->per_second;
	__u64 due = (now_ns - start_ns) / 1e9 * per_second;
	int64_t behind_ns = due > sender->sent ? (due - sender->sent) * 1e9 / per_second : 0;

	if (behind_ns > sender->behind_ns)
		sender->behind_ns = behind_ns;
	while (sender->sent < due) {
		__u64 count = due - sender->sent < BATCH ? due - sender->sent : BATCH;

		if (!send_batch(sender, count, clock_steady_ns()))
			return false;
		flips_look(sender->flips, clock_steady_ns());
	}
	return true;
}

static bool run_until(struct sender *sender, int64_t start_ns, int64_t end_ns)
{
	const struct timespec step = {.tv_nsec = STEP_NS};
	int64_t now_ns;

	while ((now_ns = clock_steady_ns()) < end_ns) {
		if (!send_due(sender, start_ns, now_ns))
			return false;
		flips_look(sender->flips, clock_steady_ns());
		nanosleep(&step, NULL);
	}
	return true;
}

static void print(struct sender *sender, __u64 sent, double seconds, const struct usage *before,
		  const struct usage *after, double own_cpu_s)
{
	struct flips_result flips = flips_result(sender->flips);

	printf("{\"sent\": %llu, \"seconds\": %.3f, \"sent_per_s\": %.1f, \"cpu_percent\": %.2f, "
	       "\"waited_percent\": %.2f, \"rss_mib\": %.1f, \"anonymous_mib\": %.1f, ",
	       sender->sent, seconds, sent / seconds,
	       (after->cpu_ns - before->cpu_ns) / seconds / 1e7,
	       (after->waited_ns - before->waited_ns) / seconds / 1e7, after->rss_kib / 1024.0,
	       after->anonymous_kib / 1024.0);
	printf("\"publications_per_s\": %.3f, \"in_force\": %zu, \"in_force_p50_ms\": %.1f, "
	       "\"in_force_p99_ms\": %.1f, \"in_force_max_ms\": %.1f, "
	       "\"sender_cpu_percent\": %.2f, \"sender_behind_max_ms\": %.1f}\n",
	       flips.count / seconds, flips.reports, flips.p50_ms, flips.p99_ms, flips.max_ms,
	       100 * own_cpu_s / seconds, sender->behind_ns / 1e6);
}

static int measure(struct sender *sender)
{
	unsigned int pid = sender->request->daemon_pid;
	int64_t start_ns = clock_steady_ns(), begin_ns = start_ns + WARM_UP_NS, end_ns;
	struct usage before, after;
	double own_s;
	__u64 sent;

	if (!run_until(sender, start_ns, begin_ns))
		return fail("sending failed");
	begin_ns = clock_steady_ns();
	sent = sender->sent;
	sender->behind_ns = 0;
	own_s = clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9;
	if (!read_usage(pid, &before))
		return fail("the daemon is not there");
	if (flips_begin(sender->flips, begin_ns))
		return fail("out of memory");
	if (!run_until(sender, start_ns, begin_ns + sender->request->duration_ns))
		return fail("sending failed");
	end_ns = clock_steady_ns();
	if (!read_usage(pid, &after))
		return fail("the daemon has stopped");
	print(sender, sender->sent - sent, (end_ns - begin_ns) / 1e9, &before, &after,
	      clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9 - own_s);
	return 0;
}

int main(int argc, char **argv)
{
	struct request request;
	struct sender sender = {.request = &request, .fd = -1};
	struct text_error error = {};
	int status;

	if (argc != 1 + ARGUMENTS || !parse(argv + 1, &request)) {
		fprintf(stderr, "usage: sender ADDRESS:PORT KEY-FILE NODES REPORTS-PER-SECOND "
				"SECONDS PIN-DIR SERVICE DAEMON-PID\n");
		return 2;
	}
	status = open_sender(&sender, &error) ? fail(error.what) : measure(&sender);
	close_sender(&sender);
	return status;
}
