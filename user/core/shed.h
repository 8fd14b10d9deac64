/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Load shedding: which part of a service's new flows is dropped because its nodes are hot. Pure: the
 * time is an argument, and who owns the service keeps its struct shed_memory (all 0 to begin with).
 *
 * The part follows an average of the utilisation (1: full) of the service's nodes, weighted by their
 * capacity. It rises linearly from 0 where the class begins to give way to 1 where it is full: P2
 * gives up all before much of P1 goes, and P0 is never shed. Established flows never are: only new
 * ones ask.
 *
 * So that it does not flap: the average has a time constant, rising faster than falling; shedding
 * that has begun goes on until the average is a margin below where it began; and a part below
 * SHED_PART_MIN is none. The average goes by the time between readings, whatever their rhythm.
 */
#ifndef SLUICE_CORE_SHED_H
#define SLUICE_CORE_SHED_H

#include <stdbool.h>
#include <stdint.h>

#include "../../maps/service.h"
#include "text_error.h"

#define SHED_PART_MIN 0.005

/* Two ticks of the loop and a report that is late; who publishes must do so more often. */
#define SHED_FOR_MS 5000

struct shed_config {
	double p2_from; /* utilisation at which P2 begins to give way, */
	double p2_full; /* and at which all its new flows are dropped */
	double p1_from;
	double p1_full;
	double margin;    /* below where it began, shedding ends */
	double rise_ms;   /* time constants of the average, upwards */
	double fall_ms;   /* and downwards */
	double forget_ms; /* without a reading for that long, there is no load to go by */
};

struct shed_memory {
	bool has_average;
	bool shedding;
	double average;
	int64_t at_ms; /* of the last reading */
};

struct shed_config shed_config_default(void);

/*
 * "NAME=NUMBER", such as "shed.p2_from=0.8", with the names of struct shed_config. Returns 0,
 * -ENOENT when the name is none of them (@error is untouched), or -EINVAL with a sentence in @error.
 */
int shed_constant_set(struct shed_config *config, const char *assignment, struct text_error *error);

/* NULL, or a sentence about constants that contradict each other, once all have been set. */
const char *shed_config_wrong(const struct shed_config *config);

/*
 * The part of new flows to drop, 0 to 1, of a service of class @priority. @utilisation is the mean
 * of its pool now; NAN or negative: no node reports, which is no reading, and after forget_ms there
 * is nothing to shed for. @now_ms may go back; such a reading replaces the average's time only.
 */
double shed_part(const struct shed_config *config, struct shed_memory *memory, uint8_t priority,
		 double utilisation, int64_t now_ms);

#endif
