/* SPDX-License-Identifier: GPL-2.0-only */
/* The constants of a loop, by their names. */
#ifndef SLUICE_CORE_LOOP_CONSTANTS_H
#define SLUICE_CORE_LOOP_CONSTANTS_H

#include "loop.h"
#include "text_error.h"

/*
 * "NAME=NUMBER", such as "edge.cpu_shut_percent=90". The names are those of struct loop_config, and
 * in it of the policies' parts, of congestion, of health and of its part passive. Returns 0, or
 * -EINVAL with a sentence in @error.
 */
int loop_constant_set(struct loop_config *config, const char *assignment, struct text_error *error);

#endif
