/* SPDX-License-Identifier: GPL-2.0-only */
/* The load balancer's program and its state, laid out by hand as user/kernel/apply.c would. */
#include "bpf/lb.bpf.c"

#include "kernel.h"
#include "lb_policy.h"
#include "lb_world.h"

#define SLOTS_EACH    8
#define BACKENDS      64
#define NOT_REACHABLE (9 * BACKENDS_EACH + 3) /* by any neighbour */
#define MAIN_SETS     1                       /* that a few flows fill */
#define REGION_SETS   (MAIN_SETS + FLOW_PROBATION_SETS)

enum outer { OUTER_IPV4, OUTER_IPV6, OUTER_BOTH };

/* 192.0.2.x and 2001:db8::x */
struct description {
	bool ipv4;
	__u8 vip;
	__u16 port;
	__u8 protocol;
	enum forward_mode forward;
	enum outer outer;
	__u16 mtu_bytes;
	__u16 mss_bytes;
	__u8 server_id_bytes;
};

static const struct description world[] = {
	{true, 1, 80, IPPROTO_TCP, FORWARD_DSR, OUTER_IPV4, 1500, 1400, 0},
	{true, 1, 443, IPPROTO_TCP, FORWARD_IPIP, OUTER_IPV4, 1500, 1000, 0},
	{true, 1, 8080, IPPROTO_TCP, FORWARD_GUE, OUTER_IPV4, 1500, 0, 0},
	{true, 1, 443, IPPROTO_UDP, FORWARD_GUE, OUTER_BOTH, 1500, 0, 4},
	{false, 1, 80, IPPROTO_TCP, FORWARD_DSR, OUTER_IPV6, 1500, 1300, 0},
	{false, 1, 443, IPPROTO_TCP, FORWARD_IPIP, OUTER_IPV6, 1500, 0, 0},
	{false, 1, 8080, IPPROTO_TCP, FORWARD_GUE, OUTER_IPV6, 1500, 1200, 0},
	{false, 1, 443, IPPROTO_UDP, FORWARD_GUE, OUTER_BOTH, 1500, 0, 15},
	{true, 2, 0, IPPROTO_UDP, FORWARD_IPIP, OUTER_BOTH, 1500, 0, 0},
	{false, 2, 0, IPPROTO_TCP, FORWARD_IPIP, OUTER_BOTH, 1500, 536, 0},
	{true, 3, 53, IPPROTO_UDP, FORWARD_GUE, OUTER_IPV6, 180, 0, 0},
	{true, 3, 80, IPPROTO_TCP, FORWARD_IPIP, OUTER_IPV4, 100, 0, 0},
	{false, 3, 80, IPPROTO_TCP, FORWARD_DSR, OUTER_IPV6, 1280, 0, 0},
	{false, 3, 53, IPPROTO_UDP, FORWARD_GUE, OUTER_IPV6, 1400, 0, 0},
};
#define SERVICES (sizeof(world) / sizeof(world[0]))

static const struct hash_key layout_key = {
	{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0xd6e8feb86659fd93}};

static __u32 places[SERVICES + 1];

static void write_address(__be32 address[4], bool ipv4, __u8 network, __u8 host)
{
	__u8 *byte = (__u8 *)address;

	__builtin_memset(address, 0, 16);
	if (ipv4) {
		__builtin_memcpy(byte + 10, (__u8[]){0xff, 0xff, network ? 10 : 192, 0}, 4);
		byte[14] = network ? network : 2;
	} else {
		__builtin_memcpy(byte, (__u8[]){0x20, 0x01, 0x0d, 0xb8, network}, 5);
	}
	byte[15] = host;
}

static void add_maps(void)
{
	MAP_ADD(control, 1, false, MAP_MEMORY);
	MAP_ADD(services, SERVICE_TABLE_ENTRIES, false, MAP_STATE);
	MAP_ADD(slots, (SERVICES + 1) * SLOTS_EACH, false, MAP_STATE);
	MAP_ADD(weights, BACKENDS, false, MAP_STATE);
	MAP_ADD(backends, BACKENDS, false, MAP_STATE);
	MAP_ADD(vips, SERVICES_MAX, true, MAP_STATE);
	MAP_ADD(server_ids, BACKENDS, true, MAP_STATE);
	MAP_ADD(flows, CPUS * REGION_SETS, false, MAP_MEMORY);
	MAP_ADD(fragments, FRAGMENTS_MAX, false, MAP_MEMORY);
	MAP_ADD(open_flows, CPUS * BACKENDS, false, MAP_MEMORY);
	MAP_ADD(cpus, CPUS, false, MAP_MEMORY);
	MAP_ADD(scratch, 1, false, MAP_MEMORY);
	MAP_ADD(service_counters, SERVICES_MAX, false, MAP_MEMORY);
	MAP_ADD(backend_counters, BACKENDS, false, MAP_MEMORY);
	MAP_ADD(drop_counters, DROP_REASONS, false, MAP_MEMORY);
	lb_policy_add_maps();
}

static void set_u32(const volatile __u32 *constant, __u32 value)
{
	set_constant(constant, &value, sizeof(value));
}

static void set_constants(void)
{
	static const struct hash_key flow = {{0x1234567, 0x89abcdef0123, 0x55555, 0x77777}};
	static const struct hash_key slot = {{0xfedcba987, 0x65432100f, 0x33333, 0x11111}};
	static const __u64 sweep_rate = 1ULL << 30;
	static const __be16 port = bpf_htons(GUE_PORT_HERE);

	set_u32(&cpu_count, CPUS);
	set_u32(&backends_max, BACKENDS);
	set_u32(&flow_main_sets, MAIN_SETS);
	set_u32(&flow_region_sets, REGION_SETS);
	set_u32(&icmp_per_jiffy, 1);
	set_u32(&icmp_burst, 4);
	set_constant(&flow_sweep_rate, &sweep_rate, sizeof(sweep_rate));
	set_constant(&flow_key, &flow, sizeof(flow));
	set_constant(&slot_key, &slot, sizeof(slot));
	set_constant(&gue_port, &port, sizeof(port));
}

static void make_backend(const struct description *as, __u32 service, __u32 number)
{
	__u32 id = service * BACKENDS_EACH + number;
	struct backend_halves *backend = map_at(&backends, id);
	struct weight *weight = map_at(&weights, id);
	bool ipv4 = as->outer == OUTER_IPV4 || (as->outer == OUTER_BOTH && number % 2);

	for (int half = 0; half < 2; half++) {
		struct backend *to = &backend->half[half];
		__u16 bias = half ? (BACKENDS_EACH - 1 - number) * 20000 : 65535 - number * 1000;

		write_address(to->address, ipv4, 1, id);
		write_address(to->source, ipv4, 2, 0);
		to->source_vary = bpf_htonl(number ? 0xff : 0);
		to->egress_ifindex = number == 1 ? IFINDEX_FAR : IFINDEX_NEAR;
		__builtin_memcpy(to->next_hop_mac, (__u8[]){2, 0, 0, 1, 0, id}, 6);
		__builtin_memcpy(to->egress_mac, (__u8[]){2, 0, 0, 2, 0, id}, 6);
		to->service = service;
		to->mtu_bytes = as->mtu_bytes;
		to->state = half && number == BACKENDS_EACH - 1 ? BACKEND_DRAIN : BACKEND_UP;
		to->flags = (id == NOT_REACHABLE ? 0 : BACKEND_REACHABLE) |
			    (ipv4 ? BACKEND_OUTER_IPV4 : 0);
		to->port = bpf_htons(as->port);
		weight->half[half].bias = bias;
		weight->half[half].share = bias;
		weight->half[half].coin_reciprocal = bias ? 0xffffffff / bias : 0;
		weight->half[half].count_reciprocal = bias ? 0xffffffff / bias : 0;
	}
	weight->coin_multiplier = id * 0x9e3779b1 | 1;
}

static void make_slots(__u32 service)
{
	for (__u32 i = 0; i < SLOTS_EACH; i++) {
		struct slot *slot = map_at(&slots, service * SLOTS_EACH + i);

		for (__u32 candidate = 0; candidate < CANDIDATES; candidate++)
			slot->candidate[candidate] =
				service * BACKENDS_EACH + (i + candidate) % BACKENDS_EACH;
		if (i == SLOTS_EACH - 1)
			slot->candidate[CANDIDATES - 1] = CANDIDATE_NONE;
	}
}

/* The VIP stands for its service with the lowest port. */
static void make_vip(const struct service *service)
{
	struct vip *vip = map_insert(&vips, service->vip);
	bool tcp = service->protocol == IPPROTO_TCP;
	__be16 *port = tcp ? &vip->tcp_port : &vip->udp_port;
	__u8 bit = tcp ? VIP_TCP : VIP_UDP;

	if (!(vip->protocols & bit) || bpf_ntohs(service->port) < bpf_ntohs(*port))
		*port = service->port;
	vip->protocols |= bit;
}

static void make_server_ids(const struct description *as, __u32 service)
{
	for (__u32 number = 0; as->server_id_bytes && number < BACKENDS_EACH; number++) {
		struct server_id_key key = {.service = service};
		struct server_id *server_id;

		__builtin_memset(key.server_id, 0xb0 + number, as->server_id_bytes);
		server_id = map_insert(&server_ids, &key);
		server_id->backend = service * BACKENDS_EACH + number;
	}
}

static void make_service(const struct description *as, __u32 id)
{
	struct service service = {
		.port = bpf_htons(as->port),
		.protocol = as->protocol,
		.forward = as->forward,
		.id = id,
		.fallback = id * BACKENDS_EACH,
		.slot_base = id * SLOTS_EACH,
		.slot_mask = SLOTS_EACH - 1,
		.old_slot_base = id * SLOTS_EACH,
		.old_slot_mask = 0,
		.old_until_ns = id % 2 ? ~0ULL : 0,
		.slot_seed = id * 0x100000001b3ULL,
		.idle_rate = as->protocol == IPPROTO_UDP ? 0xffffffff / 1000 : 0,
		.mss_bytes = as->mss_bytes,
		.server_id_bytes = as->server_id_bytes,
		.flags = id % 3 ? SERVICE_LOCAL_COUNT : 0,
	};
	struct service_place *place;
	const __u64 *vip = (const __u64 *)service.vip;

	write_address(service.vip, as->ipv4, 0, as->vip);
	places[id] = hash_service(&layout_key, vip[0], vip[1], service.port, service.protocol) >>
		     (64 - SERVICE_TABLE_BITS);
	place = map_at(&services, places[id]);
	if (place->half[0].id) /* the key above must be changed */
		__builtin_trap();
	place->half[0] = service;
	place->half[1] = service;
	for (__u32 number = 0; number < BACKENDS_EACH; number++)
		make_backend(as, id, number);
	make_slots(id);
	make_vip(&service);
	make_server_ids(as, id);
}

void lb_world_make(void)
{
	add_maps();
	set_constants();
	for (__u32 i = 0; i < SERVICES; i++)
		make_service(&world[i], i + 1);
	lb_policy_make();
	maps_protect();
}

void lb_world_flip(__u32 half, bool policed)
{
	struct control *state = map_at(&control, 0);

	*state = (struct control){
		.generation = half,
		.policy = policed ? lb_policy_word(half) : 0,
		.layout = {{.key = layout_key, .any_port = 1}, {.key = layout_key, .any_port = 1}},
	};
}

const struct service *lb_world_service(__u32 id)
{
	struct service_place *place = id <= SERVICES ? map_at(&services, places[id]) : NULL;

	return place ? &place->half[0] : NULL;
}

const struct backend *lb_world_backend(__u32 id)
{
	struct backend_halves *halves = map_at(&backends, id);

	return halves && halves->half[0].state != BACKEND_FREE ? &halves->half[0] : NULL;
}

__u64 lb_world_drops(enum drop_reason reason)
{
	struct drop_counters *counters = map_at(&drop_counters, reason);

	return counters->packets;
}

__u64 lb_world_all_drops(void)
{
	__u64 sum = 0;

	for (int reason = 0; reason < DROP_REASONS; reason++)
		sum += lb_world_drops(reason);
	return sum;
}

__u64 lb_world_forwarded(void)
{
	__u64 sum = 0;

	for (__u32 id = 0; id <= SERVICES; id++)
		sum += ((struct service_counters *)map_at(&service_counters, id))->packets;
	return sum;
}

__u64 lb_world_echo_replies(void)
{
	__u64 sum = 0;

	for (int cpu = 0; cpu < CPUS; cpu++)
		sum += ((struct cpu_memory *)map_at(&cpus, cpu))->echo_replies;
	return sum;
}

__u64 lb_world_errors(void)
{
	__u64 sum = 0;

	for (int cpu = 0; cpu < CPUS; cpu++)
		sum += ((struct cpu_memory *)map_at(&cpus, cpu))->too_big_errors;
	return sum;
}

__u64 lb_world_drops_by_rules(void)
{
	__u64 sum = 0;

	for (__u32 id = 0; id < RULES_END; id++)
		sum += ((struct rule_counters *)map_at(&rule_counters, id))->dropped_packets;
	return sum;
}

__u64 lb_world_told(void)
{
	const struct drop_event *event;
	__u64 sum = 0;

	for (__u32 i = 0; (event = ring_record(i)); i++)
		sum += 1 + event->skipped;
	return sum + ((struct event_budget *)map_at(&event_budget, 0))->skipped;
}
