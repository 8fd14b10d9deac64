/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>

#include "pool.h"
#include "world.h"

static const char *protocol_of(const struct pool *pool)
{
	return pool->protocol == IPPROTO_TCP ? "tcp" : "udp";
}

static const char *network_of(const struct pool *pool)
{
	return strchr(pool->vip, ':') ? "fd00:0:0:1::" : "10.0.1.";
}

void pool_open(const struct pool *pool, const char *options)
{
	unsigned int i;

	sluice("service add %s --vip %s --port %u --proto %s %s", pool->service, pool->vip,
	       pool->port, protocol_of(pool), options);
	for (i = 1; i <= pool->backends; i++)
		sluice("backend add %s b%u --address %s%u", pool->service, i, network_of(pool),
		       i + 1);
}

void pool_load(const char *instance, const struct pool *pool, bool local_count)
{
	char config[2048];
	int length;
	unsigned int i;

	length = snprintf(config, sizeof(config),
			  "services:\n  - name: %s\n    vip: \"%s\"\n    port: %u\n    proto: %s\n"
			  "    local_count: %s\n    backends:\n",
			  pool->service, pool->vip, pool->port, protocol_of(pool),
			  local_count ? "true" : "false");
	for (i = 1; i <= pool->backends; i++)
		length += snprintf(config + length, sizeof(config) - length,
				   "      - name: b%u\n        address: \"%s%u\"\n", i,
				   network_of(pool), i + 1);
	world_load(instance, config);
}

/* Backend i is at host i + 1, the last byte of its MAC address. */
static unsigned int backend_of(const struct frame *frame)
{
	const struct path *near = is_ipv6(frame) ? &near_ipv6 : &near_ipv4;

	assert_memory_equal(frame->bytes, near->to.byte, 5);
	return frame->bytes[5] - 1;
}

unsigned int pool_deliver(const char *name, struct frame *frame)
{
	int verdict = world_send(frame);

	if (verdict == XDP_DROP)
		return 0;
	if (verdict != XDP_TX)
		fail_msg("%s: verdict %d", name, verdict);
	return backend_of(frame);
}

struct packet_fields pool_packet(const struct pool *pool, __u32 client, __u8 tcp_flags,
				 char source[INET6_ADDRSTRLEN])
{
	if (strchr(pool->vip, ':'))
		snprintf(source, INET6_ADDRSTRLEN, "2001:db8:c::%x:%x", client >> 16,
			 client & 0xffff);
	else
		snprintf(source, INET6_ADDRSTRLEN, "198.18.%u.%u", client >> 8 & 0xff,
			 client & 0xff);
	return (struct packet_fields){
		.source = source,
		.destination = pool->vip,
		.source_port = 1024 + client % 60000,
		.destination_port = pool->port,
		.protocol = pool->protocol,
		.tcp_flags = tcp_flags,
		.ttl = 64,
	};
}

unsigned int pool_send(const struct pool *pool, __u32 client, __u8 tcp_flags)
{
	char source[INET6_ADDRSTRLEN];
	const struct packet_fields fields = pool_packet(pool, client, tcp_flags, source);
	char name[64];
	struct frame frame;

	frame_build(&frame, &fields);
	snprintf(name, sizeof(name), "%s, client %u", pool->service, client);
	return pool_deliver(name, &frame);
}

unsigned int pool_establish(const struct pool *pool, __u32 client)
{
	unsigned int backend = pool_send(pool, client, TCP_SYN);

	assert_int_equal(pool_send(pool, client, TCP_ACK), backend);
	return backend;
}

static struct counts counts_of(const struct pool *pool, unsigned int backend)
{
	char name[16];

	snprintf(name, sizeof(name), "b%u", backend);
	return backend_counts(pool->service, name);
}

unsigned int pool_spread(const struct pool *pool, __u32 first, __u32 count,
			 unsigned int picks[POOL_BACKENDS_MAX + 1])
{
	unsigned int sum = 0;
	unsigned int i;

	memset(picks, 0, (POOL_BACKENDS_MAX + 1) * sizeof(*picks));
	for (i = 1; i <= pool->backends; i++)
		picks[i] = -counts_of(pool, i).new_flows;
	for (__u32 client = first; client < first + count; client++)
		picks[0] += pool_send(pool, client, TCP_SYN) == 0;
	for (i = 1; i <= pool->backends; i++)
		picks[i] += counts_of(pool, i).new_flows;
	for (i = 0; i <= pool->backends; i++)
		sum += picks[i];
	return sum;
}

long pool_open_flows(const struct pool *pool, unsigned int backend)
{
	if (!backend)
		return backend_counts(pool->service, NULL).open_flows;
	return counts_of(pool, backend).open_flows;
}

void pool_establish_all(const struct pool *pool, unsigned int went_to[POOL_CLIENTS])
{
	for (__u32 client = 0; client < POOL_CLIENTS; client++)
		went_to[client] = pool_establish(pool, client);
}

void pool_assert_went(const char *name, __u32 client, unsigned int got, unsigned int expected)
{
	if (got != expected)
		fail_msg("%s: client %u went to b%u, expected b%u", name, client, got, expected);
}

void pool_assert_stay(const char *name, const struct pool *pool,
		      const unsigned int went_to[POOL_CLIENTS])
{
	for (__u32 client = 0; client < POOL_CLIENTS; client++)
		pool_assert_went(name, client, pool_send(pool, client, TCP_ACK), went_to[client]);
}

void pool_assert_all_used(const unsigned int went_to[POOL_CLIENTS])
{
	unsigned int seen = 0;

	for (__u32 client = 0; client < POOL_CLIENTS; client++)
		seen |= 1 << went_to[client];
	assert_int_equal(seen, 1 << 1 | 1 << 2 | 1 << 3);
}
