/* SPDX-License-Identifier: GPL-2.0-only */
/* What every command has in common. Errors become words for people here, and nowhere below. */
#ifndef SLUICE_CLI_CLI_H
#define SLUICE_CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "../core/model.h"
#include "../kernel/maps.h"

/* Exit statuses. */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli {
	const char *pin_dir;
	bool json;
	bool direct; /* do the work here, whether a daemon runs or not */
	const struct command *command; /* that runs; for its usage */
};

struct command {
	const char *noun;
	const char *verb;      /* NULL: the noun is the whole command */
	const char *arguments; /* as the usage shows them */
	const char *summary;
	/* argv[0] is the last word of the command. Returns an exit status. */
	int (*run)(struct cli *cli, int argc, char **argv);
};

/* The files of this folder, a noun each. Ended by a command without a noun. */
extern const struct command load_commands[];
extern const struct command attach_commands[];
extern const struct command service_commands[];
extern const struct command backend_commands[];
extern const struct command weight_commands[];
extern const struct command status_commands[];
extern const struct command stats_commands[];
extern const struct command agent_commands[];
extern const struct command run_commands[];
extern const struct command report_commands[];
extern const struct command policy_commands[];

/* Say "sluice: ..." on standard error and return CLI_FAILED or CLI_USAGE. */
__attribute__((format(printf, 1, 2))) int cli_fail(const char *format, ...);
__attribute__((format(printf, 2, 3))) int cli_usage(const struct cli *cli, const char *format, ...);
__attribute__((format(printf, 1, 2))) void cli_warn(const char *format, ...);

/*
 * getopt_long() without its own messages (an option whose value is a letter has that as well): the
 * option's value, -1 at the end, or '?' after the user
 * has been told what is wrong.
 */
int cli_option(const struct cli *cli, int argc, char **argv, const struct option *options);

bool cli_is_number(const char *text, uint64_t min, uint64_t max, uint64_t *number);

/* A whole number within bounds. Returns 0, or -EINVAL after the user has been told. */
int cli_number(const struct cli *cli, const char *what, const char *text, uint64_t min,
	       uint64_t max, uint64_t *number);

/* Read a whole file, or standard input for "-". NULL after the user has been told; free() it. */
char *cli_read_file(const char *path, size_t *bytes);

uint64_t cli_monotonic_ns(void);
int64_t cli_wall_ms(void);

#endif
