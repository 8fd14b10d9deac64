/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <string.h>
#include <netinet/in.h>
#include <bpf/bpf.h>

#include "icmp.h"
#include "world.h"

const struct family families[2] = {
	{"echo-ipv4", "198.51.100.7", "192.0.2.1", false},
	{"echo-ipv6", "2001:db8:c::7", "2001:db8::1", true},
};

__u32 icmp_at(const struct family *family)
{
	return family->ipv6 ? AT_IPV6_L4 : AT_IPV4_L4;
}

/* An echo message begins with 8 bytes, as UDP does, so the rest of a frame is built alike. */
void echo_build(struct frame *frame, const struct family *family, const struct ping *ping,
		bool reply)
{
	struct packet_fields fields = {
		.source = reply ? family->vip : family->client,
		.destination = reply ? family->client : family->vip,
		.protocol = IPPROTO_UDP,
		.ttl = reply ? 64 : 57,
		.traffic_class = 0x28,
		.id = 0x1234,
		.payload_bytes = ping->payload_bytes,
	};
	__u32 at = icmp_at(family);

	frame_build(frame, &fields);
	if (family->ipv6) {
		frame->bytes[AT_IP + 6] = IPPROTO_ICMPV6;
		frame->bytes[at] = reply ? 129 : 128;
	} else {
		frame->bytes[AT_IP + 9] = IPPROTO_ICMP;
		frame->bytes[at] = reply ? 0 : 8;
		frame_seal(frame);
	}
	frame->bytes[at + 1] = 0;
	write16(frame, at + 4, ping->id);
	write16(frame, at + 6, ping->number);
	frame_seal_icmp(frame, AT_IP);
	if (reply)
		frame_address(frame, &client_mac, &balancer_mac);
}

void assert_answer(const char *name, const struct frame *in, const struct frame *expected)
{
	struct frame got = *in;
	int verdict = world_send(&got);

	if (verdict != XDP_TX)
		fail_msg("%s: verdict %d, expected XDP_TX", name, verdict);
	assert_frame(name, &got, expected);
}

void assert_answered(const char *name, const struct family *family, const struct ping *ping)
{
	struct frame in, expected;

	echo_build(&in, family, ping, false);
	echo_build(&expected, family, ping, true);
	assert_answer(name, &in, &expected);
}

void assert_left_to_stack(const char *name, const struct frame *in)
{
	struct frame got = *in;
	int verdict = world_send(&got);

	if (verdict != XDP_PASS)
		fail_msg("%s: verdict %d, expected XDP_PASS", name, verdict);
	assert_frame(name, &got, in);
}

struct cpu_memory memory_read(void)
{
	struct cpu_memory memory;
	__u32 cpu = sched_getcpu();

	assert_int_equal(bpf_map_lookup_elem(world_pinned("cpus"), &cpu, &memory), 0);
	return memory;
}

void budget_set(__u64 jiffies, __u32 answers)
{
	struct cpu_memory memory = memory_read();
	__u32 cpu = sched_getcpu();

	memory.answers_jiffies = jiffies;
	memory.echoes_left = answers;
	memory.errors_left = answers;
	assert_int_equal(bpf_map_update_elem(world_pinned("cpus"), &cpu, &memory, 0), 0);
}

int budget_fill(void **state)
{
	(void)state;
	budget_set(BUDGET_NEVER, 1000000);
	return 0;
}

/* RFC 1191, 4 and RFC 1812, 4.3.2: at most 576 bytes in all. */
static void build_too_big_ipv4(struct frame *error, const struct frame *in, __u16 told_bytes)
{
	__u32 quote_bytes = in->length_bytes - AT_IP;
	__u8 *ip = error->bytes + AT_IP;

	if (quote_bytes > 548)
		quote_bytes = 548;
	memset(ip, 0, 28);
	ip[0] = 0x45;
	ip[1] = 0xc0;
	write16(error, AT_IP + 2, 28 + quote_bytes);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = IPPROTO_ICMP;
	memcpy(ip + 12, in->bytes + AT_IP + 16, 4);
	memcpy(ip + 16, in->bytes + AT_IP + 12, 4);
	ip[20] = 3;
	ip[21] = 4;
	write16(error, AT_IP + 26, told_bytes);
	memcpy(ip + 28, in->bytes + AT_IP, quote_bytes);
	error->length_bytes = AT_IP + 28 + quote_bytes;
	frame_seal(error);
}

/* RFC 4443, 3.2: at most 1280 bytes in all. */
static void build_too_big_ipv6(struct frame *error, const struct frame *in, __u16 told_bytes)
{
	__u32 quote_bytes = in->length_bytes - AT_IP;
	__u8 *ip = error->bytes + AT_IP;

	if (quote_bytes > 1232)
		quote_bytes = 1232;
	memset(ip, 0, 48);
	ip[0] = 0x60;
	write16(error, AT_IP + 4, 8 + quote_bytes);
	ip[6] = IPPROTO_ICMPV6;
	ip[7] = 64;
	memcpy(ip + 8, in->bytes + AT_IP + 24, 16);
	memcpy(ip + 24, in->bytes + AT_IP + 8, 16);
	ip[40] = 2;
	write16(error, AT_IP + 46, told_bytes);
	memcpy(ip + 48, in->bytes + AT_IP, quote_bytes);
	error->length_bytes = AT_IP + 48 + quote_bytes;
}

void too_big_build(struct frame *error, const struct frame *in, __u16 told_bytes)
{
	memcpy(error->bytes, in->bytes, AT_IP);
	frame_address(error, &client_mac, &balancer_mac);
	if (is_ipv6(in))
		build_too_big_ipv6(error, in, told_bytes);
	else
		build_too_big_ipv4(error, in, told_bytes);
	frame_seal_icmp(error, AT_IP);
}

int echo_open(void **state)
{
	if (world_open(state))
		return -1;
	for (size_t i = 0; i < 2; i++) {
		sluice("service add %s --vip %s --port 80 --proto tcp", families[i].name,
		       families[i].vip);
		sluice("backend add %s b1 --address %s", families[i].name,
		       families[i].ipv6 ? near_ipv6.backend : near_ipv4.backend);
	}
	return 0;
}
