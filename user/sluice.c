/* SPDX-License-Identifier: GPL-2.0-only */
/* The one binary: find the command in the table, run it. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/remote.h"

static const struct command *const tables[] = {
	load_commands,	 attach_commands, service_commands, backend_commands,
	weight_commands, status_commands, stats_commands, run_commands, report_commands,
	agent_commands,	 policy_commands,
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

static void print_help(void)
{
	const struct command *command;
	char words[32];
	size_t i;

	puts("sluice " SLUICE_VERSION ": a layer 4 load balancer in XDP whose weights move\n"
	     "\n"
	     "usage: sluice [--pin DIR] [--json] COMMAND [ARGUMENTS]\n");
	for (i = 0; i < TABLES; i++) {
		for (command = tables[i]; command->noun; command++) {
			snprintf(words, sizeof(words), "%s %s", command->noun,
				 command->verb ? command->verb : "");
			printf("  %-17s %s\n", words, command->summary);
		}
	}
	puts("\n"
	     "  --pin DIR         the instance whose maps are pinned there (" PIN_DIR_DEFAULT ")\n"
	     "  --json            print JSON\n"
	     "  --direct          do the work here, also when a daemon runs\n"
	     "  --version         print the version\n"
	     "  COMMAND --help    what a command takes\n"
	     "\n"
	     "Exit status: 0 done, 1 failed and nothing changed, 2 wrong usage.");
}

static void print_command_help(const struct command *command)
{
	printf("sluice %s%s%s: %s\nusage: sluice %s%s%s %s\n", command->noun,
	       command->verb ? " " : "", command->verb ? command->verb : "", command->summary,
	       command->noun, command->verb ? " " : "", command->verb ? command->verb : "",
	       command->arguments);
}

/* How many words of @argv name @command; 0: it is another one. */
static int words_matched(const struct command *command, int argc, char **argv)
{
	if (strcmp(command->noun, argv[0]))
		return 0;
	if (!command->verb)
		return 1;
	return argc > 1 && !strcmp(command->verb, argv[1]) ? 2 : 0;
}

static bool wants_help(int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	}
	return false;
}

/* A noun without a verb, or with one it does not have: say which it has. */
static int unknown_command(const struct cli *cli, int argc, char **argv)
{
	const struct command *command;
	bool known_noun = false;
	size_t i;

	for (i = 0; i < TABLES; i++) {
		for (command = tables[i]; command->noun; command++) {
			if (strcmp(command->noun, argv[0]))
				continue;
			if (!known_noun)
				fprintf(argc > 1 && wants_help(argc, argv) ? stdout : stderr,
					"sluice %s has these verbs:\n", argv[0]);
			known_noun = true;
			fprintf(argc > 1 && wants_help(argc, argv) ? stdout : stderr,
				"  %-8s %s\n", command->verb, command->summary);
		}
	}
	if (known_noun)
		return wants_help(argc, argv) ? CLI_OK : CLI_USAGE;
	return cli_usage(cli, "there is no command \"%s\"; `sluice --help` lists them", argv[0]);
}

static int run(struct cli *cli, int argc, char **argv)
{
	const struct command *command;
	size_t i;
	int status;

	for (i = 0; i < TABLES; i++) {
		for (command = tables[i]; command->noun; command++) {
			int words = words_matched(command, argc, argv);

			if (!words)
				continue;
			if (wants_help(argc, argv)) {
				print_command_help(command);
				return CLI_OK;
			}
			cli->command = command;
			optind = 0;
			if (remote_does(command) && !cli->direct &&
			    remote_command(cli, argc, argv, &status))
				return status;
			return command->run(cli, argc - words + 1, argv + words - 1);
		}
	}
	return unknown_command(cli, argc, argv);
}

/* --json may stand anywhere, --pin before the command. */
static int take_json(struct cli *cli, int argc, char **argv)
{
	int from, to = 0;

	for (from = 0; from < argc; from++) {
		if (!strcmp(argv[from], "--json"))
			cli->json = true;
		else
			argv[to++] = argv[from];
	}
	argv[to] = NULL;
	return to;
}

int main(int argc, char **argv)
{
	struct cli cli = {.pin_dir = PIN_DIR_DEFAULT};
	int i = 1;

	argc = take_json(&cli, argc, argv);
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			print_help();
			return CLI_OK;
		} else if (!strcmp(argv[i], "--version")) {
			puts("sluice " SLUICE_VERSION);
			return CLI_OK;
		} else if (!strcmp(argv[i], "--direct")) {
			cli.direct = true;
		} else if (!strcmp(argv[i], "--pin") && i + 1 < argc) {
			cli.pin_dir = argv[++i];
		} else {
			return cli_usage(&cli, "unknown or incomplete option %s; see `sluice --help`",
					 argv[i]);
		}
	}
	if (i == argc)
		return cli_usage(&cli, "a command is needed; `sluice --help` lists them");
	return run(&cli, argc - i, argv + i);
}
