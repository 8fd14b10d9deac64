/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random packets through images of random rule sets, against the rules as people read them. The same
 * through the kernel: tests/prog/test_policy_random.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy_random.h"

#define SETS          250
#define PACKETS_A_SET 400 /* 100,000 in all */

static void check_packet(uint64_t *seed, const struct policy *policy, const struct model *model,
			 const struct policy_image *image, unsigned int set, size_t *decided)
{
	struct address source = random_source(seed, policy);
	unsigned int number = below(seed, model->service_count + 1);
	const struct model_service *service =
		number < model->service_count ? &model->services[number] : NULL;
	uint16_t port = service && service->port ? service->port : 1 + below(seed, 65535);
	char text[ADDRESS_TEXT_BYTES];
	uint16_t expected, found;

	if (!service || (!service->port && below(seed, 4)))
		port = ports[1 + below(seed, 5)];
	expected = decide_slowly(policy, &source, service, port);
	found = policy_image_decide(image, &source, service ? service->id : 0, port);
	if (found != expected)
		fail_msg("set %u: %s to %s port %u: rule %u, expected %u", set,
			 address_format(&source, text), service ? service->name : "nothing", port,
			 found, expected);
	*decided += expected != 0;
}

/* What is read back from the image makes the same image. */
static void check_round_trip(const struct policy *policy, const struct model *model,
			     const struct policy_image *image)
{
	struct policy read;
	struct policy_image again;

	assert_int_equal(
		policy_from_image(image->rule_infos, image->prefixes, image->prefix_count, &read),
		0);
	read.all_traffic = policy->all_traffic;
	make_image(&read, model, &again);
	assert_int_equal(again.flags, image->flags);
	assert_int_equal(again.boundary_count, image->boundary_count);
	if (image->boundary_count)
		assert_memory_equal(again.boundaries, image->boundaries,
				    image->boundary_count * sizeof(*image->boundaries));
	assert_int_equal(again.scope_count, image->scope_count);
	assert_memory_equal(again.scopes, image->scopes,
			    image->scope_count * sizeof(*image->scopes));
	assert_memory_equal(again.rule_infos, image->rule_infos,
			    RULES_MAX * sizeof(*image->rule_infos));
	policy_image_free(&again);
	policy_free(&read);
}

static void random_rules(void **state)
{
	struct model model = policy_services();
	uint64_t seed = 0x736c75696365;
	size_t decided = 0;

	(void)state;
	print_message("seed %#llx\n", (unsigned long long)seed);
	for (unsigned int set = 0; set < SETS; set++) {
		struct policy_image image;
		struct policy policy;

		random_policy(&seed, &policy);
		make_image(&policy, &model, &image);
		for (unsigned int i = 0; i < PACKETS_A_SET; i++)
			check_packet(&seed, &policy, &model, &image, set, &decided);
		check_round_trip(&policy, &model, &image);
		policy_image_free(&image);
		policy_free(&policy);
	}
	/* A test in which hardly a packet meets a rule would show little. */
	print_message("%zu of %u packets met a rule\n", decided, SETS * PACKETS_A_SET);
	assert_true(decided > SETS * PACKETS_A_SET / 4);
	assert_true(decided < SETS * PACKETS_A_SET * 19 / 20);
	model_free(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
