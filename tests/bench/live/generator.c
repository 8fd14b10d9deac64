/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * generator DEVICE MAC ADDRESS PORT FLOWS MILLISECONDS KSOFTIRQD SINK-NAMESPACE SINK-DEVICE
 *           [RELAY-NAMESPACE RELAY-FROM RELAY-TO]
 *
 * Sends TCP frames of FLOWS flows to ADDRESS:PORT as fast as the CPU that it runs on can, from DEVICE
 * to its neighbour MAC, and counts and drops what arrives at SINK-DEVICE of another network
 * namespace. With a relay, frames go on by a program that does nothing else, from one device to
 * another of its namespace. KSOFTIRQD is the process id of that kernel thread of the same CPU: frames
 * that it handles are paid for as well. Prints {"sent", "arrived", "arrived_bytes", "cpu_ns"}.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "generator.h"
#include "tests/bench/live/generator.skel.h"

/* Sent by one call, which waits for a grace period of RCU at its end. */
#define CALL_FRAMES (1u << 20)

#define ARGUMENTS            9
#define ARGUMENTS_WITH_RELAY 12

struct request {
	const char *device;
	struct ether_addr mac;
	struct in_addr address;
	__u16 port;
	__u32 flows;
	__u32 duration_ms;
	__u32 ksoftirqd;
	const char *sink_namespace;
	const char *sink_device;
	const char *relay_namespace; /* NULL: none */
	const char *relay_from;
	const char *relay_to;
};

static __u32 parse_number(const char *text, __u32 max)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	return *end || number > max ? 0 : number;
}

static int parse(int argc, char **argv, struct request *request)
{
	if (argc - 1 != ARGUMENTS && argc - 1 != ARGUMENTS_WITH_RELAY)
		return -EINVAL;
	*request = (struct request){
		.device = argv[1],
		.port = parse_number(argv[4], 65535),
		.flows = parse_number(argv[5], GENERATOR_FLOWS_MAX),
		.duration_ms = parse_number(argv[6], 60000),
		.ksoftirqd = parse_number(argv[7], INT_MAX),
		.sink_namespace = argv[8],
		.sink_device = argv[9],
	};
	if (argc - 1 == ARGUMENTS_WITH_RELAY) {
		request->relay_namespace = argv[10];
		request->relay_from = argv[11];
		request->relay_to = argv[12];
	}
	if (!ether_aton_r(argv[2], &request->mac) || !inet_aton(argv[3], &request->address) ||
	    !request->port || !request->flows || !request->duration_ms || !request->ksoftirqd)
		return -EINVAL;
	return 0;
}

static __u32 checksum_sum(const void *bytes, size_t count)
{
	const __u8 *byte = bytes;
	__u32 sum = 0;

	for (size_t i = 0; i < count; i += 2)
		sum += byte[i] << 8 | byte[i + 1];
	return sum;
}

/* An ACK with a few bytes of payload, so that a balancer takes its flow for an established one. */
static void build_frame(const struct request *request, struct generator_config *config)
{
	struct ether_header *eth = (void *)config->frame;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp = (void *)(ip + 1);
	__u32 tcp_bytes = GENERATOR_FRAME_BYTES - sizeof(*eth) - sizeof(*ip);

	memcpy(eth->ether_dhost, &request->mac, ETH_ALEN);
	eth->ether_shost[0] = 0x02;
	eth->ether_type = htons(ETHERTYPE_IP);

	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = htons(GENERATOR_FRAME_BYTES - sizeof(*eth));
	ip->frag_off = htons(IP_DF);
	ip->ttl = 64;
	ip->protocol = IPPROTO_TCP;
	ip->daddr = request->address.s_addr;
	config->ip_sum = checksum_sum(ip, sizeof(*ip));

	tcp->th_dport = htons(request->port);
	tcp->th_off = sizeof(*tcp) / 4;
	tcp->th_flags = TH_ACK;
	tcp->th_win = htons(65535);
	config->tcp_sum = checksum_sum(tcp, tcp_bytes) +
			  checksum_sum(&ip->daddr, sizeof(ip->daddr)) + IPPROTO_TCP + tcp_bytes;
}

static int enter_namespace(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (setns(fd, CLONE_NEWNET))
		err = -errno;
	close(fd);
	return err;
}

/* The program goes when this process does. */
static int attach(const struct bpf_program *program, const char *device)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_DRV_MODE);
	int ifindex = if_nametoindex(device);
	int link;

	if (!ifindex)
		return -errno;
	link = bpf_link_create(bpf_program__fd(program), ifindex, BPF_XDP, &options);
	return link < 0 ? link : 0;
}

static int attach_sink(const struct request *request, const struct generator_bpf *skeleton)
{
	return enter_namespace(request->sink_namespace)
		       ?: attach(skeleton->progs.sink, request->sink_device);
}

static int attach_relay(const struct request *request, struct generator_bpf *skeleton)
{
	int err;

	if (!request->relay_namespace)
		return 0;
	err = enter_namespace(request->relay_namespace);
	if (err)
		return err;
	skeleton->bss->relay_ifindex = if_nametoindex(request->relay_to);
	if (!skeleton->bss->relay_ifindex)
		return -errno;
	return attach(skeleton->progs.relay, request->relay_from);
}

static int send_frames(const struct generator_bpf *skeleton, __u32 frames)
{
	__u8 frame[GENERATOR_FRAME_BYTES] = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = frames, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	return bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.send), &options);
}

static int count_arrived(const struct generator_bpf *skeleton, struct generator_count *sum)
{
	int cpus = libbpf_num_possible_cpus();
	struct generator_count *counts;
	__u32 zero = 0;
	int err;

	memset(sum, 0, sizeof(*sum));
	if (cpus < 0)
		return cpus;
	counts = calloc(cpus, sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	err = bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.arrived), &zero, counts);
	for (int cpu = 0; cpu < cpus && !err; cpu++) {
		sum->frames += counts[cpu].frames;
		sum->bytes += counts[cpu].bytes;
	}
	free(counts);
	return err;
}

/* What /proc says first is the time that it ran. */
static __u64 ksoftirqd_ns(const struct request *request)
{
	unsigned long long ns = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/schedstat", request->ksoftirqd);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%llu", &ns) != 1)
		ns = 0;
	fclose(file);
	return ns;
}

/* Of the CPU that the frames take; what others take of it does not count. */
static __u64 cpu_ns(const struct request *request)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec + ksoftirqd_ns(request);
}

static int measure(const struct request *request, const struct generator_bpf *skeleton)
{
	struct generator_count before, after;
	__u64 started_ns, took_ns, sent = 0;
	int err;

	/* Every flow is known before anything counts. */
	err = send_frames(skeleton, CALL_FRAMES);
	if (!err)
		err = count_arrived(skeleton, &before);
	started_ns = cpu_ns(request);
	do {
		if (!err)
			err = send_frames(skeleton, CALL_FRAMES);
		sent += CALL_FRAMES;
		took_ns = cpu_ns(request) - started_ns;
	} while (!err && took_ns < request->duration_ms * 1000000ull);
	if (!err)
		err = count_arrived(skeleton, &after);
	if (err)
		return err;
	printf("{\"sent\": %llu, \"arrived\": %llu, \"arrived_bytes\": %llu, \"cpu_ns\": %llu}\n",
	       sent, after.frames - before.frames, after.bytes - before.bytes, took_ns);
	return 0;
}

static int generate(const struct request *request)
{
	struct generator_config config = {
		.flows = request->flows,
		.ifindex = if_nametoindex(request->device),
	};
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct generator_bpf *skeleton = NULL;
	int err = -ENODEV;

	if (home < 0)
		return -errno;
	if (!config.ifindex)
		goto out;
	build_frame(request, &config);
	skeleton = generator_bpf__open();
	if (!skeleton) {
		err = -errno;
		goto out;
	}
	memcpy((void *)&skeleton->rodata->config, &config, sizeof(config));
	err = generator_bpf__load(skeleton) ?:
		      attach_sink(request, skeleton) ?:
		      attach_relay(request, skeleton);
	if (!err && setns(home, CLONE_NEWNET))
		err = -errno;
	if (!err)
		err = measure(request, skeleton);
out:
	generator_bpf__destroy(skeleton);
	close(home);
	return err;
}

int main(int argc, char **argv)
{
	struct request request;
	int err;

	if (parse(argc, argv, &request)) {
		fputs("usage: generator DEVICE MAC ADDRESS PORT FLOWS MILLISECONDS KSOFTIRQD "
		      "SINK-NAMESPACE SINK-DEVICE [RELAY-NAMESPACE RELAY-FROM RELAY-TO]\n",
		      stderr);
		return 2;
	}
	err = generate(&request);
	if (err)
		fprintf(stderr, "generator: from %s to %s in %s: %s\n", request.device,
			request.sink_device, request.sink_namespace, strerror(-err));
	return err ? 1 : 0;
}
