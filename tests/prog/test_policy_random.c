/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random packets through the load balancer's program under random rule sets, against the rules as
 * people read them: who decided is what the rules' counters say, and what became of the packet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "packet.h"
#include "tests/unit/policy_random.h"
#include "user/kernel/apply_policy.h"
#include "user/kernel/counters.h"
#include "user/kernel/state.h"
#include "world.h"

#define SETS          100
#define PACKETS_A_SET 1000 /* 100,000 in all */

/* What packets find: those of policy_services(), with a backend each. */
static int open_services(void **state)
{
	struct model model = policy_services();
	char vip[ADDRESS_TEXT_BYTES];

	if (world_open(state))
		return -1;
	for (size_t i = 0; i < model.service_count; i++) {
		const struct model_service *service = &model.services[i];
		bool ipv4 = address_is_ipv4(&service->vip);

		sluice("service add %s --vip %s --port %u --proto %s", service->name,
		       address_format(&service->vip, vip), service->port,
		       protocol_name(service->protocol));
		sluice("backend add %s b1 --address %s", service->name,
		       ipv4 ? "10.0.1.2" : "fd00:0:0:1::2");
	}
	model_free(&model);
	return 0;
}

/* Which rule decides is what this is about, and not what it lets pass. */
static void raise_limits(struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		struct rule *rule = &policy->rules[i];

		if (rule->action != RULE_LIMIT)
			continue;
		rule->burst_ms = RULE_BURST_MS_MAX;
		for (int rate = 0; rate < RULE_RATES; rate++) {
			if (rule->per_second[rate])
				rule->per_second[rate] = RULE_RATE_MAX;
		}
	}
}

/* One to which packets from @source can be; NULL: none of them. */
static const struct model_service *random_service(uint64_t *seed, const struct model *model,
						  const struct address *source)
{
	unsigned int number = below(seed, model->service_count + 1);

	for (size_t i = number; i < model->service_count; i++) {
		if (address_is_ipv4(&model->services[i].vip) == address_is_ipv4(source))
			return &model->services[i];
	}
	return NULL;
}

static struct rule_counters counted(const struct maps *maps, uint16_t rule)
{
	struct rule_counters counters;

	assert_int_equal(counters_rule(maps, rule, &counters), 0);
	return counters;
}

static void check_packet(uint64_t *seed, const struct maps *maps, const struct model *model,
			 const struct policy *policy, unsigned int set, size_t *decided)
{
	struct address source = random_source(seed, policy);
	const struct model_service *service = random_service(seed, model, &source);
	uint16_t port = service && service->port ? service->port : ports[1 + below(seed, 5)];
	char from[ADDRESS_TEXT_BYTES], vip[ADDRESS_TEXT_BYTES];
	const struct packet_fields fields = {
		.source = address_format(&source, from),
		.destination = service                    ? address_format(&service->vip, vip)
			       : address_is_ipv4(&source) ? "192.0.2.99"
							  : "2001:db8::99",
		.source_port = 1024 + below(seed, 60000),
		.destination_port = port,
		.protocol = service ? service->protocol : IPPROTO_TCP,
		.tcp_flags = below(seed, 2) ? TCP_SYN : TCP_ACK,
		.ttl = 64,
		.payload_bytes = 10,
	};
	uint16_t rule = decide_slowly(policy, &source, service, port);
	bool denied = rule && policy_find(policy, rule)->action == RULE_DENY;
	struct rule_counters before = {}, after = {};
	struct frame frame;
	int verdict;

	if (rule)
		before = counted(maps, rule);
	frame_build(&frame, &fields);
	verdict = world_send(&frame);
	if (rule)
		after = counted(maps, rule);
	if ((verdict == XDP_DROP) != denied || after.packets - before.packets != !!rule ||
	    after.dropped_packets - before.dropped_packets != denied)
		fail_msg("set %u: %s to %s port %u: verdict %d, rule %u counted %llu, dropped %llu",
			 set, from, service ? service->name : "nothing", port, verdict, rule,
			 after.packets - before.packets,
			 after.dropped_packets - before.dropped_packets);
	*decided += rule != 0;
}

/* Of all rules, so that nothing was counted where it should not. */
static size_t all_counted(const struct maps *maps)
{
	size_t packets = 0;

	for (__u32 id = 1; id < RULES_MAX; id++)
		packets += counted(maps, id).packets;
	return packets;
}

static void check_set(uint64_t *seed, const struct maps *maps, const struct model *model,
		      unsigned int set, size_t *decided)
{
	size_t before = *decided, counted_before;
	struct text_error error;
	struct policy policy;

	random_policy(seed, &policy);
	raise_limits(&policy);
	policy.generation = maps->control->policy >> POLICY_GENERATION_SHIFT;
	if (apply_policy(maps, &policy, model, &error))
		fail_msg("set %u: %s", set, error.what);
	counted_before = all_counted(maps);
	for (unsigned int i = 0; i < PACKETS_A_SET; i++)
		check_packet(seed, maps, model, &policy, set, decided);
	assert_int_equal(all_counted(maps) - counted_before, *decided - before);
	policy_free(&policy);
}

static void random_rules(void **state)
{
	uint64_t seed = 0x736c75696365;
	struct text_error error;
	struct model model;
	struct maps maps;
	size_t decided = 0;

	(void)state;
	print_message("# seed %#llx\n", (unsigned long long)seed);
	if (maps_open(world_pin(), true, &maps, &error))
		fail_msg("%s", error.what);
	assert_int_equal(state_read(&maps, &model), 0);
	for (unsigned int set = 0; set < SETS; set++)
		check_set(&seed, &maps, &model, set, &decided);
	print_message("# %zu of %u packets met a rule\n", decided, SETS * PACKETS_A_SET);
	assert_true(decided > SETS * PACKETS_A_SET / 4);
	assert_true(decided < SETS * PACKETS_A_SET * 19 / 20);
	model_free(&model);
	maps_close(&maps);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_rules),
	};

	return cmocka_run_group_tests_name("policy, random", tests, open_services, world_close);
}
