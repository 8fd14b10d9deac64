/* SPDX-License-Identifier: GPL-2.0-only */
#include "shed.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "elapsed.h"

/* A node may say that its queue makes it more than full; how much more changes nothing here. */
#define UTILISATION_MAX 2.0

#define NUMBER_MAX 3600000.0

struct shed_config shed_config_default(void)
{
	return (struct shed_config){
		.p2_from = 0.85,
		.p2_full = 0.95,
		.p1_from = 0.92,
		.p1_full = 1.0,
		.margin = 0.03,
		.rise_ms = 2000,
		.fall_ms = 6000,
		.forget_ms = 10000,
	};
}

static const struct constant {
	const char *name;
	size_t offset;
} constants[] = {
	{"shed.p2_from", offsetof(struct shed_config, p2_from)},
	{"shed.p2_full", offsetof(struct shed_config, p2_full)},
	{"shed.p1_from", offsetof(struct shed_config, p1_from)},
	{"shed.p1_full", offsetof(struct shed_config, p1_full)},
	{"shed.margin", offsetof(struct shed_config, margin)},
	{"shed.rise_ms", offsetof(struct shed_config, rise_ms)},
	{"shed.fall_ms", offsetof(struct shed_config, fall_ms)},
	{"shed.forget_ms", offsetof(struct shed_config, forget_ms)},
};

int shed_constant_set(struct shed_config *config, const char *assignment, struct text_error *error)
{
	size_t name_bytes = strcspn(assignment, "=");
	const char *number = assignment + name_bytes + (assignment[name_bytes] == '=');
	double value;
	char *end;

	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
		if (strlen(constants[i].name) != name_bytes ||
		    memcmp(constants[i].name, assignment, name_bytes))
			continue;
		value = strtod(number, &end);
		/* strtod() also takes blanks, signs, "nan" and hexadecimal. */
		if (!*number || number[strspn(number, "0123456789.")] || *end || value > NUMBER_MAX)
			return text_refuse(error, -EINVAL, NULL,
					   "got \"%.40s\", expected %s=NUMBER, 0 to %.0f",
					   assignment, constants[i].name, NUMBER_MAX);
		*(double *)((char *)config + constants[i].offset) = value;
		return 0;
	}
	return -ENOENT;
}

const char *shed_config_wrong(const struct shed_config *config)
{
	if (!(config->p2_from < config->p2_full))
		return "shed.p2_from must be less than shed.p2_full";
	if (!(config->p1_from < config->p1_full))
		return "shed.p1_from must be less than shed.p1_full";
	if (!(config->p2_from <= config->p1_from && config->p2_full <= config->p1_full))
		return "P1 must not give way before P2: shed.p1_from and shed.p1_full are too low";
	return NULL;
}

static void follow(const struct shed_config *config, struct shed_memory *memory, double utilisation,
		   int64_t now_ms)
{
	double way, constant_ms, passed_ms = elapsed_ms(now_ms, memory->at_ms);

	utilisation = fmin(utilisation, UTILISATION_MAX);
	memory->at_ms = now_ms;
	if (!memory->has_average) {
		memory->has_average = true;
		memory->average = utilisation;
		return;
	}
	way = utilisation - memory->average;
	constant_ms = way > 0 ? config->rise_ms : config->fall_ms;
	memory->average += way * (constant_ms > 0 ? -expm1(-passed_ms / constant_ms) : 1);
}

/* Shedding that goes on begins lower, and still ends at the same place. */
static double part_of(const struct shed_config *config, struct shed_memory *memory, double from,
		      double full)
{
	double part;

	if (memory->average <= from - (memory->shedding ? config->margin : 0)) {
		memory->shedding = false;
		return 0;
	}
	part = fmin(fmax((memory->average - from) / (full - from), 0), 1);
	memory->shedding |= part >= SHED_PART_MIN;
	return memory->shedding ? fmax(part, SHED_PART_MIN) : 0;
}

double shed_part(const struct shed_config *config, struct shed_memory *memory, uint8_t priority,
		 double utilisation, int64_t now_ms)
{
	/* Also false of NAN. */
	if (utilisation >= 0)
		follow(config, memory, utilisation, now_ms);
	else if (memory->has_average &&
		 elapsed_ms(now_ms, memory->at_ms) > (int64_t)config->forget_ms)
		*memory = (struct shed_memory){};
	if (!memory->has_average || !priority) {
		memory->shedding = false;
		return 0;
	}
	return priority >= SERVICE_PRIORITY_MAX
		       ? part_of(config, memory, config->p2_from, config->p2_full)
		       : part_of(config, memory, config->p1_from, config->p1_full);
}
