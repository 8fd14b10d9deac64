/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "options.h"
#include "summary.h"

#define ROUNDS_DEFAULT 7
#define ROUNDS_QUICK   3
#define AGAIN_DEFAULT  2
#define AGAIN_MAX      10

const char options_usage[] =
	"usage: bench [OPTION]...\n"
	"  --quick         3 rounds instead of 7\n"
	"  --rounds N      1 to 100\n"
	"  --again N       measure rows during which the host was busy again, up to N times; 2 by\n"
	"                  default, up to 10\n"
	"  --only TEXT     only rows whose name or section contains TEXT\n"
	"  --list          name the rows, measure nothing\n"
	"  --json\n"
	"  --cpu N         the CPU to measure on; the last one by default\n"
	"  --sluice FILE   the command under test; the one built along with this by default\n";

static int parse_number(long min, long max, long *number)
{
	char *end;

	errno = 0;
	*number = strtol(optarg, &end, 10);
	return errno || end == optarg || *end || *number < min || *number > max ? -EINVAL : 0;
}

static int take_option(int option, struct options *options)
{
	long number;

	switch (option) {
	case 'q':
		options->rounds = ROUNDS_QUICK;
		return 0;
	case 'r':
		if (parse_number(1, ROUNDS_MAX, &number))
			return -EINVAL;
		options->rounds = number;
		return 0;
	case 'a':
		if (parse_number(0, AGAIN_MAX, &number))
			return -EINVAL;
		options->again = number;
		return 0;
	case 'c':
		if (parse_number(0, CPU_SETSIZE - 1, &number))
			return -EINVAL;
		options->cpu = number;
		return 0;
	case 'o':
		options->only = optarg;
		return 0;
	case 's':
		options->sluice = optarg;
		return 0;
	case 'l':
		options->list = true;
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case 'h':
		options->help = true;
		return 0;
	default:
		return -EINVAL;
	}
}

int options_parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"quick", no_argument, NULL, 'q'},       {"rounds", required_argument, NULL, 'r'},
		{"again", required_argument, NULL, 'a'}, {"only", required_argument, NULL, 'o'},
		{"list", no_argument, NULL, 'l'},        {"json", no_argument, NULL, 'j'},
		{"cpu", required_argument, NULL, 'c'},   {"sluice", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
	};
	int option;

	*options = (struct options){.rounds = ROUNDS_DEFAULT, .again = AGAIN_DEFAULT, .cpu = -1};
	while ((option = getopt_long(argc, argv, "h", known, NULL)) >= 0) {
		if (take_option(option, options))
			goto refused;
	}
	if (optind == argc)
		return 0;
refused:
	fputs(options_usage, stderr);
	return -EINVAL;
}
