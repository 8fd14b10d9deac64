/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "plan_world.h"

#define NOW_NS (1000 * SECOND_NS)

/* Service 1 "quic" 192.0.2.1:443/udp with backend 1 "q1" of server id 0007, 2 "q2" without. */
static void world_of_quic(struct world *world, __u32 idle_ms)
{
	struct service_request request = service_request("quic", "192.0.2.1", 443);
	struct text_error error;

	world_open(world, 1 << 16);
	request.protocol = IPPROTO_UDP;
	request.forward = FORWARD_GUE;
	request.idle_ms = idle_ms;
	request.server_id_bytes = 2;
	assert_int_equal(model_service_add(&world->model, &request, &error), 0);
	add_backend(&world->model, "quic", "q1", "10.0.0.1");
	add_backend(&world->model, "quic", "q2", "10.0.0.2");
	world->model.backends[0].server_id = (struct quic_server_id){.byte = {0, 7}, .count = 2};
}

static void test_service(void **state)
{
	const struct plan_service *quic;
	struct world world;

	(void)state;
	world_of_quic(&world, 0);
	world_plan(&world, NOW_NS);
	quic = &world.plan.services[0];
	assert_int_equal(quic->entry.forward, FORWARD_GUE);
	assert_int_equal(quic->entry.server_id_bytes, 2);
	assert_int_equal(quic->entry.mss_bytes, 0);
	assert_int_equal(quic->info.idle_ms, 60000);
	assert_int_equal(quic->info.server_id_bytes, 2);

	add_service(&world.model, "web", "192.0.2.1", 80);
	world_service(&world, "web")->mss_bytes = 1400;
	world_service(&world, "web")->flags = SERVICE_LOCAL_COUNT;
	world_service(&world, "web")->priority = 2;
	world_plan(&world, NOW_NS);
	assert_int_equal(world.plan.services[1].entry.mss_bytes, 1400);
	assert_int_equal(world.plan.services[1].info.mss_bytes, 1400);
	assert_int_equal(world.plan.services[1].entry.flags, SERVICE_LOCAL_COUNT | 2 << 1);
	assert_int_equal(world.plan.services[1].info.flags, SERVICE_LOCAL_COUNT | 2 << 1);
	assert_int_equal(world.plan.services[0].entry.flags & SERVICE_PRIORITY, 0);
	assert_int_equal(world.plan.services[1].entry.idle_rate, 0);
	world_close(&world);
}

/* A tick of 4 ms: 60 s are 15000 jiffies, and 2^32 / 15000 = 286331.15. */
static void test_idle_rate(void **state)
{
	static const struct {
		__u32 idle_ms;
		__u64 tick_ns;
		__u32 rate;
	} cases[] = {
		{60000, 4000000, 286331},   {60000, 1000000, 71582}, {60000, 10000000, 715827},
		{1000, 10000000, 42949672}, {86400000, 1000000, 49}, {86400000, 4000000, 198},
	};
	struct text_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world world;

		world_of_quic(&world, cases[i].idle_ms);
		assert_int_equal(plan_make(&world.model, &world.view, &world.settings, NOW_NS,
					   cases[i].tick_ns, &world.plan, &error),
				 0);
		assert_int_equal(world.plan.services[0].entry.idle_rate, cases[i].rate);
		world_close(&world);
	}
}

static void test_backend(void **state)
{
	struct world world;

	(void)state;
	world_of_quic(&world, 0);
	world.model.backends[0].next_hop.vlan[0] = 100;
	world.model.backends[0].next_hop.vlan[1] = 7;
	world_plan(&world, NOW_NS);
	assert_int_equal(world.plan.backends[0].info.server_id_bytes, 2);
	assert_memory_equal(world.plan.backends[0].info.server_id, "\0\7\0", 3);
	assert_int_equal(world.plan.backends[0].info.vlan[0], 100);
	assert_int_equal(world.plan.backends[0].info.vlan[1], 7);
	assert_int_equal(world.plan.backends[1].info.server_id_bytes, 0);
	assert_int_equal(world.plan.backends[1].info.vlan[0], 0);
	world_close(&world);
}

static void test_keyed(void **state)
{
	struct world world;

	(void)state;
	world_of_quic(&world, 0);
	add_service(&world.model, "web", "192.0.2.1", 80);
	add_service(&world.model, "all", "192.0.2.2", 0);
	world_plan(&world, NOW_NS);
	assert_int_equal(world.plan.vip_count, 2);
	assert_int_equal(world.plan.vips[0].key.vip[3], htonl(0xc0000201));
	assert_int_equal(world.plan.vips[0].value.protocols, VIP_TCP | VIP_UDP);
	assert_int_equal(world.plan.vips[0].value.tcp_port, htons(80));
	assert_int_equal(world.plan.vips[0].value.udp_port, htons(443));
	assert_int_equal(world.plan.vips[1].value.protocols, VIP_TCP);
	assert_int_equal(world.plan.server_id_count, 1);
	assert_int_equal(world.plan.server_ids[0].key.service, 1);
	assert_int_equal(world.plan.server_ids[0].value.backend, 1);

	/* Weights and states are no matter of these. */
	world_weight(&world, "quic", "q1", 1000);
	world_backend(&world, "quic", "q1")->state = BACKEND_DRAIN;
	world_plan(&world, NOW_NS);
	assert_int_equal(world.plan.vip_count, 2);
	assert_int_equal(world.plan.server_id_count, 1);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_service),
		cmocka_unit_test(test_idle_rate),
		cmocka_unit_test(test_backend),
		cmocka_unit_test(test_keyed),
	};

	return cmocka_run_group_tests_name("plan_options", tests, NULL, NULL);
}
