/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>

#include "plan_world.h"

#define NOW_NS (1000 * SECOND_NS)

/*
 * Service 1 "web" 192.0.2.1:80/tcp with backends 1 "a" 10.0.0.1:8080, 2 "b" 10.0.0.2 and
 * 3 "c" 2001:db8::3; service 2 "any" 2001:db8::1/udp, ipip, with none.
 */
static void world_of_two(struct world *world)
{
	struct service_request any = service_request("any", "2001:db8::1", 0);
	struct backend_request a = backend_request("a", "10.0.0.1");
	struct text_error error;

	world_open(world, 1 << 16);
	add_service(&world->model, "web", "192.0.2.1", 80);
	any.protocol = IPPROTO_UDP;
	any.forward = FORWARD_IPIP;
	any.local_count = true;
	assert_int_equal(model_service_add(&world->model, &any, &error), 0);
	a.port = 8080;
	a.node = "node-1";
	a.region = "north";
	assert_int_equal(model_backend_add(&world->model, "web", &a, &error), 0);
	add_backend(&world->model, "web", "b", "10.0.0.2");
	add_backend(&world->model, "web", "c", "2001:db8::3");
	for (size_t i = 0; i < 3; i++)
		resolve(&world->model.backends[i]);
}

static void test_services(void **state)
{
	const struct plan_service *any, *web;
	struct world world;

	(void)state;
	world_of_two(&world);
	world_plan(&world, NOW_NS);
	any = &world.plan.services[0];
	web = &world.plan.services[1];

	assert_memory_equal(&web->entry,
			    (&(struct service){
				    .vip = {0, 0, htonl(0xffff), htonl(0xc0000201)},
				    .port = htons(80),
				    .protocol = 6,
				    .forward = FORWARD_DSR,
				    .id = 1,
				    .fallback = 1,
				    .slot_base = 4096,
				    .slot_mask = 4095,
				    .slot_seed = 0xe6bcfae5efa47f8d,
			    }),
			    sizeof(web->entry));
	assert_int_equal(any->entry.id, 2);
	assert_int_equal(any->entry.vip[0], htonl(0x20010db8));
	assert_int_equal(any->entry.port, 0);
	assert_int_equal(any->entry.protocol, 17);
	assert_int_equal(any->entry.forward, FORWARD_IPIP);
	assert_int_equal(any->entry.flags, SERVICE_LOCAL_COUNT);
	assert_int_equal(any->entry.fallback, BACKEND_NONE);
	assert_int_equal(any->entry.slot_base, 0);
	assert_int_equal(world.plan.layout.any_port, 1);

	assert_string_equal(web->info.name, "web");
	assert_memory_equal(web->info.vip, web->entry.vip, 16);
	assert_int_equal(web->info.port, htons(80));
	assert_int_equal(web->info.slot_base, 4096);
	assert_int_equal(web->info.slot_mask, 4095);
	assert_int_equal(web->info.slot_count, 0);
	assert_int_equal(any->info.flags, SERVICE_LOCAL_COUNT);
	assert_true(web->info.place < SERVICE_TABLE_ENTRIES);
	assert_int_not_equal(web->info.place, any->info.place);
	world_close(&world);
}

static void test_backends(void **state)
{
	const struct plan_backend *a;
	struct world world;

	(void)state;
	world_of_two(&world);
	world.model.backends[0].next_hop.source = address("10.0.0.254");
	world_plan(&world, NOW_NS);
	a = &world.plan.backends[0];
	assert_memory_equal(&a->entry,
			    (&(struct backend){
				    .address = {0, 0, htonl(0xffff), htonl(0x0a000001)},
				    .source = {0, 0, htonl(0xffff), htonl(0x0a0000fe)},
				    .egress_ifindex = 3,
				    .next_hop_mac = {2, 0, 0, 0, 0, 1},
				    .egress_mac = {2, 0, 0, 0, 1, 1},
				    .service = 1,
				    .mtu_bytes = 1500,
				    .state = BACKEND_UP,
				    .flags = BACKEND_REACHABLE | BACKEND_OUTER_IPV4,
				    .port = htons(8080),
			    }),
			    sizeof(a->entry));
	assert_int_equal(world.plan.backends[2].entry.flags, BACKEND_REACHABLE);
	assert_int_equal(world.plan.backends[2].entry.address[3], htonl(3));

	assert_string_equal(a->info.name, "a");
	assert_string_equal(a->info.node, "node-1");
	assert_string_equal(a->info.region, "north");
	assert_string_equal(a->info.reason, "base weight");
	assert_memory_equal(a->info.address, a->entry.address, 16);
	assert_memory_equal(a->info.next_hop_source, a->entry.source, 16);
	assert_int_equal(a->info.port, htons(8080));
	assert_int_equal(a->info.service, 1);
	assert_int_equal(a->info.base_weight, 100);
	assert_int_equal(a->info.table_weight, 100);
	assert_int_equal(a->info.weight_milli, 100000);
	assert_int_equal(a->info.bias, a->weight.bias);
	assert_int_equal(a->info.state, BACKEND_UP);
	assert_int_equal(a->info.next_hop, NEXT_HOP_RESOLVED);
	assert_int_equal(a->info.gone_until_ns, 0);
	world_close(&world);
}

static void test_next_hop_flags(void **state)
{
	struct world world;

	(void)state;
	world_of_two(&world);
	world.model.backends[0].next_hop.state = NEXT_HOP_UNKNOWN;
	world.model.backends[1].state = BACKEND_DRAIN;
	world.model.backends[2].next_hop.state = NEXT_HOP_NO_NEIGHBOUR;
	world_plan(&world, NOW_NS);
	assert_int_equal(world.plan.backends[0].entry.flags, BACKEND_OUTER_IPV4);
	assert_int_equal(world.plan.backends[0].entry.state, BACKEND_UP);
	assert_int_equal(world.plan.backends[1].entry.flags,
			 BACKEND_REACHABLE | BACKEND_OUTER_IPV4);
	assert_int_equal(world.plan.backends[1].entry.state, BACKEND_DRAIN);
	assert_int_equal(world.plan.backends[2].entry.flags, 0);
	/* Nobody takes new flows, so nobody is the fallback. */
	for (size_t i = 0; i < 3; i++)
		assert_memory_equal(&world.plan.backends[i].weight, &(struct weight_half){0},
				    sizeof(struct weight_half));
	assert_int_equal(world.plan.services[1].entry.fallback, BACKEND_NONE);
	world_close(&world);
}

/* Shares on the scale of the largest, their reciprocals, and the fallback. */
static void test_weights(void **state)
{
	const struct plan_backend *planned;
	struct world world;

	(void)state;
	world_of_two(&world);
	world_weight(&world, "web", "a", 50000);
	world_weight(&world, "web", "b", 100000);
	world_weight(&world, "web", "c", 1);
	world_plan(&world, NOW_NS);
	planned = world.plan.backends;
	assert_int_equal(planned[0].weight.share, 32767);
	assert_int_equal(planned[0].weight.count_reciprocal, 131076);
	assert_int_equal(planned[1].weight.share, 65535);
	assert_int_equal(planned[1].weight.count_reciprocal, 65537);
	assert_int_equal(planned[2].weight.share, 1);
	assert_int_equal(planned[2].weight.count_reciprocal, 0xffffffff);
	assert_int_equal(planned[1].weight.bias, 65535);
	assert_int_equal(planned[1].weight.coin_reciprocal, 65537);
	assert_true(planned[2].weight.bias > 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(planned[i].weight.coin_reciprocal,
				 0xffffffffULL / planned[i].weight.bias);
	assert_int_equal(world.plan.services[1].entry.fallback, 2);

	world_backend(&world, "web", "b")->state = BACKEND_DRAIN;
	world_plan(&world, NOW_NS);
	assert_int_equal(world.plan.backends[0].weight.share, 65535);
	assert_int_equal(world.plan.backends[1].weight.bias, 0);
	assert_int_equal(world.plan.services[1].entry.fallback, 1);
	world_close(&world);
}

static void test_coin_multipliers(void **state)
{
	/* The upper half of the identity in tests/unit/keys.c, odd. */
	static const struct {
		const char *address;
		__u16 port;
		__u32 multiplier;
	} cases[] = {
		{"10.0.0.1", 80, 0x006399fd},
		{"10.0.0.1", 0, 0x1569160f},
		{"10.0.0.2", 80, 0x5e8368cb},
		{"2001:db8::1", 443, 0x33c35223},
	};
	struct world world;

	(void)state;
	world_open(&world, 1 << 16);
	add_service(&world.model, "web", "192.0.2.1", 443);
	for (size_t i = 0; i < 4; i++) {
		char name[] = {'a' + i, '\0'};
		struct backend_request request = backend_request(name, cases[i].address);
		struct text_error error;

		request.port = cases[i].port;
		assert_int_equal(model_backend_add(&world.model, "web", &request, &error), 0);
	}
	world_plan(&world, NOW_NS);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(world.plan.backends[i].coin_multiplier, cases[i].multiplier);
	world_close(&world);
}

static void test_tunnel_sources(void **state)
{
	const struct plan_backend *planned;
	struct world world;

	(void)state;
	world_of_two(&world);
	world.model.backends[0].next_hop.source = address("10.0.0.254");
	world.model.backends[2].next_hop.source = address("2001:db8::fe");
	memcpy(world.settings.tunnel_source_ipv6, &(struct address){{htonl(0x20010db8), 0, 1, 0}},
	       16);
	world.settings.tunnel_source_ipv6_vary = htonl(0xffff);
	world_plan(&world, NOW_NS);
	planned = world.plan.backends;
	assert_int_equal(planned[0].entry.source[3], htonl(0x0a0000fe));
	assert_int_equal(planned[0].entry.source_vary, 0);
	assert_int_equal(planned[2].entry.source[0], htonl(0x20010db8));
	assert_int_equal(planned[2].entry.source[2], 1);
	assert_int_equal(planned[2].entry.source[3], 0);
	assert_int_equal(planned[2].entry.source_vary, htonl(0xffff));
	/* What the route would use is kept for people all the same. */
	assert_int_equal(planned[2].info.next_hop_source[3], htonl(0xfe));

	memcpy(world.settings.tunnel_source_ipv4,
	       &(struct address){{0, 0, htonl(0xffff), htonl(0xac100000)}}, 16);
	world.settings.tunnel_source_ipv4_vary = htonl(0xff);
	world_plan(&world, NOW_NS);
	planned = world.plan.backends;
	assert_int_equal(planned[0].entry.source[2], htonl(0xffff));
	assert_int_equal(planned[0].entry.source[3], htonl(0xac100000));
	assert_int_equal(planned[0].entry.source_vary, htonl(0xff));
	assert_int_equal(planned[2].entry.source_vary, htonl(0xffff));
	world_close(&world);
}

static void check_same_plan(const struct world *a, const struct world *b)
{
	assert_memory_equal(&a->plan.layout, &b->plan.layout, sizeof(a->plan.layout));
	assert_memory_equal(a->plan.services, b->plan.services, 2 * sizeof(*a->plan.services));
	assert_memory_equal(a->plan.backends, b->plan.backends, 3 * sizeof(*a->plan.backends));
	assert_memory_equal(a->slots, b->slots, (1 << 16) * sizeof(*a->slots));
}

static void test_same_again(void **state)
{
	struct world first, second;

	(void)state;
	world_of_two(&first);
	world_plan(&first, NOW_NS);
	assert_int_equal(first.plan.new_slots_count, 2);
	world_of_two(&second);
	world_plan(&second, NOW_NS + 5 * SECOND_NS);
	check_same_plan(&first, &second);

	world_plan(&second, NOW_NS + 7 * SECOND_NS);
	assert_int_equal(second.plan.new_slots_count, 0);
	check_same_plan(&first, &second);
	world_close(&first);
	world_close(&second);
}

static void test_old_slots_expire(void **state)
{
	const struct plan_service *web;
	struct world world;

	(void)state;
	world_of_two(&world);
	world_plan(&world, NOW_NS);
	add_backend(&world.model, "web", "d", "10.0.0.4");
	world_plan(&world, NOW_NS);
	web = &world.plan.services[1];
	assert_int_equal(web->entry.slot_base, 8192);
	assert_int_equal(web->entry.old_slot_base, 4096);
	assert_int_equal(web->entry.old_slot_mask, 4095);
	assert_int_equal(web->entry.old_until_ns, NOW_NS + 60 * SECOND_NS);
	assert_int_equal(web->info.old_slot_base, 4096);
	assert_int_equal(web->info.old_slot_mask, 4095);
	assert_int_equal(web->info.old_until_ns, NOW_NS + 60 * SECOND_NS);

	world_plan(&world, NOW_NS + 60 * SECOND_NS - 1);
	assert_int_equal(world.plan.services[1].entry.old_until_ns, NOW_NS + 60 * SECOND_NS);
	world_plan(&world, NOW_NS + 60 * SECOND_NS);
	web = &world.plan.services[1];
	assert_int_equal(web->entry.old_until_ns, 0);
	assert_int_equal(web->entry.old_slot_mask, 0);
	assert_int_equal(web->info.old_until_ns, 0);
	assert_int_equal(web->entry.slot_base, 8192);

	/* Their range is free again, and the first that fits. */
	add_backend(&world.model, "web", "e", "10.0.0.5");
	world_plan(&world, NOW_NS + 61 * SECOND_NS);
	assert_int_equal(world.plan.services[1].entry.slot_base, 4096);
	world_close(&world);
}

/* A deleted backend stays in the maps, as gone, for as long as its id rests. */
static void test_gone(void **state)
{
	const struct plan_backend *gone;
	struct world world;

	(void)state;
	world_of_two(&world);
	world_plan(&world, NOW_NS);
	del_backend(&world.model, "web", "b", NOW_NS);
	assert_int_equal(add_backend(&world.model, "web", "b", "10.0.0.2"), 4);
	world_plan(&world, NOW_NS);
	assert_int_equal(world.model.backend_count, 4);
	for (size_t i = 0; i < 4; i++) {
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(world.model.backends[i].id,
					     world.model.backends[j].id);
	}
	assert_int_equal(world.model.backends[3].id, 2);
	gone = &world.plan.backends[3];
	assert_int_equal(gone->entry.state, BACKEND_GONE);
	assert_int_equal(gone->entry.service, 1);
	assert_int_equal(gone->weight.bias, 0);
	assert_int_equal(gone->info.state, BACKEND_GONE);
	assert_int_equal(gone->info.table_weight, 0);
	assert_int_equal(gone->info.gone_until_ns, NOW_NS + 60 * SECOND_NS);
	for (__u32 i = 0; i < 4096; i++) {
		for (int c = 0; c < CANDIDATES; c++)
			assert_int_not_equal(
				world.slots[world.model.services[1].slots.base + i].candidate[c],
				2);
	}

	world_plan(&world, NOW_NS + 60 * SECOND_NS - 1);
	assert_int_equal(world.model.backend_count, 4);
	assert_int_equal(world.plan.new_slots_count, 0);
	world_plan(&world, NOW_NS + 60 * SECOND_NS);
	assert_int_equal(world.model.backend_count, 3);
	assert_int_equal(world.plan.new_slots_count, 0);
	world_close(&world);
}

static void test_deleted_service(void **state)
{
	struct text_error error;
	struct world world;

	(void)state;
	world_of_two(&world);
	world_plan(&world, NOW_NS);
	assert_int_equal(model_service_del(&world.model, "web", NOW_NS, &error), 0);
	world_plan(&world, NOW_NS);
	assert_string_equal(world.plan.services[0].info.name, "any");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(world.plan.backends[i].entry.state, BACKEND_GONE);
		assert_int_equal(world.plan.backends[i].entry.service, 1);
		assert_int_equal(world.plan.backends[i].weight.bias, 0);
	}
	/* Its slots are nobody's now. */
	add_service(&world.model, "new", "192.0.2.1", 80);
	world_plan(&world, NOW_NS);
	assert_int_equal(world_service(&world, "new")->slots.base, 4096);
	assert_int_equal(world_service(&world, "new")->id, 3);
	world_close(&world);
}

static void test_empty(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, 4096);
	world_plan(&world, NOW_NS);
	assert_int_equal(world.plan.new_slots_count, 0);
	assert_int_equal(world.plan.layout.any_port, 0);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest plan[] = {
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_backends),
		cmocka_unit_test(test_next_hop_flags),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_coin_multipliers),
		cmocka_unit_test(test_tunnel_sources),
		cmocka_unit_test(test_same_again),
		cmocka_unit_test(test_old_slots_expire),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_deleted_service),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests_name("plan", plan, NULL, NULL);
}
