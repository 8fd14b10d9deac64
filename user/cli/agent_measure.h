/* SPDX-License-Identifier: GPL-2.0-only */
/* The agent's side of what TC measures: which services, on which devices, and what it was. */
#ifndef SLUICE_CLI_AGENT_MEASURE_H
#define SLUICE_CLI_AGENT_MEASURE_H

#include <stdbool.h>

#include <jansson.h>

#include "../core/config.h"

#define AGENT_SERVICES_MAX 128 /* so that all of them fit into a datagram */

struct agent_measure;

/*
 * Measure the services of @config on the devices of its agent. @beside: leave what another agent
 * has attached as it is. @config must outlive it. Returns 0 with *@measure, which is NULL where no
 * device is named, or a negative errno with a sentence in @error.
 */
int agent_measure_open(const struct config *config, bool beside, struct agent_measure **measure,
		       struct text_error *error);
void agent_measure_close(struct agent_measure *measure);

/*
 * Read the counters. Puts into @report what happened since the last call, of all services, and the
 * same of each into the array @services.
 */
void agent_measure_read(struct agent_measure *measure, struct report *report, json_t *services);

#endif
