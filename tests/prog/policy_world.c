/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "maps/control.h"
#include "policy_world.h"

static const struct {
	const char *name, *vip, *backend, *protocol, *port;
} services[] = {
	{"web4", VIP_IPV4, "10.0.1.2", "tcp", "80"},
	{"dns4", VIP_IPV4, "10.0.1.3", "udp", "53"},
	{"web6", VIP_IPV6, "fd00:0:0:1::2", "tcp", "80"},
	{"dns6", VIP_IPV6, "fd00:0:0:1::3", "udp", "53"},
	{"all4", OTHER_IPV4, "10.0.1.4", "tcp", "any"},
	{"all6", OTHER_IPV6, "fd00:0:0:1::4", "tcp", "any"},
};

int policy_open(void **state)
{
	int err = world_open(state);

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]) && !err; i++) {
		sluice("service add %s --vip %s --port %s --proto %s", services[i].name,
		       services[i].vip, services[i].port, services[i].protocol);
		sluice("backend add %s b1 --address %s", services[i].name, services[i].backend);
	}
	return err;
}

void policy_set(const char *rules, bool all_traffic)
{
	char path[] = "/tmp/sluice-test-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");

	assert_non_null(file);
	fprintf(file, "policy:\n  all_traffic: %s\n  rules:%s\n%s", all_traffic ? "true" : "false",
		*rules ? "" : " []", rules);
	fclose(file);
	sluice("policy replace --force %s; rc=$?; rm %s; exit $rc", path, path);
}

int policy_none(void **state)
{
	(void)state;
	policy_set("", false);
	return 0;
}

/* By what is for people, in the half that is in use. */
__u16 policy_rule_id(const char *comment)
{
	struct policy_rule_info info;
	struct control control;
	__u32 zero = 0;

	assert_int_equal(bpf_map_lookup_elem(world_pinned("control"), &zero, &control), 0);
	for (__u32 id = 1; id < RULES_MAX; id++) {
		__u32 key = (control.policy >> POLICY_GENERATION_SHIFT & 1) * RULES_MAX + id;

		assert_int_equal(bpf_map_lookup_elem(world_pinned("policy_rule_info"), &key, &info),
				 0);
		if (info.action != RULE_NONE && !strcmp(info.comment, comment))
			return id;
	}
	fail_msg("no rule has the comment %s", comment);
	return 0;
}

struct rule_counters policy_rule_counts(const char *comment)
{
	int cpus = libbpf_num_possible_cpus();
	struct rule_counters *each = calloc(cpus, sizeof(*each));
	struct rule_counters sum = {};
	__u32 id = policy_rule_id(comment);

	assert_non_null(each);
	assert_int_equal(bpf_map_lookup_elem(world_pinned("rule_counters"), &id, each), 0);
	for (int cpu = 0; cpu < cpus; cpu++) {
		sum.packets += each[cpu].packets;
		sum.bytes += each[cpu].bytes;
		sum.dropped_packets += each[cpu].dropped_packets;
		sum.dropped_bytes += each[cpu].dropped_bytes;
	}
	free(each);
	return sum;
}

struct packet_fields policy_packet(const char *source, const char *destination, __u16 port)
{
	return (struct packet_fields){
		.source = source,
		.destination = destination,
		.source_port = 40001,
		.destination_port = port,
		.protocol = port == 53 ? IPPROTO_UDP : IPPROTO_TCP,
		.tcp_flags = TCP_SYN,
		.ttl = 64,
		.payload_bytes = 40,
	};
}

int policy_send(const char *source, const char *destination, __u16 port)
{
	const struct packet_fields fields = policy_packet(source, destination, port);
	struct frame frame;

	frame_build(&frame, &fields);
	return world_send(&frame);
}

static int take_event(void *to, void *event, size_t bytes)
{
	assert_int_equal(bytes, sizeof(struct drop_event));
	memcpy(to, event, bytes);
	return -EAGAIN; /* ends the round behind this one */
}

bool policy_event(struct drop_event *event)
{
	static struct ring_buffer *ring;
	static struct drop_event room;

	if (!ring)
		ring = ring_buffer__new(world_pinned("drop_events"), take_event, &room, NULL);
	assert_non_null(ring);
	if (ring_buffer__consume(ring) == 0)
		return false;
	*event = room;
	return true;
}

void policy_forget_events(void)
{
	struct drop_event event;

	while (policy_event(&event))
		;
}
