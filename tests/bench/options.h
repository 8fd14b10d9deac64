/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SLUICE_TESTS_BENCH_OPTIONS_H
#define SLUICE_TESTS_BENCH_OPTIONS_H

#include <stdbool.h>

struct options {
	const char *sluice; /* NULL: the one built along with this */
	const char *only;   /* NULL: all rows */
	unsigned int rounds;
	unsigned int again; /* at most, of rows during which the host was busy */
	int cpu;            /* below 0: the last one */
	bool json;
	bool list;
	bool help;
};

/* Returns 0, or -EINVAL with the usage on standard error. */
int options_parse(int argc, char **argv, struct options *options);

extern const char options_usage[];

#endif
