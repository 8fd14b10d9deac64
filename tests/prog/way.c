/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>

#include "icmp.h"
#include "way.h"

#define CLIENT_IPV4 "198.51.100.7"
#define CLIENT_IPV6 "2001:db8:c::7"
#define GUE_PORT    19523

const struct way ways[WAYS] = {
	{"dsr-ipv4-near", "dsr", "192.0.2.1", CLIENT_IPV4, &near_ipv4},
	{"dsr-ipv4-far", "dsr", "192.0.2.2", CLIENT_IPV4, &far_ipv4},
	{"dsr-ipv4-routed", "dsr", "192.0.2.3", CLIENT_IPV4, &routed_ipv4},
	{"dsr-ipv6-near", "dsr", "2001:db8::1", CLIENT_IPV6, &near_ipv6},
	{"dsr-ipv6-far", "dsr", "2001:db8::2", CLIENT_IPV6, &far_ipv6},
	{"dsr-ipv4-by-ipv6-address", "dsr", "192.0.2.4", CLIENT_IPV4, &near_ipv6},
	{"ipip-4in4-near", "ipip", "192.0.2.5", CLIENT_IPV4, &near_ipv4},
	{"ipip-4in4-far", "ipip", "192.0.2.6", CLIENT_IPV4, &far_ipv4},
	{"ipip-4in4-routed", "ipip", "192.0.2.7", CLIENT_IPV4, &routed_ipv4},
	{"ipip-6in6-near", "ipip", "2001:db8::3", CLIENT_IPV6, &near_ipv6},
	{"ipip-6in6-far", "ipip", "2001:db8::4", CLIENT_IPV6, &far_ipv6},
	{"ipip-4in6-near", "ipip", "192.0.2.8", CLIENT_IPV4, &near_ipv6},
	{"ipip-4in6-far", "ipip", "192.0.2.9", CLIENT_IPV4, &far_ipv6},
	{"ipip-6in4-near", "ipip", "2001:db8::5", CLIENT_IPV6, &near_ipv4},
	{"ipip-6in4-far", "ipip", "2001:db8::6", CLIENT_IPV6, &far_ipv4},
	{"gue-4in4-near", "gue", "192.0.2.10", CLIENT_IPV4, &near_ipv4},
	{"gue-4in4-routed", "gue", "192.0.2.11", CLIENT_IPV4, &routed_ipv4},
	{"gue-6in6-near", "gue", "2001:db8::7", CLIENT_IPV6, &near_ipv6},
	{"gue-6in6-far", "gue", "2001:db8::8", CLIENT_IPV6, &far_ipv6},
	{"gue-4in6-near", "gue", "192.0.2.12", CLIENT_IPV4, &near_ipv6},
	{"gue-4in6-far", "gue", "192.0.2.13", CLIENT_IPV4, &far_ipv6},
	{"gue-6in4-near", "gue", "2001:db8::9", CLIENT_IPV6, &near_ipv4},
	{"gue-6in4-far", "gue", "2001:db8::a", CLIENT_IPV6, &far_ipv4},
};

const struct way *way_named(const char *name)
{
	for (size_t i = 0; i < WAYS; i++)
		if (!strcmp(ways[i].name, name))
			return &ways[i];
	fail_msg("there is no way '%s'", name);
	return NULL;
}

bool way_is_ipv6(const struct way *way)
{
	return strchr(way->vip, ':');
}

bool way_is_gue(const struct way *way)
{
	return !strcmp(way->mode, "gue");
}

static bool is_dsr(const struct way *way)
{
	return !strcmp(way->mode, "dsr");
}

void way_serve(const struct way *way, const char *service, unsigned int port, const char *protocol)
{
	sluice("service add %s --vip %s --port %u --proto %s --forward %s", service, way->vip, port,
	       protocol, way->mode);
	sluice("backend add %s b1 --address %s", service, way->path->backend);
}

int ways_load(void)
{
	char config[WAYS * 512];
	int length = snprintf(config, sizeof(config), "services:\n");

	for (size_t i = 0; i < 2 * WAYS; i++) {
		const struct way *way = &ways[i / 2];

		length += snprintf(config + length, sizeof(config) - length,
				   "  - name: %s-%s\n    vip: \"%s\"\n    port: %u\n"
				   "    proto: %s\n    forward: %s\n    backends:\n"
				   "      - name: b1\n        address: \"%s\"\n",
				   way->name, i % 2 ? "udp" : "tcp", way->vip, i % 2 ? 53 : 80,
				   i % 2 ? "udp" : "tcp", way->mode, way->path->backend);
	}
	world_load("ways", config);
	return 0;
}

int ways_open(void **state)
{
	(void)state;
	return world_make() ? -1 : ways_load();
}

__u16 way_port(__u8 protocol)
{
	return protocol == IPPROTO_TCP ? 80 : 53;
}

struct packet_fields way_packet(const struct way *way, __u8 protocol, __u16 port)
{
	return (struct packet_fields){
		.source = way->client,
		.destination = way->vip,
		.source_port = 40001,
		.destination_port = port,
		.protocol = protocol,
		.tcp_flags = TCP_SYN,
		.ttl = 61,
		.id = 0x1234,
		.payload_bytes = 100,
	};
}

static struct tunnel tunnel_of(const struct way *way)
{
	return (struct tunnel){
		.outer = {.source = way->path->source, .destination = way->path->backend},
		.gue = {.destination_port = way_is_gue(way) ? GUE_PORT : 0, .hops_given = true},
	};
}

__u32 way_outer_bytes(const struct way *way)
{
	const struct tunnel tunnel = tunnel_of(way);

	return is_dsr(way) ? 0 : tunnel_outer_bytes(&tunnel);
}

static __u8 traffic_class_of(const struct frame *frame)
{
	const __u8 *ip = frame->bytes + AT_IP;

	return is_ipv6(frame) ? ip[0] << 4 | ip[1] >> 4 : ip[1];
}

/* Which label and port a flow gets is the load balancer's secret; what they do has tests. */
static void take_flow_fields(struct tunnel *tunnel, const struct frame *got, __u32 tag_bytes)
{
	bool ipv6 = strchr(tunnel->outer.destination, ':');
	__u32 ip_at = AT_IP + tag_bytes;

	if (ipv6)
		tunnel->outer.flow_label =
			(got->bytes[ip_at + 1] & 0x0f) << 16 | read16(got, ip_at + 2);
	if (!tunnel->gue.destination_port)
		return;
	tunnel->gue.source_port = read16(got, ip_at + (ipv6 ? 40 : 20));
	assert_in_range(tunnel->gue.source_port, 49152, 65535);
}

void assert_sent(const char *name, const struct frame *in, const struct path *path,
		 const struct tunnel *around, const struct manner *manner)
{
	struct frame expected = *in;
	struct frame got = *in;
	struct tunnel tunnel;
	int verdict;

	frame_insert(&got, AT_ETHERTYPE, (const __u8 *)manner->tags, manner->tag_bytes);
	verdict = world_send(&got);
	if (verdict != path->verdict)
		fail_msg("%s: verdict %d, expected %d", name, verdict, path->verdict);
	frame_hop(&expected);
	if (around) {
		tunnel = *around;
		tunnel.outer.traffic_class = traffic_class_of(in);
		tunnel.gue.checksum = strchr(path->backend, ':') && !manner->unchecked;
		take_flow_fields(&tunnel, &got, manner->tag_bytes);
		frame_tunnel(&expected, &tunnel);
	}
	frame_address(&expected, &path->to, &path->from);
	frame_insert(&expected, AT_ETHERTYPE, (const __u8 *)manner->tags, manner->tag_bytes);
	assert_frame(name, &got, &expected);
}

void assert_forwarded_in(const char *name, const struct way *way, const struct frame *in,
			 const struct manner *manner)
{
	const struct tunnel tunnel = tunnel_of(way);
	char full[128];

	snprintf(full, sizeof(full), "%s, %s", way->name, name);
	assert_sent(full, in, way->path, is_dsr(way) ? NULL : &tunnel, manner);
}

void assert_forwarded(const char *name, const struct way *way, const struct frame *in)
{
	static const struct manner plain = {.tags = ""};

	assert_forwarded_in(name, way, in, &plain);
}

void assert_truncated_is_left(const char *name, const struct frame *whole)
{
	struct frame frame = *whole;
	char cut[96];

	for (__u32 length = AT_IP; length < whole->length_bytes; length++) {
		frame.length_bytes = length;
		snprintf(cut, sizeof(cut), "%s, cut to %u bytes", name, length);
		assert_left_to_stack(cut, &frame);
	}
}
