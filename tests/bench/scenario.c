/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "maps/gue.h"
#include "scenario.h"

#define THOUSAND 1000ULL
#define MILLION  1000000ULL

const struct bench_service bench_services[BENCH_SERVICES] = {
	[WEB4_IPIP] = {"web4-ipip", "192.0.2.1", 80, IPPROTO_TCP, "ipip", false, 32, NULL},
	[WEB4_DSR] = {"web4-dsr", "192.0.2.2", 80, IPPROTO_TCP, "dsr", false, 32, NULL},
	[WEB4_IN_6] = {"web4-in-6", "192.0.2.3", 80, IPPROTO_TCP, "ipip", true, 32, NULL},
	[WEB6_IPIP] = {"web6-ipip", "2001:db8:1::1", 80, IPPROTO_TCP, "ipip", true, 32, NULL},
	[WEB6_DSR] = {"web6-dsr", "2001:db8:1::2", 80, IPPROTO_TCP, "dsr", true, 32, NULL},
	[DNS4_IPIP] = {"dns4-ipip", "192.0.2.4", 53, IPPROTO_UDP, "ipip", false, 32, NULL},
	[WEB4_GUE] = {"web4-gue", "192.0.2.5", 80, IPPROTO_TCP, "gue", false, 32, NULL},
	[WEB6_GUE] = {"web6-gue", "2001:db8:1::5", 80, IPPROTO_TCP, "gue", true, 32, NULL},
	[WEB4_MSS] = {"web4-mss", "192.0.2.6", 80, IPPROTO_TCP, "ipip", false, 32, "mss: 1400"},
	[QUIC4_IPIP] = {"quic4-ipip", "192.0.2.7", 443, IPPROTO_UDP, "ipip", false, 32,
			"quic_server_id_bytes: 4"},
};

static const struct bench_policy few_rules = {
	.rules = "    - {action: deny, source: 198.51.100.0/24}\n"
		 "    - {action: allow, source: 203.0.113.7, service: web4-ipip}\n"
		 "    - {action: deny, source: 203.0.113.0/24, port: 80, proto: tcp}\n",
};

/* So much that nothing is dropped: what it costs to count. */
static const struct bench_policy limit_of_service = {
	.rules = "    - {action: limit, service: web4-ipip, packets: 10000000, burst_ms: 60000}\n",
};

static const struct bench_policy limit_of_source = {
	.rules = "    - {action: limit, service: web4-ipip, source_packets: 10000000, "
		 "burst_ms: 60000}\n",
};

static const struct bench_policy others_denied = {.denied = DENY_OTHERS};
static const struct bench_policy clients_denied = {.denied = DENY_CLIENTS};

#define TCP4(flags) .ether_type = ETH_P_IP, .protocol = IPPROTO_TCP, .tcp_flags = (flags)
#define TCP6(flags) .ether_type = ETH_P_IPV6, .protocol = IPPROTO_TCP, .tcp_flags = (flags)
#define UDP4        .ether_type = ETH_P_IP, .protocol = IPPROTO_UDP

const struct scenario scenarios[] = {
	{"tcp4 ipip, 1 flow", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 1, .goal_ns = 30},
	{"tcp4 ipip, 10k flows", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 10 * THOUSAND,
	 .goal_ns = 36},
	{"tcp4 ipip, 100k flows", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 100 * THOUSAND,
	 .goal_ns = 90},
	{"tcp4 ipip, 1M flows", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = MILLION,
	 .goal_ns = 140},
	{"tcp4 ipip, repeated SYN", .service = WEB4_IPIP, TCP4(TH_SYN), .flows = 1, .goal_ns = 65},
	{"tcp4 ipip, every SYN a new flow", .service = WEB4_IPIP, TCP4(TH_SYN),
	 .flows = FLOWS_ENDLESS, .goal_ns = 65},
	{"tcp4 ipip, 1 flow, redirected", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 1,
	 .arrival = ARRIVE_ELSEWHERE},

	{"tcp4 dsr, 1 flow", .service = WEB4_DSR, TCP4(TH_ACK), .flows = 1, .goal_ns = 30},
	{"tcp4 dsr, 10k flows", .service = WEB4_DSR, TCP4(TH_ACK), .flows = 10 * THOUSAND,
	 .goal_ns = 36},
	{"tcp4 dsr, 100k flows", .service = WEB4_DSR, TCP4(TH_ACK), .flows = 100 * THOUSAND,
	 .goal_ns = 90},
	{"tcp4 dsr, 1M flows", .service = WEB4_DSR, TCP4(TH_ACK), .flows = MILLION, .goal_ns = 140},

	{"tcp4 in 6, 1 flow", .service = WEB4_IN_6, TCP4(TH_ACK), .flows = 1},
	{"tcp6 in 6, 1 flow", .service = WEB6_IPIP, TCP6(TH_ACK), .flows = 1, .goal_ns = 35},
	{"tcp6 in 6, 100k flows", .service = WEB6_IPIP, TCP6(TH_ACK), .flows = 100 * THOUSAND},
	{"tcp6 dsr, 1 flow", .service = WEB6_DSR, TCP6(TH_ACK), .flows = 1, .goal_ns = 35},
	{"tcp6 dsr, 100k flows", .service = WEB6_DSR, TCP6(TH_ACK), .flows = 100 * THOUSAND},

	{"udp4 ipip, 1 flow", .service = DNS4_IPIP, UDP4, .flows = 1, .goal_ns = 30},
	{"udp4 ipip, 100k flows", .service = DNS4_IPIP, UDP4, .flows = 100 * THOUSAND},
	{"udp4 ipip, QUIC that names nobody", .service = QUIC4_IPIP, UDP4, .flows = 1},

	{"tcp4 gue, 1 flow", .service = WEB4_GUE, TCP4(TH_ACK), .flows = 1, .goal_ns = 45},
	{"tcp4 gue, 100k flows", .service = WEB4_GUE, TCP4(TH_ACK), .flows = 100 * THOUSAND},
	{"tcp6 gue in 6, 1 flow", .service = WEB6_GUE, TCP6(TH_ACK), .flows = 1},
	{"tcp4 ipip, repeated SYN, mss", .service = WEB4_MSS, TCP4(TH_SYN), .flows = 1},

	{"tcp4 ipip, 802.1Q", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 1, .oddity = TAGGED},
	{"tcp4 ipip, QinQ", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 1, .oddity = TAGGED_TWICE},
	{"tcp4 ipip, IP options", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 1,
	 .oddity = WITH_OPTIONS},
	{"tcp6 in 6, extension header", .service = WEB6_IPIP, TCP6(TH_ACK), .flows = 1,
	 .oddity = WITH_OPTIONS},
	{"udp4 ipip, first fragment", .service = DNS4_IPIP, UDP4, .flows = 1,
	 .oddity = FIRST_FRAGMENT},
	{"udp4 ipip, later fragment", .service = DNS4_IPIP, UDP4, .flows = 1,
	 .oddity = LATER_FRAGMENT},
	{"icmp4 error, ipip", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 1,
	 .oddity = ERROR_ABOUT_IT, .goal_ns = 45},
	{"icmp6 error, in 6", .service = WEB6_IPIP, TCP6(TH_ACK), .flows = 1,
	 .oddity = ERROR_ABOUT_IT, .goal_ns = 45},
	{"icmp4 echo, answered", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 1,
	 .oddity = ECHO_REQUEST, .arrival = ARRIVE_FOR_AN_ANSWER},
	{"icmp6 echo, answered", .service = WEB6_IPIP, TCP6(TH_ACK), .flows = 1,
	 .oddity = ECHO_REQUEST, .arrival = ARRIVE_FOR_AN_ANSWER},
	{"tcp4 ipip, too big, answered", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 1,
	 .oddity = TOO_BIG, .arrival = ARRIVE_FOR_AN_ANSWER},

	{"not ours: tcp4, other address", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 1,
	 .destination = "198.51.100.1", .arrival = ARRIVE_FOR_THE_HOST, .goal_ns = 8},
	{"not ours: ARP", .ether_type = ETH_P_ARP, .flows = 1, .arrival = ARRIVE_FOR_THE_HOST,
	 .goal_ns = 8},

	{"a few rules, clean source", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 1,
	 .policy = &few_rules, .goal_ns = 35},
	{"1M prefixes, clean source", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 1,
	 .policy = &others_denied, .goal_ns = 35},
	{"1M prefixes, clean, 100k sources", .service = WEB4_IPIP, TCP4(TH_ACK),
	 .flows = 100 * THOUSAND, .policy = &others_denied},
	{"1M prefixes, IPv6, clean source", .service = WEB6_IPIP, TCP6(TH_ACK), .flows = 1,
	 .policy = &others_denied, .goal_ns = 40},
	{"1M prefixes, denied, 1 source", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 1,
	 .policy = &clients_denied, .arrival = ARRIVE_TO_BE_DENIED},
	{"1M prefixes, denied, 1M sources", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = MILLION,
	 .policy = &clients_denied, .arrival = ARRIVE_TO_BE_DENIED},
	{"limit of a service", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 1,
	 .policy = &limit_of_service},
	{"limit of each source, 1 source", .service = WEB4_IPIP, TCP4(TH_ACK), .flows = 1,
	 .policy = &limit_of_source},
	{"limit of each source, 100k sources", .service = WEB4_IPIP, TCP4(TH_ACK),
	 .flows = 100 * THOUSAND, .policy = &limit_of_source},

	{"array read", .floor = "array_read", TCP4(TH_ACK), .flows = 1},
	{"per-CPU counter", .floor = "percpu_counter", TCP4(TH_ACK), .flows = 1},
	{"hash lookup", .floor = "hash_lookup", TCP4(TH_ACK), .flows = 1},
	{"adjust_head", .floor = "adjust_head", TCP4(TH_ACK), .flows = 1},
	{"ktime", .floor = "ktime", TCP4(TH_ACK), .flows = 1},
	{"parse", .floor = "parse_only", TCP4(TH_ACK), .flows = 1},
	{"parse, hash, 1 line of 1", .floor = "parse_line", TCP4(TH_ACK), .flows = 1},
	{"parse, hash, 1 line of 100k flows", .floor = "parse_line", TCP4(TH_ACK),
	 .flows = 100 * THOUSAND},
	{"parse, hash, 1 line of 1M flows", .floor = "parse_line", TCP4(TH_ACK), .flows = MILLION},
	{"parse, LRU hit, 1 flow", .floor = "parse_lru", TCP4(TH_ACK), .flows = 1},
	{"parse, LRU hit, 1M flows", .floor = "parse_lru", TCP4(TH_ACK), .flows = MILLION},
};

const size_t scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);

bool scenario_is_established(const struct scenario *scenario)
{
	return !scenario->floor && scenario->arrival < ARRIVE_FOR_THE_HOST &&
	       !(scenario->tcp_flags & TH_SYN);
}

__u32 scenario_growth_bytes(const struct scenario *scenario)
{
	const struct bench_service *service = &bench_services[scenario->service];
	__u32 ip_bytes = service->ipv6_backends ? 40 : 20;
	__u32 address_bytes = service->ipv6_backends ? 16 : 4;

	if (scenario->floor || scenario->arrival >= ARRIVE_FOR_THE_HOST ||
	    !strcmp(service->forward, "dsr"))
		return 0;
	if (!strcmp(service->forward, "ipip"))
		return ip_bytes;
	return ip_bytes + sizeof(struct udphdr) + sizeof(struct gue_header) +
	       GUE_HOPS_MAX * address_bytes;
}
