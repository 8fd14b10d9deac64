/* SPDX-License-Identifier: GPL-2.0-only */
/* The rungs below the weights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/core/fallback.h"

/* usable, region, latency, base, good, healthy, weight */
#define BACKENDS 4

static const struct {
	const char *name;
	const char *region;
	struct fallback_backend before[BACKENDS];
	enum fallback_rung rung;
	__u32 weights[BACKENDS]; /* of those that take flows; 0: the others */
} cases[] = {
	{"weights do",
	 "north",
	 {{true, "north", 1, 100, 100, true, 0, false},
	  {true, "south", 9, 100, 100, true, 1, false}},
	 FALLBACK_NONE,
	 {0, 1}},
	{"a weight of one that is ill does not count",
	 "north",
	 {{true, "north", 1, 100, 0, true, 0, false}, {true, "south", 9, 100, 0, false, 50, false}},
	 FALLBACK_NEAREST,
	 {100, 0}},
	{"nor of one that is drained",
	 "south",
	 {{true, "north", 1, 100, 0, true, 0, false}, {false, "south", 9, 100, 0, true, 50, false}},
	 FALLBACK_NEAREST,
	 {100, 0}},
	{"the own region goes first, however far",
	 "south",
	 {{true, "north", 1, 100, 0, true, 0, false},
	  {true, "south", 90, 200, 0, true, 0, false},
	  {true, "south", -1, 300, 0, true, 0, false}},
	 FALLBACK_NEAREST,
	 {0, 200, 300}},
	{"then the nearest",
	 "west",
	 {{true, "north", 20, 100, 0, true, 0, false},
	  {true, "south", 10, 200, 0, true, 0, false},
	  {true, "south", 90, 300, 0, true, 0, false},
	  {true, "north", 11, 400, 0, true, 0, false}},
	 FALLBACK_NEAREST,
	 {0, 200, 300, 0}},
	{"the nearest that is healthy",
	 "",
	 {{true, "north", 1, 100, 0, false, 0, false}, {true, "south", 10, 200, 0, true, 0, false}},
	 FALLBACK_NEAREST,
	 {0, 200}},
	{"no latency known: all",
	 "west",
	 {{true, "north", -1, 100, 0, true, 0, false}, {true, "", -1, 200, 0, true, 0, false}},
	 FALLBACK_NEAREST,
	 {100, 200}},
	{"no region of one's own is not a region",
	 "",
	 {{true, "", 20, 100, 0, true, 0, false}, {true, "south", 10, 200, 0, true, 0, false}},
	 FALLBACK_NEAREST,
	 {0, 200}},
	{"none healthy: those that last took flows",
	 "north",
	 {{true, "north", 1, 100, 0, false, 70, false},
	  {true, "south", 9, 100, 33, false, 70, false},
	  {false, "south", 9, 100, 44, false, 70, false}},
	 FALLBACK_LAST_GOOD,
	 {0, 33, 0}},
	{"none ever",
	 "north",
	 {{true, "north", 1, 100, 0, false, 70, false}},
	 FALLBACK_NOBODY,
	 {0}},
	{"none usable",
	 "north",
	 {{false, "north", 1, 100, 50, true, 70, false}},
	 FALLBACK_NOBODY,
	 {0}},
};

static void ladder(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fallback_backend after[BACKENDS];
		enum fallback_rung rung;

		for (size_t j = 0; j < BACKENDS; j++) {
			after[j] = cases[i].before[j];
			if (!after[j].region)
				after[j].region = "";
		}
		rung = fallback_choose(cases[i].region, after, BACKENDS);
		if (rung != cases[i].rung)
			fail_msg("%s: rung %d", cases[i].name, rung);
		for (size_t j = 0; j < BACKENDS; j++) {
			bool takes = after[j].usable && after[j].healthy;

			if ((takes ? after[j].weight_milli : 0) != cases[i].weights[j] ||
			    after[j].chosen != (rung && cases[i].weights[j]))
				fail_msg("%s: backend %zu: %u", cases[i].name, j,
					 after[j].weight_milli);
		}
	}
	assert_int_equal(fallback_choose("", NULL, 0), FALLBACK_NOBODY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ladder),
	};

	return cmocka_run_group_tests_name("fallback", tests, NULL, NULL);
}
