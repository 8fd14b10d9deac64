/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plan_world.h"
#include "user/core/shares.h"

#define NOW_NS (1000 * SECOND_NS)

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.9f, expected %.9f", value, expected);
}

static struct share *shares_of(struct world *world)
{
	struct share *shares = malloc((world->model.backend_count + 1) * sizeof(*shares));

	assert_non_null(shares);
	assert_int_equal(shares_compute(&world->model, &world->view, shares), 0);
	return shares;
}

static double share_wanted(struct world *world, const struct share *shares, const char *service,
			   const char *backend)
{
	return shares[world_backend(world, service, backend) - world->model.backends].wanted;
}

static void check_sums(const char *label, const struct world *world, const struct share *shares)
{
	for (size_t s = 0; s < world->model.service_count; s++) {
		const struct model_service *service = &world->model.services[s];
		double wanted = 0, by_slots = 0;

		for (size_t i = 0; i < world->model.backend_count; i++) {
			if (world->model.backends[i].service != service->id)
				continue;
			wanted += shares[i].wanted;
			by_slots += shares[i].by_slots;
		}
		if (fabs(wanted - 1) > 1e-9)
			fail_msg("%s, %s: wanted %.9f", label, service->name, wanted);
		if (fabs(by_slots - 1) > 1e-6)
			fail_msg("%s, %s: by slots %.9f", label, service->name, by_slots);
	}
}

/* In a fresh world: "web" with @count backends, "dns" with three. */
static void world_of(struct world *world, unsigned int count)
{
	world_open(world, 1 << 18);
	add_service(&world->model, "web", "192.0.2.1", 80);
	add_service(&world->model, "dns", "192.0.2.2", 53);
	world_add_backends(world, "web", 0, count);
	world_add_backends(world, "dns", 0, 3);
}

static void test_wanted(void **state)
{
	struct world world;
	struct share *shares;

	(void)state;
	world_of(&world, 4);
	world_weight(&world, "web", "b0", 50000);
	world_weight(&world, "web", "b1", 250000);
	world_backend(&world, "web", "b2")->state = BACKEND_DRAIN;
	world_plan(&world, NOW_NS);
	shares = shares_of(&world);
	assert_near(share_wanted(&world, shares, "web", "b0"), 0.125, 1e-12);
	assert_near(share_wanted(&world, shares, "web", "b1"), 0.625, 1e-12);
	assert_near(share_wanted(&world, shares, "web", "b2"), 0, 0);
	assert_near(share_wanted(&world, shares, "web", "b3"), 0.25, 1e-12);
	assert_near(share_wanted(&world, shares, "dns", "b0"), 1 / 3.0, 1e-12);
	check_sums("wanted", &world, shares);
	free(shares);
	world_close(&world);
}

static void check_match(const char *label, struct world *world, double tolerance)
{
	struct share *shares = shares_of(world);

	check_sums(label, world, shares);
	for (size_t i = 0; i < world->model.backend_count; i++) {
		double apart = fabs(shares[i].by_slots - shares[i].wanted);

		if (apart > tolerance * shares[i].wanted)
			fail_msg("%s: %s is to get %.6f and gets %.6f", label,
				 world->model.backends[i].name, shares[i].wanted,
				 shares[i].by_slots);
	}
	free(shares);
}

/* After a plan the slots and biases give what is wanted, to a thousandth. */
static void test_match(void **state)
{
	static const unsigned int counts[] = {1, 2, 3, 10, 40};
	__u64 random = 5;

	(void)state;
	for (size_t n = 0; n < sizeof(counts) / sizeof(counts[0]); n++) {
		struct world world;
		char label[32];

		world_of(&world, counts[n]);
		for (unsigned int round = 0; round < 10; round++) {
			for (size_t i = 0; i < world.model.backend_count && round; i++) {
				random = random * 6364136223846793005ULL + 1442695040888963407ULL;
				world.model.backends[i].weight_milli =
					70000 + (random >> 33) % 60000;
			}
			world_plan(&world, NOW_NS);
			snprintf(label, sizeof(label), "%u backends, round %u", counts[n], round);
			check_match(label, &world, 0.001);
		}
		world_close(&world);
	}
}

/* The same as counted apart from the code, probes of empty slots included. */
static void test_by_slots(void **state)
{
	struct world world;
	struct share *shares;

	(void)state;
	world_of(&world, 12);
	for (unsigned int i = 0; i < 8; i++)
		world.model.backends[i].state = BACKEND_DOWN;
	world_weight(&world, "web", "b8", 40000);
	world_plan(&world, NOW_NS);
	shares = shares_of(&world);
	for (size_t i = 0; i < world.model.backend_count; i++) {
		const struct model_backend *backend = &world.model.backends[i];
		const char *service = model_service_by_id(&world.model, backend->service)->name;

		assert_near(shares[i].by_slots, world_share(&world, service, backend->name), 1e-6);
	}
	free(shares);
	world_close(&world);
}

/* A state that is not planned yet: who is to take nothing is shown with nothing. */
static void test_before_plan(void **state)
{
	struct world world;
	struct share *shares;

	(void)state;
	world_of(&world, 2);
	world_plan(&world, NOW_NS);
	world_backend(&world, "web", "b0")->state = BACKEND_DRAIN;
	shares = shares_of(&world);
	check_sums("drained", &world, shares);
	assert_near(shares[0].by_slots, 0, 0);
	free(shares);
	world_close(&world);
}

static void test_nobody(void **state)
{
	struct world world;
	struct share *shares;

	(void)state;
	world_of(&world, 3);
	for (size_t i = 0; i < world.model.backend_count; i++)
		world.model.backends[i].state = BACKEND_DOWN;
	world_plan(&world, NOW_NS);
	del_backend(&world.model, "dns", "b1", NOW_NS);
	shares = shares_of(&world);
	for (size_t i = 0; i < world.model.backend_count; i++) {
		assert_near(shares[i].wanted, 0, 0);
		assert_near(shares[i].by_slots, 0, 0);
	}
	free(shares);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest shares[] = {
		cmocka_unit_test(test_wanted),   cmocka_unit_test(test_match),
		cmocka_unit_test(test_by_slots), cmocka_unit_test(test_before_plan),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests_name("shares", shares, NULL, NULL);
}
