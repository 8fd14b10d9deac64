/* SPDX-License-Identifier: GPL-2.0-only */
/* New flows of a service that are dropped because its nodes are hot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <bpf/bpf.h>

#include "policy_world.h"
#include "user/kernel/tick.h"

#define FLOWS  2000
#define ALWAYS 0xffffffff
#define HALF   0x80000000

/* Services have ids in the order of their making: see policy_world.c. */
enum { WEB4 = 1, DNS4 = 2, WEB6 = 3 };

static void shed(__u32 service, __u32 chance, int for_jiffies)
{
	struct shed shed = {.chance = chance};

	assert_int_equal(tick_jiffies(&shed.until_jiffies), 0);
	shed.until_jiffies += for_jiffies;
	assert_int_equal(bpf_map_update_elem(world_pinned("sheds"), &service, &shed, BPF_ANY), 0);
}

static int shed_nothing(void **state)
{
	for (__u32 service = 0; service < 8; service++)
		shed(service, 0, 0);
	return policy_none(state);
}

/* Each client has an address of its own. */
static unsigned int count_passed(const char *vip, __u16 port, __u8 tcp_flags, unsigned int first,
				 unsigned int count)
{
	unsigned int passed = 0;

	for (unsigned int client = first; client < first + count; client++) {
		bool ipv6 = strchr(vip, ':');
		char source[64];
		struct packet_fields fields;
		struct frame frame;

		snprintf(source, sizeof(source), ipv6 ? "2001:db8:c::%x:%x" : "198.18.%u.%u",
			 client >> 8, client & 0xff);
		fields = policy_packet(source, vip, port);
		fields.tcp_flags = tcp_flags;
		frame_build(&frame, &fields);
		passed += world_send(&frame) == XDP_TX;
	}
	return passed;
}

static void all_new_flows(void **state)
{
	long before = drop_counts("shed").packets;

	(void)state;
	shed(WEB4, ALWAYS, 1000000);
	assert_int_equal(count_passed(VIP_IPV4, 80, TCP_SYN, 0, 500), 0);
	assert_int_equal(drop_counts("shed").packets, before + 500);
	/* Of that service alone. */
	assert_int_equal(count_passed(VIP_IPV4, 53, 0, 0, 500), 500);
	assert_int_equal(count_passed(VIP_IPV6, 80, TCP_SYN, 0, 500), 500);
	shed(DNS4, ALWAYS, 1000000);
	shed(WEB6, ALWAYS, 1000000);
	assert_int_equal(count_passed(VIP_IPV4, 53, 0, 1000, 500), 0);
	assert_int_equal(count_passed(VIP_IPV6, 80, TCP_SYN, 1000, 500), 0);
}

static void flows_that_are_there_never(void **state)
{
	(void)state;
	assert_int_equal(count_passed(VIP_IPV4, 80, TCP_SYN, 2000, 100), 100);
	assert_int_equal(count_passed(VIP_IPV4, 80, TCP_ACK, 2000, 100), 100);
	assert_int_equal(count_passed(VIP_IPV4, 80, TCP_SYN, 3000, 100), 100);
	assert_int_equal(count_passed(VIP_IPV4, 53, 0, 2000, 100), 100);
	shed(WEB4, ALWAYS, 1000000);
	shed(DNS4, ALWAYS, 1000000);
	assert_int_equal(count_passed(VIP_IPV4, 80, TCP_ACK, 2000, 100), 100);
	assert_int_equal(count_passed(VIP_IPV4, 80, TCP_FIN | TCP_ACK, 2000, 100), 100);
	/* A SYN that is sent again, the answer to what was let in. */
	assert_int_equal(count_passed(VIP_IPV4, 80, TCP_SYN, 3000, 100), 100);
	assert_int_equal(count_passed(VIP_IPV4, 80, TCP_ACK, 3000, 100), 100);
	assert_int_equal(count_passed(VIP_IPV4, 53, 0, 2000, 100), 100);
	/* Under way, from another balancer. */
	assert_int_equal(count_passed(VIP_IPV4, 80, TCP_ACK, 4000, 100), 100);
}

/* Of 2,000 with a chance of a half: five standard deviations are 112. */
static void a_part_of_them(void **state)
{
	(void)state;
	shed(WEB4, HALF, 1000000);
	assert_in_range(count_passed(VIP_IPV4, 80, TCP_SYN, 10000, FLOWS), 888, 1112);
	shed(WEB4, HALF / 4, 1000000);
	assert_in_range(count_passed(VIP_IPV4, 80, TCP_SYN, 20000, FLOWS), 1676, 1824);
	shed(WEB4, 0, 1000000);
	assert_int_equal(count_passed(VIP_IPV4, 80, TCP_SYN, 30000, FLOWS), FLOWS);
}

/* When nobody says so any more. */
static void it_ends(void **state)
{
	(void)state;
	shed(WEB4, ALWAYS, 0);
	assert_int_equal(count_passed(VIP_IPV4, 80, TCP_SYN, 40000, 100), 100);
	shed(WEB4, ALWAYS, -1000000);
	assert_int_equal(count_passed(VIP_IPV4, 80, TCP_SYN, 41000, 100), 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_new_flows, shed_nothing),
		cmocka_unit_test_setup(flows_that_are_there_never, shed_nothing),
		cmocka_unit_test_setup(a_part_of_them, shed_nothing),
		cmocka_unit_test_setup(it_ends, shed_nothing),
	};

	return cmocka_run_group_tests_name("shedding", tests, policy_open, world_close);
}
