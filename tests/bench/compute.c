/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compute.h"
#include "random.h"
#include "user/core/bias.h"
#include "user/core/candidates.h"

#define BASE_WEIGHT 100

const struct compute computes[] = {
	{"candidates, 3 backends, 4096 slots", COMPUTE_CANDIDATES, 3, 4096, 120},
	{"candidates, 100, 16384", COMPUTE_CANDIDATES, 100, 16384, 0},
	{"candidates, 100, 65536", COMPUTE_CANDIDATES, 100, 65536, 2500},
	{"candidates, 4000, 65536", COMPUTE_CANDIDATES, 4000, 65536, 4200},
	{"candidates, 1000, 131072", COMPUTE_CANDIDATES, 1000, 131072, 0},
	{"bias, 3 backends, 4096 slots", COMPUTE_BIAS, 3, 4096, 150},
	{"bias, 100, 16384", COMPUTE_BIAS, 100, 16384, 0},
	{"bias, 100, 65536", COMPUTE_BIAS, 100, 65536, 1500},
	{"bias, 1000, 131072", COMPUTE_BIAS, 1000, 131072, 0},
};

const size_t compute_count = sizeof(computes) / sizeof(computes[0]);

struct inputs {
	struct contender *contenders;
	__u32 *wanted;
	__u16 *bias;
	struct slot *slots;
};

static double thread_time_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void inputs_free(struct inputs *inputs)
{
	free(inputs->contenders);
	free(inputs->wanted);
	free(inputs->bias);
	free(inputs->slots);
}

static int inputs_make(const struct compute *compute, struct inputs *inputs)
{
	__u64 random = 1;

	inputs->contenders = calloc(compute->backends, sizeof(*inputs->contenders));
	inputs->wanted = calloc(compute->backends, sizeof(*inputs->wanted));
	inputs->bias = calloc(compute->backends, sizeof(*inputs->bias));
	inputs->slots = calloc(compute->slots, sizeof(*inputs->slots));
	if (!inputs->contenders || !inputs->wanted || !inputs->bias || !inputs->slots)
		return -ENOMEM;
	for (__u32 i = 0; i < compute->backends; i++) {
		inputs->contenders[i].identity = random_next(&random);
		inputs->contenders[i].table_weight = BASE_WEIGHT;
	}
	return candidates_build(inputs->contenders, compute->backends, inputs->slots,
				compute->slots);
}

/* Weights as a load report makes them: each within half and one and a half times its base. */
static void draw_wanted(const struct compute *compute, struct inputs *inputs, __u64 *random)
{
	for (__u32 i = 0; i < compute->backends; i++)
		inputs->wanted[i] = BASE_WEIGHT * (500 + random_below(random, 1001));
}

void compute_row(const struct compute *compute, unsigned int rounds, struct result *result)
{
	double samples_us[ROUNDS_MAX];
	struct inputs inputs;
	__u64 random = 2;
	int err;

	result->unit = "us";
	result->goal = compute->goal_us;
	err = inputs_make(compute, &inputs);
	for (unsigned int i = 0; i < rounds && !err; i++) {
		draw_wanted(compute, &inputs, &random);
		samples_us[i] = thread_time_us();
		if (compute->kind == COMPUTE_CANDIDATES)
			err = candidates_build(inputs.contenders, compute->backends, inputs.slots,
					       compute->slots);
		else
			err = bias_solve(inputs.slots, compute->slots, inputs.wanted,
					 compute->backends, inputs.bias, NULL);
		samples_us[i] = thread_time_us() - samples_us[i];
	}
	if (err)
		snprintf(result->error, sizeof(result->error), "%s", strerror(-err));
	else
		result->cost = summarize(samples_us, rounds);
	inputs_free(&inputs);
}
